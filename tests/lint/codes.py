#!/usr/bin/python3
"""Every code with which the database or the service refuses has its words in
openapi/problems.yaml."""

import pathlib
import re
import sys

import yaml

HOME = pathlib.Path(__file__).resolve().parents[2]
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
# The quotes are doubled where the call stands in a text that is executed.
SQL_CALL = re.compile(
    r"\b(?:refuse\(\s*\d{3}\s*,|fault\()\s*'{1,2}([a-z0-9-]+)'")
# Words between the database and the engine, which no client sees.
INTERNAL = {"idempotency-replay"}
ROW_RULES = re.compile(
    r"insert\s+into\s+app\.row_rules\s*\(([^)]*)\)\s*values", re.I)
C_CALL = re.compile(
    r"\b(?:problem_new|problem_at_pointer|problem_at_parameter|refuse\w*|"
    r"\w+_refuse|reply_raw_problem)\(([^;{}]*);")
C_STRING = re.compile(r'"([a-z]+(?:-[a-z]+)+)"')


def rows(text, at):
    """The rows of a VALUES list: each a list of the texts of its values."""
    row, value, depth = [], "", 0
    while at < len(text):
        c = text[at]
        if c == "'":
            end = at + 1
            while text[end] != "'" or text[end + 1:end + 2] == "'":
                end += 2 if text[end] == "'" else 1
            value += text[at:end + 1]
            at = end + 1
            continue
        if text.startswith("--", at):
            at = text.index("\n", at)
            continue
        if c == "$" and (tag := re.match(r"\$\w*\$", text[at:])):
            end = text.index(tag[0], at + len(tag[0])) + len(tag[0])
            value += text[at:end]
            at = end
            continue
        if c == "(":
            depth += 1
            if depth == 1:
                row, value = [], ""
                at += 1
                continue
        if c == ")":
            depth -= 1
            if depth == 0:
                yield row + [value.strip()]
                at += 1
                continue
        if depth == 0 and (c == ";" or text.startswith("on conflict", at)):
            return
        if c == "," and depth == 1:
            row.append(value.strip())
            value = ""
        else:
            value += c
        at += 1


def sql_codes():
    for file in sorted((HOME / "db").glob("*/*.sql")):
        text = file.read_text(encoding="utf-8")
        where = str(file.relative_to(HOME))
        for match in SQL_CALL.finditer(text):
            yield where, match[1]
        for match in ROW_RULES.finditer(text):
            columns = [c.strip() for c in match[1].split(",")]
            for row in rows(text, match.end()):
                code = row[columns.index("code")]
                if code.startswith("'"):
                    yield where, code.strip("'")


def c_codes():
    for file in sorted((HOME / "api").glob("*/*.c")):
        for match in C_CALL.finditer(file.read_text(encoding="utf-8")):
            for code in C_STRING.findall(match[1]):
                yield str(file.relative_to(HOME)), code


with open(HOME / "openapi/problems.yaml", encoding="utf-8") as text:
    known = yaml.safe_load(text)

faults = set()
for where, code in [*sql_codes(), *c_codes()]:
    if code not in known and code not in INTERNAL:
        faults.add(f"{where}: {code} is not in openapi/problems.yaml")
for code, entry in known.items():
    words = [entry.get(part, {}).get(lang)
             for part in ("title", "detail") for lang in ("zh-CN", "en")]
    if not CODE.fullmatch(code) or not all(words) \
            or not 400 <= entry.get("status", 0) <= 599:
        faults.add(f"openapi/problems.yaml: {code}: status, title and detail "
                   "in zh-CN and en")
print("\n".join(sorted(faults)))
sys.exit(bool(faults))
