"""The budget, what inspectors claim from it, and the offices: 2.10, 3.18,
3.24, C3.1."""

import json
import threading
from datetime import timedelta

import psycopg2
import pytest

from support.client import unique
from support.sql import codes, faults, refusal, rows, rules, value


def today(db):
    return value(db, "select app.today()")


# --- budgets --------------------------------------------------------------------


def free_year(db):
    return value(db, "select max(y) from generate_series(2040, 2100) as y"
                     " where y not in (select year from dudao.budgets)")


def drafted(api, db, **members):
    return api.login("finance_officer").create("budgets", {
        "year": free_year(db), "requested_fen": 1000000, "lines": [
            {"category": "inspector_activity", "amount_fen": 600000},
            {"category": "training", "amount_fen": 400000}], **members})


def submitted_budget(api, db, **members):
    return api.login("finance_officer").act(
        "budgets", drafted(api, db, **members), "submit", {})


def approval(db, **members):
    return {"approved_fen": 1000000, "approved_doc_no": unique("平财教"),
            "approved_on": str(today(db)), **members}


def approved_budget(api, db, **members):
    return api.login("committee_deputy").act(
        "budgets", submitted_budget(api, db, **members), "approve",
        approval(db))


@pytest.mark.clause("C3.1.a", "R-FIN-01", "L-TL-5")
def test_a_budget_is_requested_and_approved(api, db):
    finance = api.login("finance_officer")
    budget = drafted(api, db)
    assert budget["state"] == "draft" and budget["lines_fen"] == 1000000
    assert {line["category"] for line in budget["lines"]} == {
        "inspector_activity", "training"}
    again = finance.create("budgets", {
        "year": budget["year"], "requested_fen": 1,
        "lines": [{"category": "other", "amount_fen": 1}]}, status=409)
    assert ("/year", "duplicate") in faults(again)
    finance.act("budgets", budget, "submit", {})
    # who submits does not record the approval
    own = finance.act("budgets", budget, "approve", approval(db), status=422)
    assert own["code"] == "separation-of-duties"
    assert (own["rule_id"], own["clause_id"]) == ("R-FIN-01", "C3.1.a")
    late = str(today(db) + timedelta(days=1))
    deputy = api.login("committee_deputy")
    assert ("/approved_on", "date-in-future") in faults(deputy.act(
        "budgets", budget, "approve", approval(db, approved_on=late),
        status=422))
    budget = deputy.act("budgets", budget, "approve", approval(db))
    assert budget["state"] == "approved"
    assert budget["approved_fen"] == 1000000
    # the public knows the total, and not the lines
    public = api.get("/v1/public/budgets", status=200,
                     params={"year": budget["year"]}).json()["data"]
    assert [b["approved_doc_no"] for b in public] == [
        budget["approved_doc_no"]]
    assert "lines" not in public[0]
    assert [t["action"] for t in finance.get(
        f"/v1/budgets/{budget['id']}/transitions",
        status=200).json()["data"]] == ["submit", "approve"]


@pytest.mark.clause("C3.1.a", "R-FIN-01")
def test_the_demo_county_has_an_approved_budget_of_this_year(api, db):
    year = today(db).year
    budget = api.login("leader_reader").one("budgets", year=year)
    assert budget["state"] in ("approved", "adjusted")
    assert budget["funding_source"] == "fiscal" and budget["approved_doc_no"]
    assert len({line["category"] for line in budget["lines"]}) == 8


