"""The problem ledger: 3.9, C2.3.2."""

import json
from datetime import timedelta

import psycopg2
import pytest

from support import ledger


def refusal(connection, statement, *values):
    """What the database refuses, as (status, detail)."""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as raised:
            cursor.execute(statement, values)
    error = raised.value
    assert error.pgcode.startswith("DD"), str(error)
    return int(error.pgcode[2:]), json.loads(error.diag.message_detail)


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


def names_the_rule(problem):
    return (problem.get("rule_id"), problem.get("clause_id")) == (
        "R-PRB-02", "C2.3.2.b")


# --- strike-off ---------------------------------------------------------------


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
def test_strike_off_by_the_unit_is_refused(api, db, as_login):
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem)
    answer = api.login("school_account").act(
        "problems", problem, "strike-off", {"comment": "已整改"}, status=403)
    assert answer["code"] == "role-not-permitted"
    assert names_the_rule(answer)

    status, detail = refusal(
        as_login("school_account"),
        "select * from app.act('problems', %s, 'strike_off')", problem["id"])
    assert status == 403 and names_the_rule(detail)
    status, detail = refusal(
        as_login("school_account"),
        "update dudao.problems set state = 'struck_off' where id = %s",
        problem["id"])
    assert status == 403 and names_the_rule(detail)


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
def test_strike_off_without_review_is_refused(api, db, as_login):
    problem = ledger.verifying(api, db)
    answer = api.login("office_staff").act(
        "problems", problem, "strike-off", {"comment": "同意"}, status=422)
    assert codes(answer) == {"verification-required"}
    assert names_the_rule(answer)

    for statement in (
            "select * from app.act('problems', %s, 'strike_off')",
            "update dudao.problems set state = 'struck_off' where id = %s"):
        status, detail = refusal(as_login("office_staff"), statement,
                                 problem["id"])
        assert status == 422 and names_the_rule(detail)
        assert codes(detail) == {"verification-required"}


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
@pytest.mark.parametrize("result", ["not_in_place", "late", "false_report"])
def test_strike_off_against_the_review_is_refused(api, db, result):
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem, result)
    answer = api.login("office_staff").act(
        "problems", problem, "strike-off", {"comment": "同意"}, status=422)
    assert codes(answer) == {"verification-not-in-place"}
    assert names_the_rule(answer)


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
def test_strike_off_by_the_reporter_is_refused(api, db, as_login):
    """The same person, in two posts: reports for the unit, strikes off."""
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem)
    connection = as_login("school_account")
    with connection.cursor() as cursor:
        cursor.execute("select set_config('dudao.roles',"
                       " '{school_account,office_staff}', false)")
    for statement in (
            "select * from app.act('problems', %s, 'strike_off')",
            "update dudao.problems set state = 'struck_off' where id = %s"):
        status, detail = refusal(connection, statement, problem["id"])
        assert status == 422 and names_the_rule(detail)
        assert detail["code"] == "separation-of-duties"


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
def test_strike_off_by_the_reporter_is_refused_over_http(api, db):
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem)
    with db.cursor() as cursor:
        # the account that reported moves to the office
        cursor.execute("select app.act_as('')")
        cursor.execute(
            "insert into dudao.rectification_reports(problem_id, round, seq,"
            " result, text, evidence, signed_by_head)"
            " select problem_id, round, seq + 1, result, text, evidence, true"
            " from dudao.rectification_reports where problem_id = %s"
            " order by seq desc limit 1 returning id", (problem["id"],))
        report = cursor.fetchone()[0]
        cursor.execute(
            "alter table dudao.rectification_reports disable trigger user")
        cursor.execute(
            "alter table dudao.problem_reviews disable trigger user")
        try:
            cursor.execute(
                "update dudao.rectification_reports set created_by ="
                " (select id from dudao.users where login = 'office_staff')"
                " where id = %s", (report,))
            cursor.execute("update dudao.problem_reviews set report_id = %s"
                           " where problem_id = %s", (report, problem["id"]))
        finally:
            cursor.execute(
                "alter table dudao.rectification_reports enable trigger user")
            cursor.execute(
                "alter table dudao.problem_reviews enable trigger user")
    answer = api.login("office_staff").act(
        "problems", problem, "strike-off", {"comment": "同意"}, status=422)
    assert answer["code"] == "separation-of-duties"
    assert names_the_rule(answer)


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
@pytest.mark.parametrize("state", [
    "listed", "assigned", "rectifying", "reported", "struck_off"])
