"""Which tests prove which clause of the county's scheme (make clauses).

A pytest plugin. The clauses are those of the demo county's policy document,
db/demo/scheme.json; a test names the ones that it proves by
@pytest.mark.clause("C2.1.3.d"). With --clauses the run ends with the list,
and fails when a clause of the sections below has no test of the API that
passed.
"""

import json
import pathlib

from support.halves import is_half

HOME = pathlib.Path(__file__).resolve().parents[2]
MUST_HAVE = ("C1.", "C2.1.", "C2.4.", "C3.")

_proofs = {}        # clause -> {test: outcome}


def pytest_addoption(parser):
    parser.addoption("--clauses", action="store_true",
                     help="list the clauses with the tests that prove them")


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        for clause in dict(report.user_properties).get("clauses", ()):
            _proofs.setdefault(clause, {})[
                report.nodeid.partition("[")[0]] = report.outcome


def pytest_collection_modifyitems(items):
    for item in items:
        clauses = [clause for mark in item.iter_markers("clause")
                   for clause in mark.args]
        if clauses and item.nodeid.startswith("api/"):
            item.user_properties.append(("clauses", clauses))


def scheme():
    with open(HOME / "db/demo/scheme.json", encoding="utf-8") as text:
        return {row["clause_id"]: row["text"] for row in json.load(text)}


def missing():
    return [clause for clause in scheme() if clause.startswith(MUST_HAVE)
            and "passed" not in _proofs.get(clause, {}).values()]


def pytest_sessionfinish(session):
    if session.config.option.clauses and not is_half(session.config) \
            and missing():
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    if not config.option.clauses:
        return
    write = terminalreporter.write_line
    terminalreporter.section("clauses")
    for clause, text in scheme().items():
        proofs = _proofs.get(clause, {})
        if proofs or clause.startswith(MUST_HAVE):
            write(f"{clause:10} {text if len(text) < 40 else text[:39] + '…'}")
        for test, outcome in sorted(proofs.items()):
            write(f"           {'' if outcome == 'passed' else outcome + ' '}"
                  f"{test.removeprefix('api/')}")
    write("without a test: " + (" ".join(missing()) or "none"))
