"""Awards and the yearly decision: 3.22, C2.1.3.i, C2.4.3.h, R-EVA-05."""

import psycopg2
import pytest

from support import merit
from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def passed(server):
    """passed(award): its publicity was over yesterday."""
    connection = server.connect("postgres")

    def alter(award):
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(
                "update dudao.awards set publicity_from = app.today() - 10,"
                " publicity_to = app.today() - 1 where id = %s",
                (award["id"],))

    yield alter
    connection.close()


def publicized(api, db, **members):
    staff = api.login("office_staff")
    made = staff.create("awards", merit.award_body(db) | members)
    api.login("chief_inspector").act("awards", made, "review", {})
    return staff.act("awards", made, "publicize", {})


@pytest.mark.clause("C2.4.3.h", "R-INS-08")
def test_an_inspector_s_award_rests_on_excellent(api, db):
    """Looked up in the year's assessment, whatever the body claims."""
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    good = merit.confirmed(api, db)
    assert good["grade"] == "excellent"
    fair = merit.confirmed(api, db, {"conduct": 60, "reports": 60})
    assert fair["grade"] == "competent"
    open_ = merit.assessed(api, db)
    for basis, found in ((good, set()), (fair, {"assessment-not-excellent"}),
                         (open_, {"assessment-not-excellent"})):
        made = staff.create("awards", merit.award_body(
            db, recipient_inspector_id=basis["inspector_id"],
            basis_grade="excellent", year=basis["year"]))
        if found:
            assert made["basis_subject_id"] is None
            problem = chief.act("awards", made, "review", {}, status=422)
            assert codes(problem) == found
            assert (problem["rule_id"], problem["clause_id"]) == (
                "R-INS-08", "C2.4.3.h")
        else:
            assert made["basis_subject_id"] == basis["id"]
            assert chief.act("awards", made, "review",
                             {})["state"] == "reviewed"


@pytest.mark.clause("C2.4.3.h", "R-INS-08")
def test_all_awards_of_inspectors_are_backed(db):
    assert merit.rows(db, """
        select count(*) from awards where kind = 'inspector'
            and state = 'granted'""")[0][0] >= 3
    assert merit.rows(db, """
        select a.code from awards a
        left join inspector_assessments s on s.id = a.basis_subject_id
            and s.inspector_id = a.recipient_inspector_id
            and s.year = a.year and s.state = 'confirmed'
            and s.grade = 'excellent'
        where a.kind = 'inspector' and s.id is null
            and a.state in ('reviewed', 'publicized', 'granted')""") == []


@pytest.mark.clause("C2.1.3.i", "C2.4.3.h")
def test_one_recipient_of_the_right_kind(api, db):
    staff = api.login("office_staff")
    body = merit.award_body(db)
    problem = staff.create("awards", body | {"recipient_zone_id": None},
                           status=422)
    assert "one-recipient" in codes(problem)
    problem = staff.create("awards", body | {"kind": "inspector"}, status=422)
    assert codes(problem) == {"award-kind"}
    who = staff.one("inspectors", q="演示督学02")["id"]
    problem = staff.create("awards", body | {
        "recipient_inspector_id": who}, status=422)
    assert codes(problem) == {"one-recipient", "award-kind"}
    problem = staff.create("awards", body | {
        "year": merit.day(db, 0).year + 1}, status=422)
    assert codes(problem) == {"date-in-future"}
    made = staff.create("awards", body)
    assert staff.create("awards", body, status=409)["code"] == "duplicate"
    assert staff.change("awards", made, {"citation": "成效突出。"})[
        "citation"] == "成效突出。"