def test_strike_off_from_a_wrong_state_is_refused(api, db, as_login, state):
    problem = getattr(ledger, state)(api, db)
    assert problem["state"] == state
    answer = api.login("chief_inspector").act(
        "problems", problem, "strike-off", {"comment": "同意"}, status=409)
    assert answer["code"] == "illegal-transition"
    assert answer["state"] == state and "allowed_actions" in answer
    assert names_the_rule(answer)

    status, detail = refusal(
        as_login("chief_inspector"),
        "select * from app.act('problems', %s, 'strike_off')", problem["id"])
    assert status == 409 and names_the_rule(detail)
    if state != "struck_off":
        # the owner of all tables, too
        status, detail = refusal(
            db, "update dudao.problems set state = 'struck_off'"
            " where id = %s", problem["id"])
        assert status == 409 and names_the_rule(detail)


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
@pytest.mark.parametrize("severity", ["major", "danger"])
def test_major_problems_are_struck_off_by_the_chief(api, db, severity):
    problem = ledger.verifying(api, db, severity)
    ledger.review(api, db, problem)
    answer = api.login("office_staff").act(
        "problems", problem, "strike-off", {"comment": "同意"}, status=422)
    assert codes(answer) == {"chief-inspector-required"}
    assert names_the_rule(answer)
    problem = api.login("chief_inspector").act(
        "problems", problem, "strike-off", {"comment": "同意"})
    assert problem["state"] == "struck_off"


@pytest.mark.clause("C2.3.2.b", "R-PRB-02")
def test_only_assigned_and_independent_inspectors_verify(api, db, as_login):
    problem = ledger.verifying(api, db)
    other = ledger.review(api, db, problem, login="inspector_ft", status=422)
    assert "reviewer-not-assigned" in codes(other) and names_the_rule(other)
    unit = ledger.review(api, db, problem, login="school_account", status=403)
    assert names_the_rule(unit)
    bare = ledger.review(api, db, problem, evidence=[], status=422)
    assert codes(bare) == {"evidence-required"}
    # past the functions: rows of the unit's own making do not count
    status, detail = refusal(
        as_login("school_account"),
        "insert into dudao.problem_reviews(problem_id, kind, reviewed_on,"
        " reviewer_inspector_ids, method, result) values"
        " (%s, 'verification', current_date, array[%s::uuid], 'onsite',"
        " 'in_place')", problem["id"], ledger.inspector_id(db))
    assert status == 422 and names_the_rule(detail)


@pytest.mark.clause("C2.3.2.b", "C2.3.2.d", "R-PRB-02")
def test_a_new_report_needs_a_new_verification(api, db):
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem, "not_in_place")
    api.login("office_staff").act("problems", problem, "reject",
                                  {"reason": "仍未登记"})
    api.login("school_account").act("problems", problem, "report", {
        "text": "已补登记", "evidence": [ledger.evidence(db)],
        "signed_by_head": True})
    api.login("office_staff").act("problems", problem, "verify", {
        "reviewer_inspector_ids": [ledger.inspector_id(db)]})
    answer = api.login("office_staff").act(
        "problems", problem, "strike-off", {"comment": "同意"}, status=422)
    assert codes(answer) == {"verification-required"}


@pytest.mark.clause("C2.3.2.b", "C2.3.2.g", "R-PRB-06")
def test_strike_off_starts_look_back_and_disclosure(api, db):
    problem = ledger.struck_off(api, db)
    day = ledger.today(db)
    assert problem["struck_off_on"] == str(day)
    assert problem["look_back_from"] == str(day + timedelta(days=90))
    assert problem["look_back_due_on"] == str(day + timedelta(days=180))
    with db.cursor() as cursor:
        cursor.execute(
            "select kind, due_on::text from dudao.deadlines"
            " where subject_id = %s and met_on is null", (problem["id"],))
        assert dict(cursor.fetchall()) == {
            "look_back": problem["look_back_due_on"],
            "disclosure": problem["disclosure_due_on"]}
        cursor.execute("select count(*) from dudao.exchange_messages"
                       " where subject_id = %s and type = 'X-07'",
                       (problem["id"],))
        assert cursor.fetchone()[0] == 1
    history = api.login("school_account").get(
        f"/v1/problems/{problem['id']}/transitions", status=200).json()
    assert [t["action"] for t in history["data"]] == [
        "list", "assign", "accept_plan", "report", "verify", "strike_off"]


