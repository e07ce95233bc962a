"""The yearly assessment of inspectors: 3.24, C2.4.3.e, L-TL-8, L-DX-06."""

import concurrent.futures

import psycopg2
import pytest

from support import merit
from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


def inspector(api, name):
    return api.login("office_staff").one("inspectors", q=name)


@pytest.mark.clause("C2.4.3.e", "R-INS-07", "L-TL-8")
def test_everybody_in_office_was_assessed_last_year(api, db):
    """The demo county is green: who was in office six months has a confirmed
    assessment of the last year that was assessed, and nobody has two."""
    year = merit.assessed_year(db)
    due = {row for row, in merit.rows(
        db, "select i.id::text from app.inspectors_to_assess(%s) as d"
        " join inspectors i on i.id = d where i.is_demo", year)}
    rows = api.login("chief_inspector").list(
        "inspector-assessments", year=year, state="confirmed")
    assert len(rows) == len({r["inspector_id"] for r in rows})
    assert due and due <= {r["inspector_id"] for r in rows}
    assert all(r["score"] is not None and r["grade"] for r in rows)


@pytest.mark.clause("C2.4.3.e", "R-INS-07")
def test_the_year_is_opened_once(api, db):
    """Both callers at the same time: each inspector has one draft."""
    staff = api.login("office_staff")
    year = 2023

    def opened(client):
        return client.post("/v1/inspector-assessments/open-year", status=200,
                           json={"year": year}).json()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(opened, [staff, api.login("office_staff_2")]))
    assert {a["due"] for a in answers} == {answers[0]["due"]}
    assert all(a["opened"] + a["existing"] == a["due"] for a in answers)
    assert min(a["opened"] for a in answers) == 0
    assert opened(staff)["opened"] == 0
    ids = [r["inspector_id"] for r in
           staff.list("inspector-assessments", year=year)]
    assert len(ids) == len(set(ids)) >= answers[0]["due"]
    told = merit.rows(db, """
        select count(*) from notifications
        where kind = 'assessment_opened' and subject_id = any (
            select id from inspector_assessments where year = %s)""", year)
    assert told[0][0] >= answers[0]["due"]
    problem = staff.post("/v1/inspector-assessments/open-year", status=422,
                         json={"year": merit.day(db, 0).year + 1}).json()
    assert codes(problem) == {"date-in-future"}
    api.login("zone_lead").post("/v1/inspector-assessments/open-year",
                                status=403, json={"year": year})


@pytest.mark.clause("C2.4.3.e", "R-INS-07")
def test_six_months_in_office_are_needed(db):
    """Appointed on 1 September 2022: not due for 2022, due for 2023."""
    due = {year: {row for row, in merit.rows(
        db, "select app.inspectors_to_assess(%s)", year)}
        for year in (2022, 2023)}
    new = {row for row, in merit.rows(
        db, "select inspector_id from inspector_appointments"
        " where starts_on = '2022-09-01' and term_no = 1")}
    assert new and not new & due[2022] and new <= due[2023]


@pytest.mark.clause("L-DX-06", "L-TL-8", "C2.4.3.e")
def test_from_draft_to_confirmed(api, db):
    """Five dimensions with weights; score and grade are derived."""
    made = merit.self_reviewed(api, db)
    assert made["state"] == "self_reviewed" and made["self_reviewed_on"]
    staff = api.login("office_staff")
    problem = staff.act("inspector-assessments", made, "assess", {
        "dimensions": {"conduct": 90}}, status=422)
    assert {e["pointer"] for e in problem["errors"]} >= {
        "/dimensions/reports", "/dimensions/training"}
    made = staff.act("inspector-assessments", made, "assess", {
        "dimensions": {"conduct": 80, "reports": 70, "feedback_urging": 60,
                       "training": 90, "satisfaction": 100},
        "comment": "督促整改有待加强"})
    # 20 + 20 + 25 + 15 + 20
    assert made["score"] == 78.5 and made["grade"] == "competent"
    assert made["weights"]["feedback_urging"] == 25
    staff.act("inspector-assessments", made, "confirm", {}, status=403)
    made = api.login("chief_inspector").act("inspector-assessments", made,
                                            "confirm", {"comment": "同意"})
    assert made["state"] == "confirmed" and made["allowed_actions"] == []
    history = staff.get(f"/v1/inspector-assessments/{made['id']}/transitions",
                        status=200).json()["data"]
    assert [s["action"] for s in history] == ["self_review", "assess",
                                              "confirm"]
    problem = staff.create("inspector-assessments", {
        "inspector_id": made["inspector_id"], "year": made["year"]},
        status=409)
    assert problem["code"] == "duplicate"


