"""The statements that the service sends for a request, and pgbench scripts.

PostgreSQL itself writes them down (log_statement) while one request is
served, with the values of their parameters, so that the ceiling is measured
with exactly what the service does: the principal of row security, the
operation, and whatever is made of it in between.
"""

import contextlib
import re

ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (\S+) (\w+):  ", re.M)
EXECUTE = re.compile(r"execute [^:]+: (.*)", re.S)
PRINCIPAL = "set_config('dudao.user_id'"
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")


class Recorder:
    def __init__(self, service):
        self.service = service
        self.log = service.state / "log/postgresql.log"

    def record(self, request):
        """[(statement, values)]: the transaction that request() causes."""
        for _ in range(10):
            found = self._recorded(request)
            if len(found) == 1:
                return found[0]
        raise SystemExit(f"bench: {len(found)} transactions, not one")

    def _recorded(self, request):
        self._switch("all")
        start = self.log.stat().st_size
        try:
            request()
        finally:
            self._switch("none")
        with open(self.log, "rb") as log:
            log.seek(start)
            return _transactions(log.read().decode())

    def _switch(self, value):
        with contextlib.closing(self.service.connect("postgres")) as db, \
                db.cursor() as cursor:
            cursor.execute(f"alter system set log_statement = '{value}'")
            cursor.execute("select pg_reload_conf()")
            shown = None
            while shown != value:
                cursor.execute("show log_statement")
                shown = cursor.fetchone()[0]


def _transactions(text):
    """Of the service's requests: they begin with their principal."""
    found = {}
    parts = ENTRY.split(text)[1:]
    for pid, role, kind, body in zip(*[iter(parts)] * 4):
        if not role.startswith("dudao_api@"):
            continue
        body = body.replace("\n\t", "\n").strip()
        here = found.setdefault(pid, [])
        if kind == "LOG" and EXECUTE.match(body):
            statement = EXECUTE.match(body)[1].strip()
            if PRINCIPAL in statement:
                here.append([])
            if here:
                here[-1].append((statement, []))
        elif kind == "DETAIL" and body.startswith("parameters: ") and here:
            here[-1][-1][1].extend(_values(body))
    return [one for each in found.values() for one in each]


def _values(text):
    return [None if value == "NULL" else value[1:-1].replace("''", "'")
            for _, value in PARAMETER.findall(text)]


def settings(transaction):
    """What the first statement sets for the transaction: name, value."""
    statement, values = transaction[0]
    return {name: values[int(number) - 1] for name, number in
            re.findall(r"set_config\('([\w.]+)', \$(\d+)", statement)}


def script(transactions, is_pipeline, varying=(), prefix="v"):
    """A pgbench script and its variables, for -M prepared.

    Parameters stay parameters, so that plans are made as the service's are.
    In a pipeline the transaction is sent as the service sends it: principal
    and operation at once. Without one the session has the principal already.
    varying: {value: expression} that stands for it in each transaction.
    prefix: of the variables' names.
    """
    lines, variables = [], {}
    for number, transaction in enumerate(transactions):
        if is_pipeline:
            lines.append("\\startpipeline")
        for step, (statement, values) in enumerate(transaction):
            if step == 0 and not is_pipeline:
                continue

            def parameter(match):
                value = values[int(match[1]) - 1]
                if value is None:
                    return "null"
                if value in varying:
                    return varying[value]
                name = f"{prefix}{number}_{step}_{match[1]}"
                variables[name] = value
                return ":" + name

            assert not re.search(r"(?<!:):\w", statement), statement
            lines.append(re.sub(r"\$(\d+)", parameter, statement) + ";")
        if is_pipeline:
            lines.append("\\endpipeline")
    return "\n".join(lines) + "\n", variables