# --- the other steps ----------------------------------------------------------


@pytest.mark.clause("C2.3.2.d", "C2.3.2.f", "R-LTR-01")
def test_rejection_starts_the_clock_of_the_letter(api, db):
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem, "false_report")
    problem = api.login("office_staff").act(
        "problems", problem, "reject", {"reason": "登记系补造"})
    assert problem["state"] == "rectifying"
    with db.cursor() as cursor:
        cursor.execute(
            "select kind, due_on = app.add_workdays(app.today(), 5)"
            " from dudao.deadlines where subject_id = %s"
            " and met_on is null order by kind", (problem["id"],))
        kinds = dict(cursor.fetchall())
    assert kinds.get("supervision_letter") is True
    assert "accountability_clue" in kinds


@pytest.mark.clause("C2.3.2.d", "C2.3.2.e", "R-PRB-04", "R-PRB-05")
def test_look_back_and_rebound(api, db):
    problem = ledger.struck_off(api, db)
    staff = api.login("office_staff")
    due_on = str(ledger.today(db) + timedelta(days=20))
    answer = staff.act("problems", problem, "rebound",
                       {"reason": "反弹", "due_on": due_on}, status=422)
    assert codes(answer) == {"look-back-required"}
    ledger.review(api, db, problem, "rebounded", "look_back")
    answer = api.login("zone_lead").act("problems", problem, "look-back-ok",
                                        {}, status=422)
    assert codes(answer) == {"look-back-not-in-place"}
    problem = staff.act("problems", problem, "rebound",
                        {"reason": "留样又不登记", "due_on": due_on})
    assert (problem["state"], problem["due_on"]) == ("rebounded", due_on)
    problem = staff.act("problems", problem, "assign", {
        "requirement": "每日由分管副校长核签", "due_on": due_on})
    assert (problem["state"], problem["round"]) == ("assigned", 2)


@pytest.mark.clause("C2.3.2.f", "R-PRB-01")
def test_extension_once_and_within_thirty_days(api, db):
    problem = ledger.rectifying(api, db)
    unit, chief = api.login("school_account"), api.login("chief_inspector")

    def ask(days, status):
        day = str(ledger.today(db) + timedelta(days=30 + days))
        return unit.act("problems", problem, "request-extension", {
            "reason": "设备未到", "due_on": day}, status=status)

    assert codes(ask(31, 422)) == {"extension-out-of-range"}
    assert codes(ask(0, 422)) == {"extension-out-of-range"}
    answer = chief.act("problems", problem, "approve-extension", {},
                       status=422)
    assert codes(answer) == {"extension-not-requested"}
    assert ask(30, 200)["extension_request"]["reason"] == "设备未到"
    assert "extension-pending" in codes(ask(20, 422))
    answer = chief.act("problems", problem, "approve-extension", {})
    assert answer["extended_due_on"] == answer["effective_due_on"] == str(
        ledger.today(db) + timedelta(days=60))
    assert answer["extension_request"] is None
    assert "extension-used" in codes(ask(20, 422))


@pytest.mark.clause("C2.3.2.g", "R-PRB-03")
def test_report_needs_evidence_and_signature(api, db):
    problem = ledger.rectifying(api, db)
    unit = api.login("school_account")
    answer = unit.act("problems", problem, "report", {
        "text": "已完成", "evidence": [ledger.evidence(db)],
        "signed_by_head": False}, status=422)
    assert codes(answer) == {"head-signature-required"}
    answer = unit.act("problems", problem, "report", {
        "text": "已完成", "evidence": ["00000000-0000-7000-8000-000000000000"],
        "signed_by_head": True}, status=422)
    assert [(e["code"], e["pointer"]) for e in answer["errors"]] == [
        ("unknown-reference", "/evidence/0")]
    answer = unit.act("problems", problem, "report-phase", {
        "result": "phased", "text": "冰箱已下单"})
    assert answer["state"] == "rectifying"


