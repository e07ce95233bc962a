"""The README's walk-through, executed as it stands."""

import pathlib
import re
import subprocess

import pytest

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)

# What the lines print, in order: part of each output line.
EXPECTED = [
    '"state":"approved"',
    '"state":"in_progress"',
    '"state":"submitted"',
    '"state":"reviewed"',
    '"state":"assigned"',
    # strike-off from the wrong state
    '"status":409,"code":"illegal-transition","rule_id":"R-PRB-02","clause_id":"C2.3.2.b","state":"assigned"',
    '"state":"accepted"',
    '"state":"reported"',
    '"state":"verifying"',
    # strike-off without a review
    '"status":422,"code":"precondition-failed","rule_id":"R-PRB-02","clause_id":"C2.3.2.b"',
    # strike-off by the school
    '"status":403,"code":"role-not-permitted","rule_id":"R-PRB-02","clause_id":"C2.3.2.b"',
    '"result":"in_place"',
    '"state":"struck_off"',
    '"state":"submitted"',
    '"state":"secrecy_checked"',
    '"state":"approved"',
    '"state":"published"',
    # a spreadsheet with a fault, mended, and sent again
    '"state":"refused","row_count":1,"created_count":0,"faults":[[2,"F","not-in-enum"]]',
    '"state":"done","row_count":1,"created_count":1,"faults":[]',
    '"state":"done","row_count":1,"created_count":1,"faults":[]',
]


@pytest.mark.clause("C2.3.2.b")
@pytest.mark.clause("C2.3.2.g")
def test_walk_through(server, tmp_path):
    script = "set -euo pipefail\n" + "".join(
        BLOCK.findall(README.read_text()))
    done = subprocess.run(
        ["bash", "-c", script], text=True, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "API": server.url})
    assert done.returncode == 0, done.stderr + done.stdout
    lines = [line for line in done.stdout.splitlines()
             if line.startswith('{"')]
    assert len(lines) == len(EXPECTED), done.stdout
    for line, part in zip(lines, EXPECTED):
        assert part in line, f"{part} not in {line}"
    # what the public sees, and the history of the problem
    assert '"title": "关于食堂留样问题整改情况的公示"' in done.stdout
    history = [line.split("\t") for line in done.stdout.splitlines()
               if "\t" in line]
    assert [step[0] for step in history] == [
        "list", "assign", "accept_plan", "report", "verify", "strike_off"]


@pytest.mark.clause("C2.3.2.b")
def test_school_may_not_strike_off(server, api):
    """The refusal names the rule, whatever the state."""
    school = api.login("school_account")
    problems = school.list("problems")
    assert problems
    for problem in problems:
        answer = school.post(f"/v1/problems/{problem['id']}/strike-off",
                             json={"comment": "销号"})
        assert answer.status_code in (403, 409)
        assert answer.json()["rule_id"] == "R-PRB-02"
        assert answer.json()["clause_id"] == "C2.3.2.b"