@pytest.mark.clause("L-TL-8", "C2.4.3.e")
def test_nobody_judges_himself(api, db):
    # another's self-review
    who, year, login = merit.unassessed(db)
    staff = api.login("office_staff")
    made = staff.create("inspector-assessments",
                        {"inspector_id": who, "year": year})
    api.login("inspector_ft").act("inspector-assessments", made, "self-review",
                                  {"self_review": "代写"}, status=404)
    api.login("deputy_chief_inspector").act(
        "inspector-assessments", made, "self-review",
        {"self_review": "代写"}, status=403)
    # the lead of the zone on himself
    mine = api.login("zone_lead").list("inspector-assessments", q="演示督学01")
    year = next(y for y in (2023, 2024) if y not in {
        r["year"] for r in mine})
    mine = staff.create("inspector-assessments", {
        "inspector_id": inspector(api, "演示督学01")["id"], "year": year})
    lead = api.login("zone_lead")
    lead.act("inspector-assessments", mine, "self-review",
             {"self_review": "全年入校督导 40 次。"})
    problem = lead.act("inspector-assessments", mine, "assess",
                       {"dimensions": merit.DIMENSIONS}, status=422)
    assert problem["code"] == "separation-of-duties"
    assert problem["clause_id"] == "L-TL-8"


@pytest.mark.clause("L-DX-06")
def test_the_lead_assesses_the_own_zone(api, db):
    lead = api.login("zone_lead")
    made = merit.self_reviewed(api, db, zone="Z4")
    made = lead.act("inspector-assessments", made, "assess",
                    {"dimensions": merit.DIMENSIONS})
    assert made["state"] == "assessed" and made["assessed_by"] == "演示督学01"
    other = merit.self_reviewed(api, db, zone="Z1")
    lead.act("inspector-assessments", other, "assess",
             {"dimensions": merit.DIMENSIONS}, status=404)


@pytest.mark.clause("C2.4.3.e")
def test_the_director_confirms_the_chief_inspector_alone(api, db):
    director, chief = api.login("committee_director"), \
        api.login("chief_inspector")
    other = merit.assessed(api, db)
    problem = director.act("inspector-assessments", other, "confirm", {},
                           status=422)
    assert codes(problem) == {"chief-confirms"}
    who, = merit.rows(db, """
        select i.id from inspectors i join users u on u.person_id = i.person_id
        where u.login = 'chief_inspector'""")[0]
    year = next(y for y in (2023, 2024, merit.day(db, 0).year)
                if not merit.rows(db, "select from inspector_assessments"
                                  " where inspector_id = %s and year = %s"
                                  " and state <> 'draft'", who, y))
    staff = api.login("office_staff")
    rows = staff.list("inspector-assessments", inspector_id=who, year=year)
    made = rows[0] if rows else staff.create(
        "inspector-assessments", {"inspector_id": who, "year": year})
    chief.act("inspector-assessments", made, "self-review",
              {"self_review": "主持全县教育督导工作。"})
    staff.act("inspector-assessments", made, "assess",
              {"dimensions": merit.DIMENSIONS})
    problem = chief.act("inspector-assessments", made, "confirm", {},
                        status=422)
    assert problem["code"] == "separation-of-duties"
    assert director.act("inspector-assessments", made, "confirm",
                        {})["state"] == "confirmed"


