"""Inspection of the supervision work of townships, departments and zones:
C2.1.3.h, R-ZON-05."""

import datetime
import uuid

import psycopg2
import pytest

from support import ledger
from support.merit import day, rows

NOTICE = {"text": "定于近期检查教育督导工作开展情况。",
          "schedule": "听取汇报，查阅督导台账", "materials_required": "工作台账"}


def codes(problem):
    return {e["code"] for e in problem["errors"]}


def task(api, db, targets, **members):
    basis, = rows(db, "select id from policy_documents"
                      " where state = 'in_force' limit 1")[0]
    return api.login("office_staff").create("supervision-tasks", {
        "kind": "work_inspection", "title": "教育督导工作监督检查",
        "year": day(db, 0).year, "matters": ["M4"],
        "basis_document_id": basis,
        "leader_inspector_id": ledger.inspector_id(db, "演示督学02"),
        "onsite_from": str(day(db, 0)),
        "team": [{"inspector_id": ledger.inspector_id(db, f"演示督学0{n}"),
                  "role": "leader" if n == 2 else "member"}
                 for n in (2, 3, 4)],
        "targets": targets, **members})


def zone_id(db, code):
    return rows(db, "select id from zones where code = %s", code)[0][0]


@pytest.mark.clause("C2.1.3.h", "R-ZON-05")
def test_a_zone_a_township_and_a_department_are_inspected(api, db):
    """From the task to the end of the on-site work, and the problem found."""
    township = ledger.organization_id(db, "安定镇人民政府")
    bureau = ledger.organization_id(db, "教育局")
    made = task(api, db, [{"zone_id": zone_id(db, "Z4")},
                          {"organization_id": township},
                          {"organization_id": bureau}])
    chief, leader = api.login("chief_inspector"), api.login("inspector_ft")
    chief.act("supervision-tasks", made, "approve", {"comment": "同意"})
    soon = datetime.date.fromisoformat(made["onsite_from"])
    assert soon == day(db, 0)
    made = chief.act("supervision-tasks", made, "issue-notice", NOTICE)
    assert made["state"] == "issued"
    # each is told: the unit, and the lead of the zone
    assert api.login("township_account").one(
        "supervision-targets", task_id=made["id"])["state"] == "notified"
    zone_row = api.login("zone_lead").list("supervision-targets",
                                           task_id=made["id"],
                                           zone_id=zone_id(db, "Z4"))
    assert [r["state"] for r in zone_row] == ["notified"]
    staff = api.login("office_staff")
    staff.act("supervision-tasks", made, "start", {})
    targets = staff.list("supervision-targets", task_id=made["id"])
    assert len(targets) == 3
    for target in targets:
        chief.act("supervision-targets", target, "waive-self-assessment",
                  {"reason": "以日常工作台账代替自评"})
        leader.act("supervision-targets", target, "begin-onsite", {})
        assert codes(leader.act("supervision-targets", target, "end-onsite",
                                {}, status=422)) == {"onsite-visit-required"}
        body = ledger.visit_body(db, kind="onsite", target_id=target["id"],
                                 no_problem_found=True,
                                 client_uid=str(uuid.uuid4()))
        del body["school_id"]
        visit = leader.create("visits", body)
        assert visit["organization_id"] == target["organization_id"]
        leader.act("visits", visit, "submit", {})
        done = leader.act("supervision-targets", target, "end-onsite", {})
        assert done["state"] == "onsite_done" and done["onsite_ended_on"]


@pytest.mark.clause("C2.1.3.h", "R-ZON-05")
def test_each_zone_and_township_once_a_year_in_the_demo(db):
    """The county of the demo is green: targets for all of them this year."""
    missing = rows(db, """
        with inspected as (
            select t.zone_id, t.organization_id
            from supervision_targets t
            join supervision_tasks k on k.id = t.task_id
            where k.kind = 'work_inspection' and t.state <> 'excused'
                and k.year = extract(year from app.today()))
        select z.code from zones z
        where z.active_to is null and z.is_demo
            and z.id not in (select zone_id from inspected
                where zone_id is not null)
        union all
        select o.name from organizations o
        where o.kind in ('township_government', 'subdistrict_office')
            and o.status = 'operating'
            and o.id not in (select organization_id from inspected
                where organization_id is not null)""")
    assert missing == []


@pytest.mark.clause("C2.1.3.h")
def test_a_target_is_a_unit_or_a_zone(api, db):
    made = task(api, db, [{"zone_id": zone_id(db, "Z1")}])
    staff = api.login("office_staff")
    path = f"/v1/supervision-tasks/{made['id']}/targets"
    problem = staff.post(path, status=(409, 422),
                         json={"zone_id": zone_id(db, "Z1")}).json()
    assert problem["code"] in ("duplicate", "validation-failed")
    problem = staff.post(path, status=422, json={
        "zone_id": "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"}).json()
    assert codes(problem) == {"unknown-reference"}
    with pytest.raises(psycopg2.Error):
        rows(db, "insert into supervision_targets(task_id, organization_id,"
                 " zone_id) select %s, %s, %s returning 1", made["id"],
             ledger.organization_id(db), zone_id(db, "Z2"))
    db.rollback()
    # both at once names the fault over HTTP, too
    assert staff.post(path, status=422, json={
        "zone_id": zone_id(db, "Z2"),
        "organization_id": ledger.organization_id(db)}).json()["errors"]