@pytest.mark.clause("C3.1.a", "C3.1.b", "R-FIN-02")
def test_lines_never_exceed_the_budget(api, db):
    finance = api.login("finance_officer")
    year, before = free_year(db), value(
        db, "select count(*) from dudao.budget_lines")
    refused = finance.create("budgets", {
        "year": year, "requested_fen": 1000, "lines": [
            {"category": "training", "amount_fen": 600},
            {"category": "other", "amount_fen": 600}]}, status=422)
    assert faults(refused) == {("/lines", "lines-exceed-budget")}
    assert rules(refused) == {("R-FIN-02", "C3.1.b")}
    # nothing of it is there
    assert value(db, "select count(*) from dudao.budget_lines") == before
    assert not finance.list("budgets", year=year)
    budget = drafted(api, db)
    line = budget["lines"][0]
    assert codes(finance.change("budget-lines", line, {
        "amount_fen": line["amount_fen"] + 1}, status=422)) == {
            "lines-exceed-budget"}
    assert codes(finance.change("budgets", budget, {
        "requested_fen": 999999}, status=422)) == {"lines-exceed-budget"}
    # the list is replaced as a whole, smaller with a smaller request
    budget = finance.change("budgets", budget, {
        "requested_fen": 500000,
        "lines": [{"category": "training", "amount_fen": 450000}]})
    assert [(line["category"], line["amount_fen"]) for line in
            budget["lines"]] == [("training", 450000)]
    finance.act("budgets", budget, "submit", {})
    # approved with less: the lines are cut in the same step
    less = approval(db, approved_fen=400000)
    deputy = api.login("committee_deputy")
    assert codes(deputy.act("budgets", budget, "approve", less, status=422)
                 ) == {"lines-exceed-budget"}
    budget = deputy.act("budgets", budget, "approve", {**less, "lines": [
        {"category": "training", "amount_fen": 400000}]})
    assert budget["lines_fen"] == budget["approved_fen"] == 400000


@pytest.mark.clause("C3.1.b", "R-FIN-02")
def test_no_transfer_without_approval(api, db, as_login):
    finance = api.login("finance_officer")
    budget = approved_budget(api, db)
    activity, training = sorted(budget["lines"], key=lambda x: x["category"])
    frozen = finance.change("budget-lines", activity,
                            {"amount_fen": 500000}, status=422)
    assert faults(frozen) == {("/amount_fen", "line-frozen")}
    assert rules(frozen) == {("R-FIN-02", "C3.1.b")}
    finance.change("budgets", budget, {"note": "改"}, status=409)
    # nor in SQL: by amount, by a new line, by removal, by a false balance
    sql = as_login("finance_officer")
    for statement in (
            "update dudao.budget_lines set amount_fen = 1 where id = %s",
            "insert into dudao.budget_lines(budget_id, category, amount_fen)"
            " select budget_id, 'award', 0 from dudao.budget_lines"
            " where id = %s"):
        status, detail = refusal(sql, statement, activity["id"])
        assert status == 422 and codes(detail) == {"line-frozen"}
    assert refusal(sql, "delete from dudao.budget_lines where id = %s",
                   activity["id"])[0] == 409
    assert codes(refusal(sql, "update dudao.budget_lines set paid_fen = 5"
                              " where id = %s", activity["id"])[1]) == {
                                  "not-editable"}
    # the deputy director's adjustment, with a reason
    lines = [{"id": activity["id"], "amount_fen": 500000},
             {"id": training["id"], "amount_fen": 500000}]
    transfer = {"reason": "培训增加一期", "lines": lines}
    for login in ("finance_officer", "chief_inspector"):
        assert api.login(login).act("budgets", budget, "adjust", transfer,
                                    status=403)["code"] == "role-not-permitted"
    deputy = api.login("committee_deputy")
    deputy.act("budgets", budget, "adjust", {"lines": lines}, status=422)
    assert codes(deputy.act("budgets", budget, "adjust", {
        **transfer, "lines": lines[1:]}, status=422)) == {
            "lines-exceed-budget"}
    assert codes(deputy.act("budgets", budget, "adjust", {
        **transfer, "approved_fen": 2000000}, status=422)) == {
            "approval-document-required"}
    budget = deputy.act("budgets", budget, "adjust", transfer)
    assert budget["state"] == "adjusted"
    assert {line["amount_fen"] for line in budget["lines"]} == {500000}
    # once more, with another category
    budget = deputy.act("budgets", budget, "adjust", {
        "reason": "增列奖励", "lines": [
            {"category": "training", "amount_fen": 400000},
            {"category": "award", "amount_fen": 100000}]})
    assert budget["lines_fen"] == 1000000 and len(budget["lines"]) == 3
    assert finance.act("budgets", budget, "close", {})["state"] == "closed"


# --- claims ---------------------------------------------------------------------