@pytest.mark.clause("C2.4.3.e", "L-DX-06")
def test_the_database_keeps_scores_and_steps(api, db, as_login):
    """In SQL: no score but the derived one, none after the decision."""
    made = merit.assessed(api, db)
    connection = as_login("office_staff")

    def refused(statement, *values):
        with pytest.raises(psycopg2.Error) as caught, \
                connection.cursor() as cursor:
            cursor.execute(statement, (*values, made["id"]))
        connection.rollback()
        return caught.value.pgcode, caught.value.diag.message_detail

    code, detail = refused("update dudao.inspector_assessments set score = 100"
                           " where id = %s")
    assert code == "DD422" and "score-not-derived" in detail
    code, detail = refused("update dudao.inspector_assessments"
                           " set comment = '改写' where id = %s")
    assert code == "DD422" and "not-editable" in detail
    code, _ = refused("update dudao.inspector_assessments"
                      " set state = 'draft' where id = %s")
    assert code == "DD409"
    with pytest.raises(psycopg2.Error) as caught, connection.cursor() as c:
        c.execute("insert into dudao.inspector_assessments(inspector_id, year)"
                  " values (%s, %s)", (made["inspector_id"], 2015))
    assert "not-in-office" in caught.value.diag.message_detail
    connection.rollback()


def test_inspectors_see_their_own(api):
    mine = api.login("inspector_ft").list("inspector-assessments")
    assert mine and {r["inspector_name"] for r in mine} == {"演示督学02"}
    api.login("school_account").get("/v1/inspector-assessments", status=200)
    assert api.login("school_account").list("inspector-assessments") == []
    api.login("finance_officer").get("/v1/inspector-assessments", status=403)


# --- figures ------------------------------------------------------------------


@pytest.mark.clause("C2.4.3.i", "Q-INS-01")
def test_workload_counts_what_was_done(api, db):
    staff = api.login("office_staff")
    who = inspector(api, "演示督学02")
    path = f"/v1/inspectors/{who['id']}/workload"
    figures = staff.get(path, status=200).json()
    assert figures["year"] == merit.day(db, 0).year
    year = merit.visited_year(db)
    figures = staff.get(path, status=200, params={"year": year}).json()
    assert figures["year"] == year and figures["school_count"] > 0
    counted = merit.rows(db, """
        select (select count(*) from visits v where v.inspector_id = %s
                and v.state in ('submitted', 'school_confirmed', 'reviewed')
                and extract(year from v.visited_on) = %s),
            (select count(*) from problem_reviews r
                where %s::uuid = any (r.reviewer_inspector_ids)
                and extract(year from r.reviewed_on) = %s)""",
        who["id"], year, who["id"], year)[0]
    assert (figures["visit_count"], figures["review_count"]) == counted
    assert figures["visit_count"] > 0 and figures["task_count"] > 0
    last = staff.get(path, status=200,
                     params={"year": merit.assessed_year(db)}).json()
    assert last["award_count"] >= 1
    assert last["assessment"]["grade"] == "excellent"
    # what is not confirmed is no result
    assert figures["assessment"]["state"] != "confirmed"
    assert figures["assessment"]["score"] is None


@pytest.mark.clause("C2.4.3.i", "Q-INS-01")
def test_workloads_are_compared(api, db):
    staff = api.login("office_staff")
    year = merit.visited_year(db)
    rows = staff.list("inspector-workloads", year=year)
    assert len(rows) >= 60
    counts = [r["visit_count"] for r in rows]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]
    page = staff.get("/v1/inspector-workloads", status=200, params={
        "year": year, "limit": 10, "sort": "-score",
        "count": "exact"}).json()
    assert page["page"]["total"] == len(rows) and page["page"]["has_more"]
    zone = staff.one("zones", code="Z4")
    assert {r["zone_id"] for r in staff.list("inspector-workloads",
                                             zone_id=zone["id"])} == {
        zone["id"]}
    assert {r["zone_id"] for r in api.login("zone_lead").list(
        "inspector-workloads")} == {zone["id"]}
    assert [r["name"] for r in api.login("inspector_pt").list(
        "inspector-workloads")] == ["演示督学17"]


@pytest.mark.clause("C2.4.3.i")
def test_others_do_not_see_the_figures(api):
    who = inspector(api, "演示督学02")
    seen = api.login("school_account").get(
        f"/v1/inspectors/{who['id']}/workload", status=200).json()
    assert seen["name"] == "演示督学02" and seen["visit_count"] is None
    assert seen["assessment"] is None
    assert api.login("school_account").list("inspector-workloads") == []