@pytest.mark.clause("C2.1.3.i")
def test_units_and_zones_need_a_good_evaluation(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    made = staff.create("awards", merit.award_body(db) | {
        "basis_grade": "qualified"})
    problem = chief.act("awards", made, "review", {}, status=422)
    assert codes(problem) == {"grade-below-good"}
    assert problem["clause_id"] == "C2.1.3.i"
    # the file of a unit is the basis of that unit's award alone
    target, = merit.rows(db, "select id from supervision_targets"
                             " where organization_id is not null limit 1")[0]
    problem = staff.create("awards", merit.award_body(db) | {
        "basis_subject_type": "supervision_targets",
        "basis_subject_id": target}, status=422)
    assert codes(problem) == {"basis-of-another"}


@pytest.mark.clause("C2.1.3.i", "C2.4.3.h")
def test_publicity_objections_grant(api, db, passed):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    director = api.login("committee_director")
    made = staff.create("awards", merit.award_body(db))
    chief.act("awards", made, "review", {})
    problem = staff.act("awards", made, "publicize", {
        "publicity_from": str(merit.day(db, 0)),
        "publicity_to": str(merit.day(db, 1))}, status=422)
    assert codes(problem) == {"publicity-too-short"}
    made = staff.act("awards", made, "publicize", {})
    notice = staff.read("publications", made["publicity_publication_id"])
    assert notice["state"] == "draft" and made["title"] in notice["body"]

    problem = staff.act("awards", made, "raise-objection", {
        "raised_by": "群众来信", "text": "建议核实。",
        "received_on": str(merit.day(db, -3))}, status=422)
    assert codes(problem) == {"objection-out-of-time"}
    made = staff.act("awards", made, "raise-objection", {
        "raised_by": "群众来信", "text": "建议核实。"})
    passed(made)
    grant = {"doc_no": unique("平教督委")}
    problem = director.act("awards", made, "grant", grant, status=422)
    assert codes(problem) == {"objection-open"}
    assert codes(chief.act("awards", made, "decide-objection", {
        "no": 7, "upheld": False, "opinion": "无此异议"}, status=422)) == {
        "unknown-reference"}
    made = chief.act("awards", made, "decide-objection", {
        "no": 1, "upheld": False, "opinion": "经核实情况属实"})
    assert made["objections"][0]["decided_on"]
    assert codes(chief.act("awards", made, "decide-objection", {
        "no": 1, "upheld": True, "opinion": "再议"}, status=422)) == {
        "objection-decided"}
    staff.act("awards", made, "grant", grant, status=403)
    made = director.act("awards", made, "grant", grant)
    assert made["state"] == "granted" and made["doc_no"] == grant["doc_no"]
    made = director.act("awards", made, "revoke", {"reason": "事迹不实"})
    assert made["state"] == "revoked" and made["end_reason"] == "事迹不实"


@pytest.mark.clause("C2.4.3.h", "C2.1.3.i")
def test_grant_names_every_fault(api, db, passed):
    director = api.login("committee_director")
    made = publicized(api, db, amount_fen=500000)
    problem = director.act("awards", made, "grant",
                           {"doc_no": unique("平教督委")}, status=422)
    assert codes(problem) == {"publicity-not-over", "budget-line-missing"}
    assert problem["clause_id"] in ("C2.1.3.i", "C3.1.b")
    # an objection that was upheld ends it
    other = publicized(api, db)
    api.login("office_staff").act("awards", other, "raise-objection", {
        "raised_by": "某校教师", "text": "考核期内有投诉。"})
    chief = api.login("chief_inspector")
    chief.act("awards", other, "decide-objection", {
        "no": 1, "upheld": True, "opinion": "经核实成立"})
    passed(other)
    problem = director.act("awards", other, "grant",
                           {"doc_no": unique("平教督委")}, status=422)
    assert codes(problem) == {"objection-open"}
    assert chief.act("awards", other, "reject", {"reason": "异议成立"})[
        "state"] == "rejected"


@pytest.mark.clause("C2.4.3.h")
def test_the_database_keeps_awards(api, db, as_login):
    made = publicized(api, db)
    connection = as_login("office_staff")
    for statement, code in (
            ("update dudao.awards set title = '改名' where id = %s", "DD422"),
            ("update dudao.awards set state = 'granted' where id = %s",
             "DD403"),
            ("update dudao.awards set recipient_organization_id = (select id"
             " from dudao.organizations limit 1) where id = %s", "DD422")):
        with pytest.raises(psycopg2.Error) as caught, \
                connection.cursor() as cursor:
            cursor.execute(statement, (made["id"],))
        assert caught.value.pgcode == code
        connection.rollback()
    # also for who owns all tables: no second recipient
    with pytest.raises(psycopg2.Error):
        merit.rows(db, "insert into awards(code, year, kind, title, level,"
                       " citation) values ('BZ-0000-1', 2025, 'inspector',"
                       " 'x', 'office', 'y')")
    db.rollback()


@pytest.mark.clause("C2.1.3.i", "R-EVA-05")
def test_each_year_is_decided(api, db):
    """The last decisions stand; one a year and kind; none against awards."""
    director = api.login("committee_director")
    last = director.one("award-decisions", state="decided",
                        sort="-year")["year"]
    rows = director.list("award-decisions", year=last, state="decided")
    assert {r["kind"] for r in rows} == {"annual_evaluation", "inspector"}
    assert all(r["doc_no"] and r["decided_by"] for r in rows)
    staff = api.login("office_staff")
    assert staff.create("award-decisions", {
        "year": last, "kind": "inspector", "decision": "no_award",
        "reason": "再议"}, status=409)["code"] == "duplicate"

    year = next(y for y in range(2013, 2022) if not staff.list(
        "award-decisions", year=y, kind="annual_evaluation"))
    award = staff.create("awards", merit.award_body(db) | {"year": year})
    made = staff.create("award-decisions", {
        "year": year, "kind": "annual_evaluation", "decision": "no_award",
        "reason": "当年无单位达到表彰条件"})
    made = staff.change("award-decisions", made, {
        "reason": "当年各单位均未达到表彰条件"})
    decide = {"doc_no": unique("平教督委")}
    api.login("chief_inspector").act("award-decisions", made, "decide",
                                     decide, status=403)
    problem = director.act("award-decisions", made, "decide", decide,
                           status=422)
    assert codes(problem) == {"awards-under-way"}
    assert problem["rule_id"] == "R-EVA-05"
    api.login("chief_inspector").act("awards", award, "reject",
                                     {"reason": "不符合条件"})
    made = director.act("award-decisions", made, "decide", decide)
    assert made["state"] == "decided" and made["decided_on"]
    # from then on there is none
    problem = staff.create("awards", merit.award_body(db) | {"year": year},
                           status=422)
    assert codes(problem) == {"no-award-decided"}


@pytest.mark.clause("C2.4.3.h", "C2.1.3.i")
def test_recipients_see_what_is_public(api, db):
    me = api.login("inspector_ft")
    rows = me.list("awards")
    assert rows and {r["recipient_name"] for r in rows} == {"演示督学02"}
    assert {r["state"] for r in rows} <= {"publicized", "granted", "revoked"}
    township = api.login("township_account").list("awards")
    assert {r["recipient_name"] for r in township} == {"安定镇人民政府"}
    # who objected is not told
    made = publicized(api, db, recipient_zone_id=merit.rows(
        db, "select id from zones where code = 'Z4'")[0][0])
    api.login("office_staff").act("awards", made, "raise-objection", {
        "raised_by": "群众来信", "text": "建议核实。"})
    assert api.login("zone_lead").read("awards", made["id"])[
        "objections"] == []
    assert api.login("chief_inspector").read("awards", made["id"])[
        "objections"][0]["raised_by"] == "群众来信"


@pytest.mark.clause("C2.1.3.i", "C2.4.3.h")
def test_everybody_reads_public_awards(api, db):
    made = publicized(api, db)
    proposed = api.login("office_staff").create("awards",
                                                merit.award_body(db))
    rows = api.list("public/awards", is_granted="false")
    assert made["code"] in {r["code"] for r in rows}
    assert proposed["code"] not in {r["code"] for r in rows}
    assert api.list("public/awards", kind="inspector", is_granted="true")
    shown = api.get(f"/v1/public/awards/{made['code']}", status=200).json()
    assert shown["title"] == made["title"] and not shown["is_granted"]
    assert "objections" not in shown and "amount_fen" not in shown
    api.get(f"/v1/public/awards/{proposed['code']}", status=404)


@pytest.mark.clause("C2.4.3.h", "C3.1.b")
def test_money_comes_from_the_line_of_awards(api, db, passed):
    """Another line is refused, and the line is not overdrawn."""
    def line(category):
        return rows_of(db, category)[0][0]

    director = api.login("committee_director")
    made = publicized(api, db, amount_fen=200000)
    passed(made)
    grant = {"doc_no": unique("平教督委"), "budget_line_id": line("training")}
    problem = director.act("awards", made, "grant", grant, status=422)
    assert codes(problem) == {"line-of-another-category"}
    made = director.act("awards", made, "grant",
                        grant | {"budget_line_id": line("award")})
    assert made["budget_line_id"] == line("award")
    large = publicized(api, db, amount_fen=99900000000)
    passed(large)
    problem = director.act("awards", large, "grant", {
        "doc_no": unique("平教督委"), "budget_line_id": line("award")},
        status=422)
    assert codes(problem) == {"line-overdrawn"}
    assert problem["errors"][0]["params"]["available"] < 99900000000


def rows_of(db, category):
    """The line of that category in a budget that can be spent."""
    return merit.rows(db, """
        select l.id from budget_lines l join budgets b on b.id = l.budget_id
        where l.category = %s and b.state in ('approved', 'adjusted')
            and not l.locked
        order by b.year desc limit 1""", category)
