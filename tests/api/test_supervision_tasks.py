"""Tasks, their teams and targets: 3.2, 3.3, L-TL-11, L-TL-16, L-TL-17."""

from datetime import timedelta

import pytest

from support import ledger


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


def body(db, **members):
    with db.cursor() as cursor:
        cursor.execute("select id from dudao.policy_documents"
                       " where state = 'in_force' limit 1")
        basis = cursor.fetchone()[0]
    return {
        "kind": "special", "title": "校园食品安全专项督导", "year": 2026,
        "matters": ["M2"], "basis_document_id": basis,
        "leader_inspector_id": ledger.inspector_id(db, "演示督学02"),
        "onsite_from": str(ledger.today(db) + timedelta(days=30)),
        "team": [{"inspector_id": ledger.inspector_id(db, f"演示督学0{n}"),
                  "role": "leader" if n == 2 else "member"}
                 for n in (1, 2, 3)],
        "targets": [{"organization_id": ledger.organization_id(db)}],
        **members}


NOTICE = {"text": "定于下月对你校开展专项督导。", "schedule": "第一日查阅资料"}


@pytest.mark.clause("L-TL-16", "R-TSK-02")
def test_task_with_team_and_targets_in_one_body(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    task = staff.create("supervision-tasks", body(db))
    assert len(task["team"]) == 3 and task["target_count"] == 1
    task = staff.change("supervision-tasks", task,
                        {"team": task_team(db, 1)})
    assert len(task["team"]) == 1
    answer = chief.act("supervision-tasks", task, "approve", {}, status=422)
    assert codes(answer) == {"team-too-small"}
    assert (answer["rule_id"], answer["clause_id"]) == ("R-TSK-02",
                                                        "L-TL-16")
    for n in (2, 3):
        staff.post(f"/v1/supervision-tasks/{task['id']}/team", status=201,
                   json={"inspector_id":
                         ledger.inspector_id(db, f"演示督学0{n}")})
    staff.post(f"/v1/supervision-tasks/{task['id']}/targets", status=201,
               json={"organization_id": ledger.organization_id(
                   db, "伍市镇示例中心小学")})
    task = chief.act("supervision-tasks", task, "approve", {})
    assert (task["state"], task["target_count"]) == ("approved", 2)
    staff.post(f"/v1/supervision-tasks/{task['id']}/targets", status=409,
               json={"organization_id": ledger.organization_id(
                   db, "三市镇示例初级中学")})


def test_a_new_target_changes_the_tag_of_the_task(api, db):
    """The task's own version stays, what it shows does not."""
    staff = api.login("office_staff")
    task = staff.create("supervision-tasks", body(db))
    path = f"/v1/supervision-tasks/{task['id']}"
    first = staff.get(path, status=200)
    staff.get(path, status=304,
              headers={"If-None-Match": first.headers["ETag"]})
    staff.post(path + "/targets", status=201, json={
        "organization_id": ledger.organization_id(db, "伍市镇示例中心小学")})
    second = staff.get(path, status=200,
                       headers={"If-None-Match": first.headers["ETag"]})
    assert second.json()["target_count"] == 2


def task_team(db, *numbers):
    return [{"inspector_id": ledger.inspector_id(db, f"演示督学0{n}")}
            for n in numbers]


@pytest.mark.clause("L-TL-11", "R-CMP-03", "R-GEN-01")
def test_approval_names_every_fault(api, db):
    task = api.login("office_staff").create("supervision-tasks", {
        "kind": "comprehensive", "title": "综合督导", "year": 2026,
        "matters": ["M1"]})
    answer = api.login("chief_inspector").act(
        "supervision-tasks", task, "approve", {}, status=422)
    assert {e["pointer"] for e in answer["errors"]} == {
        "/basis_document_id", "/matters", "/targets", "/team",
        "/leader_inspector_id"}


@pytest.mark.clause("L-TL-17", "R-TSK-03")
def test_notice_comes_first_and_in_time(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    soon = str(ledger.today(db) + timedelta(days=1))
    task = staff.create("supervision-tasks", body(db, onsite_from=soon))
    chief.act("supervision-tasks", task, "approve", {})
    answer = staff.act("supervision-tasks", task, "start", {}, status=422)
    assert "notice-required" in codes(answer)
    answer = chief.act("supervision-tasks", task, "issue-notice", NOTICE,
                       status=422)
    assert codes(answer) == {"notice-too-late"}

    task = staff.create("supervision-tasks", body(db))
    chief.act("supervision-tasks", task, "approve", {})
    school = api.login("school_account")
    school.read("supervision-tasks", task["id"], status=404)
    task = chief.act("supervision-tasks", task, "issue-notice", NOTICE)
    assert task["state"] == "issued"
    notice = school.one("supervision-notices", task_id=task["id"])
    assert notice["doc_no"].startswith("平教督〔")
    target = school.one("supervision-targets", task_id=task["id"])
    assert target["state"] == "notified"
    assert target["notice_id"] == notice["id"]
    answer = staff.act("supervision-tasks", task, "start", {}, status=422)
    assert codes(answer) == {"onsite-not-begun"}
    task = chief.act("supervision-tasks", task, "cancel",
                     {"reason": "并入市级专项督导"})
    assert task["state"] == "cancelled"
    assert school.read("supervision-targets",
                       target["id"])["state"] == "excused"


@pytest.mark.clause("C2.2.2.a", "R-TSK-01")
def test_ordered_tasks_report_to_the_superior(api, db):
    task = api.login("office_staff").create("supervision-tasks", body(
        db, ordered_by_level="municipal", external_ref=None,
        is_annual_key=True))
    chief = api.login("chief_inspector")
    chief.act("supervision-tasks", task, "approve", {})
    answer = chief.act("supervision-tasks", task, "cancel",
                       {"reason": "不再实施"}, status=422)
    assert codes(answer) == {"consent-required"}
    with db.cursor() as cursor:
        cursor.execute("select payload ->> 'state' from"
                       " dudao.exchange_messages where type = 'X-02'"
                       " and subject_id = %s", (task["id"],))
        assert cursor.fetchall() == [("approved",)]


@pytest.mark.clause("L-TL-16")
def test_unplanned_tasks_are_approved_by_a_deputy(api, db):
    task = api.login("office_staff").create("supervision-tasks", body(
        db, unplanned_reason="群众反映集中"))
    answer = api.login("chief_inspector").act(
        "supervision-tasks", task, "approve", {}, status=422)
    assert codes(answer) == {"deputy-approval-required"}
    task = api.login("committee_deputy").act(
        "supervision-tasks", task, "approve", {})
    assert task["state"] == "approved"


@pytest.mark.clause("L-TL-18", "R-TSK-05")
def test_on_site_work_needs_a_visit(api, db):
    with db.cursor() as cursor:
        cursor.execute("select id, organization_id"
                       " from dudao.supervision_targets"
                       " where state = 'onsite' limit 1")
        target, unit = cursor.fetchone()
    leader = api.login("inspector_ft")
    answer = leader.act("supervision-targets", target, "end-onsite", {},
                        status=422)
    assert codes(answer) == {"onsite-visit-required"}
    visit = ledger.visit_body(db, kind="onsite", target_id=target,
                              no_problem_found=True)
    del visit["school_id"]
    visit = leader.create("visits", visit)
    assert visit["organization_id"] == unit
    leader.act("visits", visit, "submit", {})
    answer = leader.act("supervision-targets", target, "end-onsite", {})
    assert answer["state"] == "onsite_done"
    answer = api.login("office_staff").act(
        "supervision-targets", target, "record-obstruction",
        {"kinds": ["conceal_falsify"], "facts": "拒绝提供台账"})
    assert answer["is_obstructed"]


def test_lists(api):
    staff = api.login("office_staff")
    rows = staff.list("supervision-tasks", kind=["special", "comprehensive"],
                      state=["issued", "in_progress"], sort="-year,code",
                      expand=["targets", "basis_document"])
    assert rows and all(r["targets"] for r in rows)
    assert staff.list("supervision-tasks", q="食品安全")
