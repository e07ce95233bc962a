"""Visits: 3.4, C2.2.2.b, L-TL-14, L-TL-15, L-GP-04."""

import pytest

from support import ledger


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


@pytest.mark.clause("C2.2.2.b")
def test_an_upload_may_come_twice(api, db):
    inspector = api.login("inspector_ft")
    body = ledger.visit_body(db, no_problem_found=True, items=[
        {"area": f"A{n}", "conclusion": "normal"} for n in range(1, 9)])
    first = inspector.create("visits", body)
    assert first["id"] == body["client_uid"]
    assert [i["area"] for i in first["items"]] == [
        f"A{n}" for n in range(1, 9)]
    again = inspector.create("visits", body, status=200)
    assert again == first
    inspector.create("visits", {**body, "summary": "别的内容"}, status=409)


@pytest.mark.clause("C2.2.2.b", "R-VIS-01")
def test_submit_names_all_that_is_missing(api, db):
    inspector = api.login("inspector_ft")
    body = ledger.visit_body(db, kind="regular", items=[
        {"area": "A1"}, {"area": "A2", "conclusion": "problem"}])
    for member in ("arrived_at", "left_at", "summary"):
        del body[member]
    body["methods"] = []
    visit = inspector.create("visits", body)
    answer = inspector.act("visits", visit, "submit", {}, status=422)
    assert {e.get("pointer") for e in answer["errors"]} >= {
        "/arrived_at", "/left_at", "/methods", "/summary",
        "/items/0/conclusion", "/items/1/problem", "/no_problem_found"}


@pytest.mark.clause("L-GP-03")
def test_problems_or_none(api, db):
    inspector = api.login("inspector_ft")
    visit = inspector.create("visits", ledger.visit_body(db))
    answer = inspector.act("visits", visit, "submit", {}, status=422)
    assert codes(answer) == {"no-problem-not-declared"}
    visit = inspector.create("visits", ledger.visit_body(
        db, no_problem_found=True, items=[
            {"area": "A7", "conclusion": "problem",
             "problem": ledger.problem_input()}]))
    answer = inspector.act("visits", visit, "submit", {}, status=422)
    assert codes(answer) == {"problem-found"}


@pytest.mark.clause("L-TL-15", "L-GP-05", "R-VIS-05")
def test_danger_is_assigned_at_once(api, db):
    inspector = api.login("inspector_ft")
    visit = inspector.create("visits", ledger.visit_body(db, items=[
        {"area": "A6", "conclusion": "problem",
         "problem": ledger.problem_input("danger")}]))
    inspector.act("visits", visit, "submit", {})
    problem = api.login("school_account").read(
        "problems", visit["items"][0]["problem_id"])
    assert problem["state"] == "assigned"
    assert problem["assigned_on"] == str(ledger.today(db))
    with db.cursor() as cursor:
        cursor.execute(
            "select array_agg(distinct u.login) from dudao.notifications n"
            " join dudao.users u on u.id = n.recipient_user_id"
            " where n.subject_id = %s and n.kind = 'danger_found'",
            (problem["id"],))
        assert {"school_account", "chief_inspector"} <= set(
            cursor.fetchone()[0])


@pytest.mark.clause("C2.2.2.b", "R-VIS-01")
def test_confirm_review_and_return(api, db):
    inspector = api.login("inspector_ft")
    visit = inspector.create("visits", ledger.visit_body(
        db, no_problem_found=True))
    visit = inspector.act("visits", visit, "submit", {})
    inspector.act("visits", visit, "review", {}, status=403)
    assert visit["state"] == "submitted" and not visit["is_late"]
    visit = api.login("school_account").act(
        "visits", visit, "confirm", {"remark": "情况属实"})
    visit = api.login("office_staff").act(
        "visits", visit, "return", {"reason": "缺少听课记录"})
    assert (visit["state"], visit["is_counted"]) == ("returned", False)
    visit = inspector.change("visits", visit, {
        "methods": ["document", "class_observation"]})
    inspector.act("visits", visit, "submit", {})
    visit = api.login("office_staff").act("visits", visit, "review", {})
    assert visit["state"] == "reviewed"
    visit = inspector.read("visits", visit["id"])
    answer = inspector.change("visits", visit, {"summary": "改"}, status=409)
    assert answer["code"] == "not-editable"


@pytest.mark.clause("L-TL-10", "R-INS-09")
def test_no_visit_to_the_own_unit(api, db):
    """The inspector's own unit, and units with a granted recusal."""
    inspector = api.login("inspector_ft")
    visit = inspector.create("visits", ledger.visit_body(
        db, no_problem_found=True))
    own = ledger.inspector_id(db, "演示督学02")
    zone = api.login("office_staff").read(
        "schools", visit["school_id"])["zone_id"]
    with db.cursor() as cursor:
        cursor.execute("alter table dudao.recusals disable trigger user")
        try:
            cursor.execute(
                "insert into dudao.recusals(inspector_id, organization_id,"
                " reason, decision, state) values"
                " (%s, %s, 'interest', 'granted', 'granted') returning id",
                (own, ledger.organization_id(db)))
            recusal = cursor.fetchone()[0]
            # a granted recusal hides the unit; the visit stays its author's,
            # in its zone
            assert visit["id"] in {row["id"] for row in inspector.list(
                "visits", zone_id=zone)}
            answer = inspector.act("visits", visit, "submit", {}, status=422)
            assert answer["code"] == "recusal-required"
            assert answer["rule_id"] == "R-INS-09"
        finally:
            cursor.execute("delete from dudao.recusals where id = %s",
                           (recusal,))
            cursor.execute("alter table dudao.recusals enable trigger user")


def test_lists(api, db):
    staff = api.login("office_staff")
    rows = staff.list("visits", kind="regular", sort="visited_on")
    days = [r["visited_on"] for r in rows]
    assert rows and days == sorted(days)
    rows = staff.list("visits", q="留样", expand=["organization", "problems"])
    assert rows and all("留样" in (r["summary"] or "") for r in rows)
    api.login("township_account").list("visits", state="draft")


@pytest.mark.clause("R-VIS-01")
def test_two_visits_of_a_day_count_once(api, db):
    inspector = api.login("inspector_ft")
    counted = []
    for _ in range(2):
        visit = inspector.create("visits", ledger.visit_body(
            db, kind="follow_up", no_problem_found=True))
        inspector.act("visits", visit, "submit", {})
        counted.append(inspector.read("visits", visit["id"])["is_counted"])
    assert counted == [True, False]
    # the same for a township, which sees the second alone: only it is reviewed
    office = api.login("office_staff")
    office.act("visits", office.read("visits", visit["id"]), "review", {})
    assert api.login("township_account").read(
        "visits", visit["id"])["is_counted"] is False
