"""Annual targets: 3.24, C2.1.1.j, C2.2.1.d."""

from datetime import date, timedelta

import psycopg2
import pytest

from support import ledger
from support.client import unique
from support.meetings import faults, move, workday

TOWNSHIP = "安定镇人民政府"


def body(db, days=30, **members):
    due = ledger.today(db) + timedelta(days=days)
    return {"organization_id": ledger.organization_id(db, TOWNSHIP),
            "year": due.year, "title": unique("控辍保学"),
            "measure": "失学辍学学生数", "target_value": 0,
            "direction": "at_most", "unit": "人", "due_on": str(due),
            **members}


def issued(api, db, **members):
    row = api.login("office_staff").create("annual-targets",
                                           body(db, **members))
    return api.login("chief_inspector").act("annual-targets", row, "issue",
                                            {})


def evidence(client):
    return client.post(
        "/v1/attachments?file_name=r.png&kind=evidence", status=201,
        data=b"\x89PNG\r\n\x1a\n" + unique().encode(),
        headers={"Content-Type": "image/png"}).json()["id"]


def reported(api, db, actual=0, **members):
    row = issued(api, db, **members)
    unit = api.login("township_account")
    return unit.act("annual-targets", row, "report", {
        "actual_value": actual, "text": "全镇无失学辍学学生",
        "evidence": [evidence(unit)]})


@pytest.mark.clause("C2.1.1.j", "C2.2.1.d")
def test_from_the_draft_to_the_verified_target(api, db):
    staff, unit = api.login("office_staff"), api.login("township_account")
    row = staff.create("annual-targets", body(db))
    assert (row["state"], row["proposed_by_unit"]) == ("draft", False)
    # a unit does not see what is not yet issued to it
    unit.read("annual-targets", row["id"], status=404)
    staff.act("annual-targets", row, "issue", {}, status=403)
    row = api.login("chief_inspector").act("annual-targets", row, "issue", {})
    assert row["issued_doc_no"].startswith("平教督目〔")
    staff.change("annual-targets", row, {"target_value": 9}, status=409)
    with pytest.raises(psycopg2.Error) as error, db.cursor() as cursor:
        cursor.execute("update dudao.annual_targets set target_value = 9"
                       " where id = %s", (row["id"],))
    assert "not-editable" in error.value.diag.message_detail
    answer = unit.act("annual-targets", row, "report", {
        "text": "已完成", "evidence": []}, status=422)
    assert faults(answer) == {("/actual_value", "required"),
                              ("/evidence", "evidence-required")}
    api.login("township_account_2").act("annual-targets", row, "report", {
        "text": "已完成", "evidence": []}, status=404)
    row = unit.act("annual-targets", row, "report", {
        "actual_value": 0, "text": "已完成", "evidence": [evidence(unit)]})
    assert (row["state"], row["reported_on"]) == ("reported",
                                                  str(ledger.today(db)))
    unit.act("annual-targets", row, "verify-met", {}, status=403)
    row = staff.act("annual-targets", row, "verify-met", {"comment": "属实"})
    assert (row["state"], row["verify_note"]) == ("verified_met", "属实")


@pytest.mark.clause("C2.1.1.j", "C2.2.1.d")
def test_all_targets_of_a_unit_in_one_body(api, db):
    staff = api.login("office_staff")
    unit = ledger.organization_id(db, "平江县人民政府办公室")
    line = {"title": "督导经费", "measure": "到位率", "target_value": 100,
            "unit": "%", "due_on": str(ledger.today(db)
                                       + timedelta(days=30))}
    year = date.fromisoformat(line["due_on"]).year
    path = f"/v1/organizations/{ledger.organization_id(db)}/annual-targets"
    before = len(staff.list("annual-targets"))
    answer = staff.post(path, status=422, json={"year": year, "targets": [
        line, {**line, "due_on": f"{year - 3}-01-01"},
        {**line, "unit": None},
        {**line, "source": "performance_system"}]}).json()
    assert faults(answer) == {
        ("/targets/1/due_on", "due-outside-year"),
        ("/targets/2/unit", "required"),
        ("/targets/3/external_ref", "required")}
    assert len(staff.list("annual-targets")) == before
    made = staff.post(path, status=201, json={
        "year": year, "targets": [line, {**line, "title": "陪餐"}]}).json()
    assert len(made["data"]) == 2
    assert made["data"][1]["seq"] == made["data"][0]["seq"] + 1
    again = staff.post(path, status=422, json={"year": year, "targets": [
        {**line, "seq": made["data"][0]["seq"]}]}).json()
    assert faults(again) == {("/targets/0/seq", "duplicate-number")}
    staff.create("annual-targets", body(
        db, seq=made["data"][0]["seq"], year=year, due_on=line["due_on"],
        organization_id=ledger.organization_id(db)), status=409)
    # only who may be supervised has targets
    answer = staff.post(f"/v1/organizations/{unit}/annual-targets",
                        status=422, json={"year": year,
                                          "targets": [line]}).json()
    assert faults(answer) == {("/targets/0/organization_id",
                               "not-supervisable")}