@pytest.mark.clause("C2.3.2.c", "R-PRB-01")
def test_void_is_for_errors_of_registration(api, db):
    problem = ledger.listed(api, db)
    chief = api.login("chief_inspector")
    answer = api.login("office_staff").act(
        "problems", problem, "void", {"reason": "重复登记"}, status=403)
    assert answer["rule_id"] == "R-PRB-01"
    problem = chief.act("problems", problem, "void", {"reason": "重复登记"})
    assert (problem["state"], problem["void_reason"]) == ("voided",
                                                          "重复登记")
    chief.act("problems", problem, "list", {}, status=409)
    other = ledger.rectifying(api, db)
    chief.act("problems", other, "void", {"reason": "难以整改"}, status=409)


@pytest.mark.clause("C2.3.2.a")
def test_registration_names_every_fault(api, db):
    staff = api.login("office_staff")
    answer = staff.post("/v1/problems", status=422, json={
        "organization_id": "00000000-0000-7000-8000-000000000000",
        "category": "P07", "severity": "minor", "title": "留样",
        "description": "联系人电话13800138000",
        "due_on": "2024-01-01"}).json()
    assert {(e["pointer"], e["code"]) for e in answer["errors"]} >= {
        ("/organization_id", "unknown-reference"),
        ("/visit_id", "one-source-required"),
        ("/description", "personal-data"),
        ("/due_on", "date-in-past")}


@pytest.mark.clause("C2.3.2.a")
def test_an_edit_is_checked_as_the_registration_was(api, db, as_login):
    """Over HTTP and at psql: what is only looked at where it changed."""
    problem = ledger.listed(api, db)
    texts = {"description": "联系人电话13800138000", "title": "问13800138000"}
    found = {("/description", "personal-data"), ("/title", "personal-data")}
    answer = api.login("office_staff").patch(
        f"/v1/problems/{problem['id']}", status=422, if_match=problem,
        json=texts).json()
    assert {(e["pointer"], e["code"]) for e in answer["errors"]} == found
    # the unit is no member of the request
    _, detail = refusal(
        as_login("office_staff"),
        "update dudao.problems set description = %s, title = %s,"
        " organization_id = %s where id = %s", *texts.values(),
        ledger.organization_id(db, "伍市镇示例中心小学"), problem["id"])
    assert {(e["pointer"], e["code"]) for e in detail["errors"]} == {
        *found, ("/organization_id", "not-the-visited-unit")}


# --- lists --------------------------------------------------------------------


@pytest.mark.clause("C2.3.2.a")
def test_lists_filter_sort_and_expand(api, db):
    staff = api.login("office_staff")
    rows = staff.list("problems", q="留样", severity="moderate",
                      sort="-due_on,code")
    assert rows
    assert all("留样" in r["title"] + r["description"] for r in rows)
    days = [r["due_on"] or "9999" for r in rows]
    assert days == sorted(days, reverse=True)
    rows = staff.list("problems", state=["struck_off", "rebounded"],
                      expand=["organization", "visit", "reports", "reviews"])
    assert {r["state"] for r in rows} <= {"struck_off", "rebounded"}
    for row in rows:
        assert row["organization"]["id"] == row["organization_id"]
        assert row["reports"] and row["reviews"]
    page = staff.get("/v1/problems", status=200, params={
        "count": "exact", "limit": 1, "category": "P06"}).json()
    assert page["page"]["total"] >= 1


@pytest.mark.clause("C2.3.2.c", "R-PRB-01")
def test_overdue_is_derived_for_a_day(api):
    staff = api.login("office_staff")
    late = staff.list("problems", overdue="true")
    assert late and all(r["overdue"] for r in late)
    assert "WT-2024-000003" in {r["code"] for r in late}
    before = staff.list("problems", overdue="true", as_of="2020-01-01")
    assert before == []
    one = staff.read("problems", late[0]["id"])
    assert one["overdue"] is True
    one = staff.get(f"/v1/problems/{late[0]['id']}", status=200,
                    params={"as_of": "2020-01-01"}).json()
    assert one["overdue"] is False


@pytest.mark.clause("C2.3.2.a")
def test_a_unit_sees_its_own_ledger(api, db):
    ledger.listed(api, db)
    mine = api.login("school_account").list("problems")
    assert mine
    assert {r["organization_id"] for r in mine} == {
        ledger.organization_id(db)}
    assert "draft" not in {r["state"] for r in mine}