def visit_of(db, login="inspector_ft", **columns):
    """(id, day) of the newest official visit of this account's inspector."""
    return rows(db, """
        select v.id::text, v.visited_on from dudao.visits v
        join dudao.inspectors i on i.id = v.inspector_id
        join dudao.users u on u.person_id = i.person_id
        where u.login = %s and v.state in
            ('submitted', 'school_confirmed', 'reviewed')
        order by v.visited_on desc limit 1""", login)[0]


def item(day, amount=1000, **members):
    return {"category": "transport", "occurred_on": str(day),
            "amount_fen": amount, "invoice_no": unique("FP"), **members}


def claim(api, db, login="inspector_ft", items=None, amount=1000,
          status=201, **members):
    visit, day = visit_of(db, login)
    return api.login(login).create("expense-claims", {
        "activity_type": "visits", "activity_id": visit,
        "items": items or [item(day, amount)], **members}, status=status)


def submitted(api, db, login="inspector_ft", **options):
    return api.login(login).act(
        "expense-claims", claim(api, db, login, **options), "submit", {})


def main_line(db, category="inspector_activity", year=None):
    return str(value(db, """
        select l.id from dudao.budget_lines l
        join dudao.budgets b on b.id = l.budget_id
        where b.year = %s and l.category = %s and l.name = ''""",
        year or visit_of(db)[1].year, category))


def own_line(api, db, amount):
    """A line of this year's budget for one test, taken from another line."""
    year, name = visit_of(db)[1].year, unique("专项")
    deputy = api.login("committee_deputy")
    budget = deputy.one("budgets", year=year)
    other = next(line for line in budget["lines"]
                 if line["category"] == "other")
    budget = deputy.act("budgets", budget, "adjust", {
        "reason": "设专项", "lines": [
            {"id": other["id"], "amount_fen": other["amount_fen"] - amount},
            {"category": "inspector_activity", "name": name,
             "amount_fen": amount}]})
    return next(line for line in budget["lines"] if line["name"] == name)


def check(api, row, line, status=200):
    return api.login("finance_officer").act(
        "expense-claims", row, "check", {"budget_line_id": line},
        status=status)


def checked(api, db, line=None, **options):
    return check(api, submitted(api, db, **options), line or main_line(db))


def approved(api, db, login="chief_inspector", **options):
    return api.login(login).act(
        "expense-claims", checked(api, db, **options), "approve", {})


def payment(db, **members):
    return {"voucher_no": unique("记字"), "paid_on": str(today(db)),
            **members}


def line_of(api, id):
    return api.login("finance_officer").read("budget-lines", id)