@pytest.mark.clause("C2.1.1.j")
def test_a_member_unit_proposes_its_own_targets(api, db):
    liaison = api.login("member_liaison")
    own = ledger.organization_id(db, "教育局")
    row = liaison.create("annual-targets", body(db, organization_id=own))
    assert row["proposed_by_unit"]
    liaison.change("annual-targets", row, {"target_value": 1})
    answer = liaison.create("annual-targets", body(db), status=403)
    assert answer["code"] == "out-of-scope"
    api.login("department_account").create(
        "annual-targets", body(db, organization_id=own), status=403)


@pytest.mark.clause("C2.1.1.j")
def test_the_director_adjusts_before_the_day(api, db, server):
    row = issued(api, db, target_value=5)
    director = api.login("committee_director")
    api.login("chief_inspector").act("annual-targets", row, "adjust", {
        "reason": "洪灾", "target_value": 7}, status=403)
    director.act("annual-targets", row, "adjust", {"target_value": 7},
                 status=422)
    answer = director.act("annual-targets", row, "adjust",
                          {"reason": "洪灾"}, status=422)
    assert {e["code"] for e in answer["errors"]} == {"nothing-adjusted"}
    row = director.act("annual-targets", row, "adjust", {
        "reason": "洪灾", "target_value": 7})
    assert (row["state"], row["target_value"], row["adjust_count"]) == (
        "issued", 7, 1)
    move(server, "annual_targets", row["id"], due_on=ledger.today(db))
    answer = director.act("annual-targets", row, "adjust", {
        "reason": "洪灾", "target_value": 9}, status=422)
    assert answer["code"] == "deadline-passed"


@pytest.mark.clause("C2.1.1.j", "C2.3.4.f", "A16")
def test_not_met_is_a_clue(api, db):
    staff = api.login("office_staff")
    row = reported(api, db, actual=3)
    answer = staff.act("annual-targets", row, "verify-met", {}, status=422)
    assert faults(answer) == {("/actual_value", "target-not-reached")}
    staff.act("annual-targets", row, "verify-not-met", {}, status=422)
    row = staff.act("annual-targets", row, "verify-not-met",
                    {"reason": "抽查发现3名学生失学"})
    assert row["state"] == "verified_not_met"
    with db.cursor() as cursor:
        cursor.execute(
            "select due_on - app.today() from dudao.deadlines where"
            " subject_id = %s and kind = 'accountability_clue'"
            " and met_on is null", (row["id"],))
        assert cursor.fetchone()[0] == 60
        cursor.execute(
            "select array_agg(u.login) from dudao.notifications n"
            " join dudao.users u on u.id = n.recipient_user_id"
            " where n.subject_id = %s and n.kind = 'target_not_met'",
            (row["id"],))
        assert {"chief_inspector", "committee_director",
                "township_account"} <= set(cursor.fetchone()[0])


@pytest.mark.clause("C2.1.1.j", "C2.2.1.d")
def test_unreported_targets_are_verified_after_ten_working_days(api, db,
                                                                 server):
    staff = api.login("office_staff")
    row = issued(api, db)
    # the tenth working day is the unit's, the next the office's
    due = ledger.today(db)
    while workday(db, due, 10) >= ledger.today(db):
        due -= timedelta(days=1)
    year = (due + timedelta(days=1)).year
    with db.cursor() as cursor:
        cursor.execute(
            "select min(n) from generate_series(1, 999) as n where not exists"
            " (select from dudao.annual_targets where organization_id = %s"
            " and year = %s and seq = n)", (row["organization_id"], year))
        seq = cursor.fetchone()[0]
    move(server, "annual_targets", row["id"], due_on=due + timedelta(days=1),
         year=year, seq=seq)
    if workday(db, due + timedelta(days=1), 10) >= ledger.today(db):
        answer = staff.act("annual-targets", row, "verify-not-met",
                           {"reason": "未报告"}, status=422)
        assert {e["code"] for e in answer["errors"]} == {
            "report-still-possible"}
    move(server, "annual_targets", row["id"], due_on=due, year=due.year)
    assert staff.read("annual-targets", row["id"])["overdue"]
    assert row["id"] in {r["id"] for r in staff.list("annual-targets",
                                                     overdue="true")}
    with db.cursor() as cursor:
        cursor.execute("select app.tell_targets()")
        cursor.execute("select count(*) from dudao.notifications where"
                       " subject_id = %s and kind = 'target_to_verify'",
                       (row["id"],))
        assert cursor.fetchone()[0] > 0
    row = staff.act("annual-targets", row, "verify-not-met",
                    {"reason": "逾期未报告，查实未完成"})
    assert row["state"] == "verified_not_met"
