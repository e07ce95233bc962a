"""Research: 2.10, 3.24, C2.4.2.c, C2.4.3.d, C3.3.a to C3.3.d."""

import datetime
import json

import psycopg2
import pytest

from support.client import unique
from walks.training_sessions import today


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def staff(api):
    return api.login("office_staff")


@pytest.fixture
def chief(api):
    return api.login("chief_inspector")


@pytest.fixture
def center(api):
    return api.login("research_center")


def organization(client, code):
    return client.one("organizations", code=code)["id"]


def person(client, name):
    return client.one("inspectors", q=name)["person_id"]


def strength(client):
    """year -> row"""
    rows = client.get("/v1/statistics/research-strength",
                      status=200).json()["data"]
    return {row["year"]: row for row in rows}


def worked_years():
    """What the demo county has done: by July also this year's."""
    last = today().year - 1
    return (last, last + 1) if today().month >= 7 else (last,)


def recommendation(client, staff, **members):
    return client.create("policy-recommendations", {
        "title": unique("关于督导工作的建议"), "text": "建议按季通报。",
        "addressed_to_org_id": organization(staff, "MU07"), **members})


# --- engagements --------------------------------------------------------------


@pytest.mark.clause("C2.4.2.c", "R-RES-02")
def test_the_centre_evaluates_and_monitors_each_year(staff):
    """Accepted engagements of both kinds: last year, and in the second half of
    this year."""
    of_year = strength(staff)
    for year in worked_years():
        rows = staff.list("center-engagements", accepted_year=year)
        assert {"school_evaluation", "quality_monitoring"} <= {
            r["kind"] for r in rows if r["state"] == "accepted"}
        assert of_year[year]["school_evaluations_accepted"] >= 1
        assert of_year[year]["quality_monitoring_accepted"] >= 1


@pytest.mark.clause("C2.4.2.c", "R-RES-02")
def test_an_engagement_goes_from_the_office_to_the_centre_and_back(
        staff, center, db, as_login):
    due = str(today() + datetime.timedelta(days=30))
    problem = staff.create("center-engagements", {
        "kind": "school_evaluation", "title": "评估", "due_on": due},
        status=422)
    assert codes(problem) == {"subject-required"}
    problem = center.create("center-engagements", {
        "kind": "quality_monitoring", "title": "自拟", "due_on": due},
        status=422)
    assert codes(problem) == {"office-only-field"}
    row = staff.create("center-engagements", {
        "kind": "quality_monitoring", "title": "初中英语质量监测",
        "due_on": due})
    assert row["state"] == "assigned" and row["code"].startswith("ZX-")
    row = center.act("center-engagements", row, "start", {})
    problem = center.change("center-engagements", row, {
        "due_on": str(today() + datetime.timedelta(days=90))}, status=422)
    assert codes(problem) == {"office-only-field"}
    problem = center.act("center-engagements", row, "submit", {}, status=422)
    assert {e["pointer"] for e in problem["errors"]} == {
        "/result_attachment_id", "/result_summary"}
    with as_login("research_center").cursor() as cursor, pytest.raises(
            psycopg2.Error) as error:
        cursor.execute("update dudao.center_engagements set"
                       " state = 'submitted' where id = %s", (row["id"],))
    assert json.loads(error.value.diag.message_detail)["rule_id"] == \
        "R-RES-02"
    with db.cursor() as cursor:
        cursor.execute("select id::text from dudao.attachments limit 1")
        file, = cursor.fetchone()
    result = {"result_summary": "监测完成", "result_attachment_id": file}
    center.act("center-engagements", row, "submit", result)
    center.act("center-engagements", row, "accept", {}, status=403)
    returned = staff.act("center-engagements", row, "return",
                         {"reason": "样本量不足"})
    assert returned["return_reason"] == "样本量不足"
    center.act("center-engagements", row, "submit", {})
    done = staff.act("center-engagements", row, "accept", {})
    assert (done["state"], done["accepted_on"]) == ("accepted", str(today()))


# --- projects -----------------------------------------------------------------


@pytest.mark.clause("C3.3.a", "R-RES-03")
def test_a_policy_study_runs_this_year(staff):
    studies = staff.list("research-projects", state="running",
                         kind="policy_study")
    assert any(r["starts_on"] <= str(today()) <= r["ends_on"]
               for r in studies)


@pytest.mark.clause("C3.3.a", "C2.4.3.d", "R-RES-03")
def test_a_project_is_led_by_its_leader(api, staff, chief):
    leader = api.login("inspector_24")
    body = {"kind": "policy_study", "title": "乡镇督导责任研究",
            "leader_person_id": person(staff, "演示督学24"),
            "starts_on": str(today()),
            "ends_on": str(today() + datetime.timedelta(days=300))}
    problem = api.login("inspector_28").create("research-projects", body,
                                               status=422)
    assert codes(problem) == {"not-taking-part"}
    row = leader.create("research-projects", body)
    leader.act("research-projects", row, "approve", {}, status=403)
    chief.act("research-projects", row, "approve", {})
    problem = api.login("research_center").act(
        "research-projects", row, "start", {}, status=422)
    assert codes(problem) == {"project-leader-only"}
    leader.act("research-projects", row, "start", {})
    problem = leader.act("research-projects", row, "conclude", {}, status=422)
    assert {e["pointer"] for e in problem["errors"]} == {"/outcome"}
    leader.act("research-projects", row, "conclude", {"outcome": "报告一份"})
    assert chief.act("research-projects", row, "accept",
                     {})["accepted_on"] == str(today())


