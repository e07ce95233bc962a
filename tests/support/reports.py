"""A summarized task, of which a report may be submitted."""

from support import ledger
from support.client import unique


def summarized_task(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    leader = ledger.inspector_id(db, "演示督学02")
    basis = staff.one("policy-documents", state="in_force")
    task = staff.create("supervision-tasks", {
        "kind": "regular", "title": unique("经常性督导"), "year": 2026,
        "matters": ["M2"], "basis_document_id": basis["id"],
        "leader_inspector_id": leader,
        "team": [{"inspector_id": leader, "role": "leader"}],
        "targets": [{"organization_id": ledger.organization_id(db)}]})
    chief.act("supervision-tasks", task, "approve", {})
    lead = api.login("inspector_ft")
    lead.act("supervision-tasks", task, "start", {})
    return lead.act("supervision-tasks", task, "summarize", {})


def draft(api, db, login="office_staff", **members):
    task = members.pop("task", None) or summarized_task(api, db)
    return api.login(login).create("supervision-reports", {
        "task_id": task["id"], "title": unique("督导报告"),
        "body": "督导组进校督导，总体情况良好。", "no_problem_found": True,
        **members})


def resolution(db):
    """A resolution of the committee upon which a major report is issued."""
    with db.cursor() as cursor:
        cursor.execute(
            "select r.id from dudao.meeting_resolutions r"
            " join dudao.meetings m on m.id = r.meeting_id"
            " where r.issued_on is not null and m.kind = 'committee_plenary'"
            " order by r.id limit 1")
        return str(cursor.fetchone()[0])