@pytest.mark.clause("C3.1.b", "C3.1.d", "R-FIN-02", "R-FIN-04", "3.18")
def test_a_claim_from_draft_to_payment(api, db):
    line = own_line(api, db, 50000)["id"]
    day = visit_of(db)[1]
    row = claim(api, db, items=[
        item(day, 7000), {"category": "meals", "occurred_on": str(day),
                          "amount_fen": 8000}])
    assert row["state"] == "draft" and row["total_fen"] == 15000
    assert row["category"] == "inspector_activity"
    assert row["activity_on"] == str(day)
    inspector = api.login("inspector_ft")
    row = inspector.change("expense-claims", row,
                           {"items": [item(day, 6000), item(day, 500)]})
    assert row["total_fen"] == 6500 and len(row["items"]) == 2
    inspector.act("expense-claims", row, "submit", {})
    finance = api.login("finance_officer")
    row = check(api, row, line)
    assert line_of(api, line)["reserved_fen"] == 6500
    assert line_of(api, line)["available_fen"] == 43500
    # returned: released; corrected, it comes again
    row = finance.act("expense-claims", row, "return", {"reason": "补发票"})
    assert line_of(api, line)["reserved_fen"] == 0
    assert row["reject_reason"] == "补发票" and row["checked_by"] is None
    inspector.change("expense-claims", row, {"note": "已补"})
    inspector.act("expense-claims", row, "submit", {})
    check(api, row, line)
    chief = api.login("chief_inspector")
    row = chief.act("expense-claims", row, "approve", {"comment": "同意"})
    # thirty days to pay
    assert row["pay_due_on"] == str(today(db) + timedelta(days=30))
    assert value(db, "select due_on from dudao.deadlines where subject_id = %s"
                     " and kind = 'pay' and met_on is null",
                 row["id"]) == today(db) + timedelta(days=30)
    assert faults(finance.act("expense-claims", row, "pay", payment(
        db, paid_on=str(today(db) + timedelta(days=1))), status=422)) == {
            ("/paid_on", "date-in-future")}
    assert codes(finance.act("expense-claims", row, "pay", payment(
        db, paid_on=str(today(db) - timedelta(days=1))), status=422)) == {
            "date-before-start"}
    how = payment(db)
    row = finance.act("expense-claims", row, "pay", how)
    assert row["state"] == "paid" and row["voucher_no"] == how["voucher_no"]
    spent = line_of(api, line)
    assert (spent["reserved_fen"], spent["paid_fen"], spent["used_fen"]) == (
        0, 6500, 6500)
    assert value(db, "select met_on from dudao.deadlines where subject_id = %s"
                     " and kind = 'pay'", row["id"]) == today(db)
    # a voucher pays once
    other = approved(api, db, line=line)
    twice = finance.act("expense-claims", other, "pay",
                        payment(db, voucher_no=how["voucher_no"]), status=409)
    assert faults(twice) == {("/voucher_no", "duplicate-number")}
    # and the line may not be cut below what is promised and paid
    deputy = api.login("committee_deputy")
    budget = deputy.read("budgets", spent["budget_id"])
    assert codes(deputy.act("budgets", budget, "adjust", {
        "reason": "压减", "lines": [{"id": line, "amount_fen": 7000}]},
        status=422)) == {"line-overdrawn"}


@pytest.mark.clause("C3.1.b", "R-FIN-02")
def test_money_is_spent_for_what_it_is_meant(api, db):
    row = submitted(api, db)
    year = visit_of(db)[1].year
    refused = check(api, row, main_line(db, "training"), status=422)
    assert ("/budget_line_id", "line-of-another-category") in faults(refused)
    assert ("R-FIN-02", "C3.1.b") in rules(refused)
    refused = check(api, row, main_line(db, year=year - 1), status=422)
    assert "line-of-another-year" in codes(refused)
    draft = drafted(api, db)
    refused = check(api, row, draft["lines"][0]["id"], status=422)
    assert {"line-of-another-year", "budget-not-approved"} <= codes(refused)
    # a locked line pays nothing
    line = own_line(api, db, 5000)
    finance = api.login("finance_officer")
    line = finance.change("budget-lines", line, {"locked": True})
    assert codes(check(api, row, line["id"], status=422)) == {"line-locked"}
    finance.change("budget-lines", line_of(api, line["id"]),
                   {"locked": False})
    assert check(api, row, line["id"])["budget_line_id"] == line["id"]
    # a step in SQL meets the same rules
    assert value(db, "select state from dudao.expense_claims where id = %s",
                 row["id"]) == "checked"