@pytest.mark.clause("C2.4.3.d", "Q-RES-02")
def test_inspectors_research_and_exchange(api, staff):
    own = staff.one("inspectors", q="演示督学17")["id"]
    client = api.login("inspector_pt")
    assert any(r["kind"] == "inspector_research"
               for r in client.list("research-projects"))
    row = client.create("exchange-activities", {
        "title": "邻县督学交流", "kind": "study_visit",
        "held_on": str(today()), "participant_inspector_ids": [own],
        "hours": 6})
    assert row["participant_names"] == ["演示督学17"]
    assert row["id"] in {r["id"] for r in staff.list(
        "exchange-activities", inspector_id=own)}
    api.login("inspector_ft").read("exchange-activities", row["id"],
                                   status=404)
    problem = staff.create("exchange-activities", {
        "title": "重复", "kind": "forum",
        "held_on": str(today() + datetime.timedelta(days=1)),
        "participant_inspector_ids": [
            own, own, "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"],
        "hours": 4}, status=422)
    assert codes(problem) == {"named-twice", "unknown-reference",
                              "date-in-future"}
    of_year = strength(staff)
    assert of_year[today().year]["exchanges"] >= 1
    assert all(of_year[year]["inspector_research"] >= 1
               for year in worked_years())


@pytest.mark.clause("C3.3.d", "Q-RES-02")
def test_the_roster_of_researchers(api, staff):
    roster = staff.list("inspectors", is_researcher="true")
    assert roster and all(r["is_researcher"] for r in roster)
    member = person(staff, "演示督学24")
    led = staff.list("research-projects", person_id=member)
    assert {r["leader_person_id"] == member for r in led} == {True, False}
    problem = staff.create("research-projects", {
        "kind": "decision_study", "title": "重复参加",
        "leader_person_id": member, "member_person_ids": [member],
        "starts_on": "2026-01-01", "ends_on": "2026-12-31"}, status=422)
    assert codes(problem) == {"named-twice"}
    years = staff.get("/v1/statistics/research-strength", status=200,
                      params={"from_year": today().year - 1,
                              "to_year": today().year}).json()["data"]
    assert [y["year"] for y in years] == [today().year, today().year - 1]
    assert years[0]["researchers"] >= years[0]["inspector_researchers"] >= 3
    api.login("school_account").get("/v1/statistics/research-strength",
                                    status=403)


# --- recommendations ----------------------------------------------------------


@pytest.mark.clause("C3.3.b", "Q-RES-03")
def test_what_becomes_of_a_recommendation(api, staff, chief, center):
    row = recommendation(center, staff)
    member = api.login("committee_member")
    member.read("policy-recommendations", row["id"], status=404)
    center.act("policy-recommendations", row, "submit", {})
    # who is addressed answers, with a number
    problem = member.post(
        f"/v1/policy-recommendations/{row['id']}/adopt", status=422,
        json={"adoption": "partly"}).json()
    assert {e["pointer"] for e in problem["errors"]} == {"/adopted_doc_no"}
    done = member.act("policy-recommendations", row, "adopt", {
        "adoption": "partly", "adopted_doc_no": "平教发〔2026〕40号"})
    assert (done["state"], done["adoption"]) == ("adopted", "partly")
    other = recommendation(center, staff,
                           addressed_to_org_id=organization(staff, "MU01"))
    center.act("policy-recommendations", other, "submit", {})
    member.act("policy-recommendations", other, "adopt",
               {"adopted_doc_no": "平教发〔2026〕41号"}, status=404)
    assert chief.act("policy-recommendations", other, "decline",
                     {"reason": "条件不具备"})["adoption"] == "declined"
    year = staff.get("/v1/statistics/research-strength",
                     status=200).json()["data"][0]
    assert year["recommendations_submitted"] >= \
        year["recommendations_adopted"] + year["recommendations_declined"]


@pytest.mark.clause("C3.3.b")
def test_a_submitted_text_stays(api, staff, as_login):
    author = api.login("inspector_ft")
    row = recommendation(author, staff)
    author.act("policy-recommendations", row, "submit", {})
    with as_login("office_staff").cursor() as cursor, pytest.raises(
            psycopg2.Error) as error:
        cursor.execute("update dudao.policy_recommendations set text = '改'"
                       " where id = %s", (row["id"],))
    assert "not-editable" in error.value.diag.message_detail


@pytest.mark.clause("C3.3.c")
def test_the_store_keeps_what_may_be_adopted_later(staff, chief, center):
    row = recommendation(center, staff)
    center.act("policy-recommendations", row, "submit", {})
    stored = chief.act("policy-recommendations", row, "store",
                       {"comment": "明年再研究"})
    assert (stored["state"], stored["adoption"]) == ("stored", "stored")
    store = staff.list("policy-recommendations", state="stored")
    assert row["id"] in {r["id"] for r in store} and len(store) >= 2
    chief.act("policy-recommendations", row, "decline", {"reason": "否"},
              status=409)
    done = chief.act("policy-recommendations", row, "adopt",
                     {"adopted_doc_no": "平政办发〔2026〕9号"})
    assert (done["state"], done["adoption"]) == ("adopted", "adopted")