@pytest.mark.clause("C3.1.b", "R-FIN-02")
def test_two_checks_at_one_moment_do_not_overdraw(api, db, as_login):
    line = own_line(api, db, 5000)["id"]
    # over HTTP: of four claims of 2000 only two fit
    claims = [submitted(api, db, amount=2000) for _ in range(4)]
    answers, start = [], threading.Barrier(4)

    def send(row):
        client = api.login("finance_officer")
        start.wait()
        answers.append(client.post(
            f"/v1/expense-claims/{row['id']}/check",
            json={"budget_line_id": line}, validate=False))

    threads = [threading.Thread(target=send, args=(row,)) for row in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [200, 200, 422, 422], [
        a.text[:300] for a in answers]
    assert all(codes(a.json()) == {"line-overdrawn"} for a in answers
               if a.status_code == 422)
    assert line_of(api, line)["reserved_fen"] == 4000

    # in SQL: the second waits for the first, and sees what it reserved
    line = own_line(api, db, 3000)["id"]
    first, second = (submitted(api, db, amount=2000)["id"] for _ in "ab")
    one, two = as_login("finance_officer"), as_login("finance_officer")
    body = json.dumps({"budget_line_id": line})
    rows(one, "begin")
    rows(one, "select app.act('expense_claims', %s, 'check', null, %s)",
         first, body)
    seen = []
    waiting = threading.Thread(target=lambda: seen.append(refusal(
        two, "select app.act('expense_claims', %s, 'check', null, %s)",
        second, body)))
    waiting.start()
    waiting.join(1)
    assert waiting.is_alive() and not seen
    rows(one, "commit")
    waiting.join(20)
    assert seen and seen[0][0] == 422
    assert codes(seen[0][1]) == {"line-overdrawn"}
    assert line_of(api, line)["reserved_fen"] == 2000


@pytest.mark.clause("C3.1.b", "3.18")
def test_what_is_submitted_is_not_edited(api, db, as_login):
    inspector = api.login("inspector_ft")
    row = submitted(api, db)
    inspector.change("expense-claims", row, {"note": "改"}, status=409)
    row = check(api, row, main_line(db))
    inspector.change("expense-claims", row, {"note": "改"}, status=409)
    sql = as_login("inspector_ft")
    for statement in (
            "update dudao.expense_items set amount_fen = 1"
            " where claim_id = %s",
            "delete from dudao.expense_items where claim_id = %s",
            "update dudao.expense_claims set note = '改' where id = %s",
            "update dudao.expense_claims set total_fen = 1 where id = %s",
            "update dudao.expense_claims set voucher_no = '1' where id = %s"):
        assert refusal(sql, statement, row["id"])[0] in (409, 422), statement
    assert value(db, "select total_fen from dudao.expense_claims"
                     " where id = %s", row["id"]) == row["total_fen"]
    # what the inspector may not say
    visit, day = visit_of(db)
    for member, wrong in (("total_fen", 1), ("code", "X"), ("state", "paid")):
        inspector.create("expense-claims", {
            "activity_type": "visits", "activity_id": visit,
            "items": [item(day)], member: wrong}, status=422)


@pytest.mark.clause("C3.1.b", "3.18", "R-FIN-02")
def test_four_eyes(api, db, as_login):
    row = checked(api, db)
    # the accountant checks and pays, but does not approve
    assert api.login("finance_officer").act(
        "expense-claims", row, "approve", {}, status=403)["code"] == \
        "role-not-permitted"
    # whoever checked it does not approve it, in whatever role
    rows(db, "select app.grant_role(u.id, 'finance_officer', 'test')"
             " from dudao.users u where u.login = 'committee_deputy'")
    try:
        sql = as_login("committee_deputy")
        mine = submitted(api, db)
        rows(sql, "select app.act('expense_claims', %s, 'check', null, %s)",
             mine["id"], json.dumps({"budget_line_id": main_line(db)}))
        status, detail = refusal(
            sql, "select app.act('expense_claims', %s, 'approve')",
            mine["id"])
        assert (status, detail["code"]) == (422, "separation-of-duties")
        # and whoever approved it does not pay it
        rows(sql, "select app.act('expense_claims', %s, 'approve')",
             row["id"])
        status, detail = refusal(
            sql, "select app.act('expense_claims', %s, 'pay', null, %s)",
            row["id"], json.dumps(payment(db)))
        assert (status, detail["code"]) == (422, "separation-of-duties")
    finally:
        rows(db, "select app.end_grants(u.id, 'finance_officer', 'test')"
                 " from dudao.users u where u.login = 'committee_deputy'")
    # much money goes to the deputy director
    limit = value(db, "select app.parameter_int('claim_dep_threshold_fen')")
    much = checked(api, db, amount=limit + 1, items=[item(
        visit_of(db)[1], limit + 1, category="lodging")])
    refused = api.login("chief_inspector").act(
        "expense-claims", much, "approve", {}, status=422)
    assert codes(refused) == {"needs-deputy-director"}
    assert api.login("committee_deputy").act(
        "expense-claims", much, "approve", {})["state"] == "approved"


@pytest.mark.clause("3.18", "C3.1.b")
def test_the_chief_inspectors_own_claim(api, db, server):
    """It goes to the deputy director."""
    superuser = server.connect("postgres")
    visit, day = visit_of(db)
    rows(superuser, "set session_replication_role = replica")
    rows(superuser, """
        update dudao.visits set companion_ids = companion_ids || array(
            select i.id from dudao.inspectors i
            join dudao.users u on u.person_id = i.person_id
            where u.login = 'chief_inspector') where id = %s""", visit)
    superuser.close()
    chief = api.login("chief_inspector")
    row = chief.create("expense-claims", {
        "activity_type": "visits", "activity_id": visit,
        "items": [item(day)]})
    chief.act("expense-claims", row, "submit", {})
    check(api, row, main_line(db))
    own = chief.act("expense-claims", row, "approve", {}, status=422)
    assert own["code"] == "separation-of-duties"
    assert "needs-deputy-director" in codes(own)
    assert api.login("committee_deputy").act(
        "expense-claims", row, "approve", {})["state"] == "approved"


@pytest.mark.clause("C3.1.c", "R-FIN-03")
def test_the_standards_of_the_funds_rule(api, db):
    day = visit_of(db)[1]
    rule = api.login("inspector_ft").one("policy-documents",
                                         kind="funds_rule", state="in_force")
    standards = {s["category"]: s["limit_fen"]
                 for s in rule["expense_standards"]}
    limit = standards["transport"]
    row = claim(api, db, items=[
        item(day, limit + 1), item(day, limit), item(day, 2 * limit,
                                                     quantity=2)])
    assert [(i["standard_limit_fen"], i["is_over_limit"])
            for i in row["items"]] == [
                (limit, True), (limit, False), (2 * limit, False)]
    inspector = api.login("inspector_ft")
    refused = inspector.act("expense-claims", row, "submit", {}, status=422)
    assert faults(refused) == {
        ("/items/0/over_limit_reason", "over-limit-reason-missing")}
    assert rules(refused) == {("R-FIN-03", "C3.1.c")}
    # the limit is the rule's, not the client's, also in SQL
    rows(db, "update dudao.expense_items set standard_limit_fen = 1e9"
             " where claim_id = %s", row["id"])
    assert value(db, "select max(standard_limit_fen) from dudao.expense_items"
                     " where claim_id = %s", row["id"]) == 2 * limit
    row = inspector.change("expense-claims", inspector.read(
        "expense-claims", row["id"]), {"items": [item(
            day, limit + 1, over_limit_reason="山区无公交，租车往返")]})
    assert inspector.act("expense-claims", row, "submit",
                         {})["state"] == "submitted"
    assert row["id"] in {i["claim_id"] for i in api.login("auditor").list(
        "expense-items", over_limit="true")}


@pytest.mark.clause("C3.1.c", "R-FIN-03")
def test_no_claims_without_a_funds_rule(api, db, server):
    """Within a transaction that leaves no trace."""
    row = claim(api, db)
    superuser = server.connect("postgres")
    try:
        rows(superuser, "begin")
        rows(superuser, "set local session_replication_role = replica")
        rows(superuser, "update dudao.policy_documents set state = 'repealed'"
                        " where kind = 'funds_rule'")
        rows(superuser, "set local session_replication_role = origin")
        rows(superuser, "set local search_path = dudao, app, ext")
        rows(superuser, "select app.act_as('inspector_ft', true)")
        status, detail = refusal(
            superuser, "select app.act('expense_claims', %s, 'submit')",
            row["id"])
        assert status == 422 and codes(detail) == {"funds-rule-missing"}
        assert rules(detail) == {("R-FIN-03", "C3.1.c")}
    finally:
        rows(superuser, "rollback")
        superuser.close()


@pytest.mark.clause("C3.1.d", "R-FIN-04")
def test_every_expense_belongs_to_an_official_activity(api, db, as_login):
    inspector = api.login("inspector_ft")
    visit, day = visit_of(db)

    def refused(status=422, **members):
        return inspector.create("expense-claims", {
            "activity_type": "visits", "activity_id": visit,
            "items": [item(day)], **members}, status=status)

    none = refused(activity_id="0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e")
    assert faults(none) == {("/activity_id", "unknown-reference")}
    assert rules(none) == {("R-FIN-04", "C3.1.d")}
    other, _ = visit_of(db, "inspector_pt")
    assert faults(refused(activity_id=other)) == {
        ("/activity_id", "activity-of-another")}
    # a draft is no official activity, nor is a task that has not begun
    task = str(value(db, """
        select t.id from dudao.supervision_tasks t
        join dudao.team_members m on m.task_id = t.id
        join dudao.inspectors i on i.id = m.inspector_id
        join dudao.users u on u.person_id = i.person_id
        where u.login = 'inspector_ft' and t.started_on is null limit 1"""))
    assert codes(refused(activity_type="supervision_tasks", activity_id=task)
                 ) == {"activity-not-official"}
    old = rows(db, """
        select v.id::text, v.visited_on from dudao.visits v
        join dudao.inspectors i on i.id = v.inspector_id
        join dudao.users u on u.person_id = i.person_id
        where u.login = 'inspector_ft' and v.state = 'reviewed'
            and v.visited_on < app.today() - 60 limit 1""")[0]
    window = refused(activity_id=old[0])
    assert codes(window) == {"deadline-passed"}
    assert window["errors"][0]["params"]["due_on"] == str(
        old[1] + timedelta(days=60))
    assert refused(activity_type="meetings")["errors"][0]["code"] == \
        "unknown-reference"
    # not for somebody else, nor does anybody see another's
    someone = str(value(db, "select i.id from dudao.inspectors i"
                            " join dudao.users u on u.person_id = i.person_id"
                            " where u.login = 'inspector_pt'"))
    refused(status=403, claimant_inspector_id=someone)
    row = claim(api, db)
    api.login("inspector_pt").read("expense-claims", row["id"], status=404)
    assert rows(as_login("inspector_pt"), "select id from dudao.expense_items"
                " where claim_id = %s", row["id"]) == []
    # a task under way can be claimed for
    running = str(value(db, """
        select t.id from dudao.supervision_tasks t
        join dudao.team_members m on m.task_id = t.id
        join dudao.inspectors i on i.id = m.inspector_id
        join dudao.users u on u.person_id = i.person_id
        where u.login = 'inspector_ft' and t.state = 'in_progress'
        order by t.onsite_to desc limit 1"""))
    row = inspector.create("expense-claims", {
        "activity_type": "supervision_tasks", "activity_id": running,
        "items": [item(today(db))]})
    assert row["category"] == "inspector_activity"


@pytest.mark.clause("C3.1.d", "R-FIN-04")
def test_a_late_claim_is_refused_when_it_is_submitted(api, db, server):
    row = claim(api, db)
    superuser = server.connect("postgres")
    rows(superuser, "set session_replication_role = replica")
    rows(superuser, "update dudao.expense_claims set activity_on ="
                    " activity_on - 200 where id = %s", row["id"])
    superuser.close()
    late = api.login("inspector_ft").act("expense-claims", row, "submit", {},
                                         status=422)
    assert late["code"] == "deadline-passed"


@pytest.mark.clause("C3.1.d", "R-FIN-04", "R-FIN-02")
def test_invoices(api, db):
    inspector = api.login("inspector_ft")
    visit, day = visit_of(db)
    # allowances need none, everything else does
    row = claim(api, db, items=[
        {"category": c, "occurred_on": str(day), "amount_fen": 100}
        for c in ("communication", "transport", "meals", "lodging", "labor",
                  "other")])
    refused = inspector.act("expense-claims", row, "submit", {}, status=422)
    assert faults(refused) == {
        (f"/items/{i}/invoice_no", "invoice-missing") for i in (1, 3, 5)}
    # an invoice is claimed once, by whomever
    used = item(day)
    row = claim(api, db, items=[used])
    other, on = visit_of(db, "inspector_pt")
    twice = api.login("inspector_pt").create("expense-claims", {
        "activity_type": "visits", "activity_id": other,
        "items": [item(on), item(on, invoice_no=used["invoice_no"])]},
        status=422)
    assert faults(twice) == {("/items/1/invoice_no", "invoice-used")}
    with db.cursor() as cursor, pytest.raises(
            psycopg2.errors.UniqueViolation):
        cursor.execute(
            "insert into dudao.expense_items(claim_id, seq, category,"
            " occurred_on, amount_fen, invoice_no) values (%s, 2, 'other',"
            " %s, 1, %s)", (row["id"], day, used["invoice_no"]))
    # until the claim is cancelled
    inspector.act("expense-claims", row, "cancel", {})
    assert claim(api, db, items=[used])["total_fen"] == used["amount_fen"]
    late = claim(api, db, status=422, items=[
        item(today(db) + timedelta(days=1))])
    assert faults(late) == {("/items/0/occurred_on", "date-in-future")}


@pytest.mark.clause("3.18")
def test_a_refusal_releases_what_was_reserved(api, db):
    line = own_line(api, db, 2000)["id"]
    row = checked(api, db, line=line)
    assert line_of(api, line)["reserved_fen"] == 1000
    assert api.login("chief_inspector").act(
        "expense-claims", row, "reject", {}, status=422)["code"] in (
            "validation-failed", "precondition-failed")
    row = api.login("chief_inspector").act(
        "expense-claims", row, "reject", {"reason": "非公务支出"})
    assert row["state"] == "rejected"
    assert line_of(api, line)["reserved_fen"] == 0
    assert codes(check(api, submitted(api, db, amount=2001), line,
                       status=422)) == {"line-overdrawn"}
    # an open claim keeps the year open
    budget = api.login("finance_officer").one(
        "budgets", year=visit_of(db)[1].year)
    checked(api, db, line=line)
    assert codes(api.login("finance_officer").act(
        "budgets", budget, "close", {}, status=422)) == {
            "budget-has-open-claims"}


# --- offices --------------------------------------------------------------------


@pytest.mark.clause("C3.1.e", "R-FIN-05")
def test_offices_and_equipment(api, db):
    finance = api.login("finance_officer")
    zones = [z["id"] for z in finance.list("zones") if z["is_demo"]]
    office = str(value(db, "select id from dudao.organizations"
                           " where kind = 'supervision_office'"))
    # the office and each zone have both (R-FIN-05)
    for owner in [{"organization_id": office}] + [
            {"zone_id": zone} for zone in zones]:
        kinds = {f["kind"] for f in finance.list(
            "facilities", **owner, status=200) if f["status"] != "disposed"}
        assert {"office_room", "equipment"} <= kinds, owner
    assert value(db, "select count(*) filter (where is_complete) >= %s"
                     " from app.facility_coverage", len(zones) + 1)
    number = unique("ZC")
    room = finance.create("facilities", {
        "kind": "office_room", "zone_id": zones[0], "name": "资料室",
        "area_m2": 18.5, "asset_no": number})
    assert room["area_m2"] == 18.5 and room["status"] == "in_use"

    def refused(status=422, **members):
        return finance.create("facilities", {
            "kind": "equipment", "name": "打印机", **members}, status=status)

    for owner in ({}, {"zone_id": zones[0], "organization_id": office}):
        assert codes(refused(**owner)) == {"one-owner-required"}
    assert faults(refused(status=409, zone_id=zones[0], asset_no=number)) == {
        ("/asset_no", "duplicate-number")}
    school = str(value(db, "select id from dudao.schools limit 1"))
    wrong = refused(organization_id=school, area_m2=3, acquired_on=str(
        today(db) + timedelta(days=1)))
    assert faults(wrong) == {
        ("/organization_id", "facility-of-another-unit"),
        ("/area_m2", "area-of-rooms-only"),
        ("/acquired_on", "date-in-future")}
    assert rules(wrong) == {("R-FIN-05", "C3.1.e")}
    # a zone lead sees the own zone's
    own = {str(id) for id, in rows(db, """
        select z.id from dudao.zones z
        join dudao.inspectors i on i.id = z.lead_inspector_id
        join dudao.users u on u.person_id = i.person_id
        where u.login = 'zone_lead'""")}
    seen = api.login("zone_lead").list("facilities")
    assert seen and {f["zone_id"] for f in seen} <= own
    # what is disposed of no longer counts, and does not come back
    room = finance.change("facilities", room, {"status": "disposed"})
    assert codes(finance.change("facilities", room, {"status": "in_use"},
                                status=422)) == {"not-editable"}


