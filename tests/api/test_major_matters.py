"""Major matters: 3.20, R-ORG-07, R-RPT-02, L-DX-04."""

import psycopg2
import pytest

from support import ledger
from support.client import unique
from support.meetings import faults, held, plan, resolution, units


def matter(api, **members):
    return api.login("office_staff").create("major-matters", {
        "kind": "major_matter", "title": unique("食堂专项整治"),
        "description": "督导发现多所学校食堂留样不规范。", **members})


def deliberating(api, db, **options):
    """A matter before a joint meeting that was held and resolved about it."""
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    row = matter(api)
    chief.act("major-matters", row, "accept", {})
    meeting = staff.create("meetings", held(db, agenda=[
        {"title": "听取汇报", "kind": "report"},
        {"title": "审议", "kind": "deliberation",
         "subject_type": "major_matters", "subject_id": row["id"]}],
        resolutions=[resolution(db), resolution(db, agenda_seq=1)],
        **options))
    agenda = staff.list(f"meetings/{meeting['id']}/agenda")
    resolutions = staff.list(f"meetings/{meeting['id']}/resolutions")
    chief.act("major-matters", row, "submit-to-meeting",
              {"agenda_item_id": agenda[1]["id"]})
    return row, meeting, resolutions


def resolved(api, db, **options):
    row, meeting, resolutions = deliberating(api, db, **options)
    row = api.login("committee_director").act(
        "major-matters", row, "resolve",
        {"resolution_id": resolutions[0]["id"]})
    return row, meeting


def dispatches(db, row):
    with db.cursor() as cursor:
        cursor.execute(
            "select purpose, recipient_role, state, due_on,"
            " recipient_organization_id::text, id::text"
            " from dudao.dispatches where subject_type = 'major_matters'"
            " and subject_id = %s", (row["id"],))
        return cursor.fetchall()


@pytest.mark.clause("C2.1.1.c", "R-ORG-07")
def test_no_decision_without_a_resolution(api, db):
    row, meeting, resolutions = deliberating(api, db)
    director = api.login("committee_director")
    director.act("major-matters", row, "resolve", {}, status=422)
    answer = director.act("major-matters", row, "resolve", {
        "resolution_id": "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"}, status=422)
    assert faults(answer) == {("/resolution_id", "unknown-reference")}
    answer = director.act("major-matters", row, "resolve", {
        "resolution_id": resolutions[1]["id"]}, status=422)
    assert faults(answer) == {("/resolution_id", "resolution-of-another-item")}
    assert (answer["rule_id"], answer["clause_id"]) == ("R-ORG-07",
                                                        "C2.1.1.c")
    for login in ("chief_inspector", "office_staff"):
        api.login(login).act("major-matters", row, "resolve", {
            "resolution_id": resolutions[0]["id"]}, status=403)
    row = director.act("major-matters", row, "resolve",
                       {"resolution_id": resolutions[0]["id"]})
    assert (row["state"], row["resolved_on"]) == ("resolved",
                                                  meeting["held_on"])


@pytest.mark.clause("C2.1.1.c", "R-ORG-07")
def test_the_database_takes_no_other_way(api, db, as_login):
    row, _, _ = deliberating(api, db)
    for login in ("committee_director", "office_staff"):
        with pytest.raises(psycopg2.Error) as error, \
                as_login(login).cursor() as cursor:
            cursor.execute("update dudao.major_matters set state = 'resolved'"
                           " where id = %s", (row["id"],))
        assert error.value.pgcode in ("DD422", "DD403")
    # nor the owner of the tables, with a decision by somebody's hand
    with pytest.raises(psycopg2.Error), db.cursor() as cursor:
        cursor.execute("update dudao.major_matters set state = 'resolved',"
                       " resolved_on = app.today() where id = %s",
                       (row["id"],))


@pytest.mark.clause("C2.1.1.c", "R-ORG-07")
def test_only_a_plenary_or_joint_meeting_deliberates(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    row = matter(api)
    chief.act("major-matters", row, "accept", {})
    session = staff.create("meetings", plan(
        db, "office_meeting", attendances=[
            {"organization_id": units(db)[0]}]))
    item = staff.list(f"meetings/{session['id']}/agenda")[0]
    answer = chief.act("major-matters", row, "submit-to-meeting",
                       {"agenda_item_id": item["id"]}, status=422)
    assert faults(answer) == {("/agenda_item_id",
                               "not-a-meeting-of-the-committee")}
    joint = staff.create("meetings", plan(db))
    item = staff.list(f"meetings/{joint['id']}/agenda")[1]
    row = chief.act("major-matters", row, "submit-to-meeting",
                    {"agenda_item_id": item["id"]})
    assert row["state"] == "deliberating"
    # what is before the committee stays on its agenda
    answer = staff.change("meetings", staff.read("meetings", joint["id"]), {
        "agenda": [{"title": "研究", "kind": "study"}]}, status=422)
    assert faults(answer) == {("/agenda", "agenda-item-in-use")}


@pytest.mark.clause("C2.1.3.f", "R-RPT-02", "C1.d")
def test_reported_upward_and_circulated_to_every_unit_of_the_day(api, db):
    staff = api.login("office_staff")
    row, meeting = resolved(api, db)
    rows = dispatches(db, row)
    members = set(units(db, meeting["held_on"]))
    assert {r[4] for r in rows if r[0] == "circulate"} == members
    assert [r[1] for r in rows if r[0] == "report"] == ["superior_supervision"]
    assert {r[2] for r in rows} == {"planned"}
    assert {str(r[3]) for r in rows} == {row["dispatch_due_on"]}
    answer = staff.act("major-matters", row, "mark-circulated", {}, status=422)
    missing = {e["params"]["organization_id"] for e in answer["errors"]
               if e["code"] == "circulation-not-sent"}
    assert missing == members
    assert "report-not-sent" in {e["code"] for e in answer["errors"]}
    assert (answer["rule_id"], answer["clause_id"]) == ("R-RPT-02",
                                                        "C2.1.3.f")
    # all but one
    last = next(r for r in rows if r[0] == "circulate")
    for dispatch in rows:
        if dispatch != last:
            staff.act("dispatches", dispatch[5], "send", {})
    answer = staff.act("major-matters", row, "mark-circulated", {}, status=422)
    assert [(e["code"], e["params"]["organization_id"])
            for e in answer["errors"]] == [("circulation-not-sent", last[4])]
    staff.act("major-matters", row, "send-dispatches", {})
    row = staff.act("major-matters", row, "mark-circulated", {})
    assert row["state"] == "circulated"
    assert row["reported_up_at"] and row["circulated_at"]
    # the member units and the platform above read it now
    api.login("member_liaison").read("major-matters", row["id"])
    api.login("platform_service").read("major-matters", row["id"])
    with db.cursor() as cursor:
        cursor.execute("select op from dudao.exchange_messages"
                       " where type = 'X-14' and subject_id = %s",
                       (row["id"],))
        assert cursor.fetchall() == [("upsert",)]


@pytest.mark.clause("C2.1.3.f", "R-RPT-02", "C2.1.1.a")
def test_a_unit_of_that_day_counts_although_it_was_entered_later(server, api,
                                                                 db):
    """Membership of the resolution day decides, not today's list."""
    staff = api.login("office_staff")
    row, meeting = resolved(api, db)
    staff.act("major-matters", row, "send-dispatches", {})
    connection = server.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            cursor.execute("set local role dudao_owner;"
                           " set local search_path = dudao, app, ext")
            cursor.execute(
                "insert into member_units(organization_id, seq, duties,"
                " joined_on, left_on, basis_document_id)"
                " select o.id, 900, (select duties from member_units limit 1),"
                " %s::date - 5, %s::date + 1,"
                "     (select basis_document_id from member_units limit 1)"
                " from organizations o where o.code = 'ORG-GOVO'",
                (row["resolved_on"], row["resolved_on"]))
            cursor.execute("select app.act_as('office_staff', true)")
            with pytest.raises(psycopg2.Error) as error:
                cursor.execute("select * from app.act('major_matters', %s,"
                               " 'mark_circulated')", (row["id"],))
            assert error.value.pgcode == "DD422"
            assert "circulation-not-sent" in error.value.diag.message_detail
        finally:
            cursor.execute("rollback")
            connection.close()
    staff.act("major-matters", row, "mark-circulated", {})


@pytest.mark.clause("C2.1.1.d", "R-MTG-04")
def test_closed_only_when_the_resolutions_are_done(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    row, meeting = resolved(api, db)
    staff.act("major-matters", row, "send-dispatches", {})
    staff.act("major-matters", row, "mark-circulated", {})
    answer = chief.act("major-matters", row, "close", {}, status=422)
    assert {e["code"] for e in answer["errors"]} == {"resolutions-open"}
    staff.act("meetings", meeting, "draft-minutes", {"minutes": "议定两项。"})
    api.login("committee_director").act("meetings", meeting, "issue-minutes",
                                        {})
    for item in staff.list(f"meetings/{meeting['id']}/resolutions"):
        api.login("committee_director").act(
            "meeting-resolutions", item, "drop", {"reason": "并入市级行动"})
    assert chief.act("major-matters", row, "close", {})["state"] == "closed"


@pytest.mark.clause("C2.1.1.d")
def test_a_problem_goes_to_the_committee(api, db):
    staff = api.login("office_staff")
    problem = next(p for p in staff.list("problems", state="listed")
                   + staff.list("problems", state="assigned")
                   if p["major_matter_id"] is None)
    row = staff.post(f"/v1/problems/{problem['id']}/submit-to-committee",
                     json={"description": "需财政、住建协调解决。"},
                     status=201).json()
    assert (row["kind"], row["problem_ids"]) == ("major_problem",
                                                 [problem["id"]])
    assert row["organization_id"] == problem["organization_id"]
    assert staff.read("problems", problem["id"])["major_matter_id"] == \
        row["id"]
    answer = staff.post(
        f"/v1/problems/{problem['id']}/submit-to-committee", json={},
        status=422).json()
    assert {e["code"] for e in answer["errors"]} == {
        "problem-already-submitted"}
    assert answer["clause_id"] == "C2.1.1.d"
    struck = staff.one("problems", state="struck_off")
    staff.post(f"/v1/problems/{struck['id']}/submit-to-committee", json={},
               status=409)
    answer = matter_of(staff, [problem["id"], struck["id"],
                               "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"])
    assert faults(answer) == {
        ("/problem_ids/0", "problem-not-open"),
        ("/problem_ids/1", "problem-not-open"),
        ("/problem_ids/2", "unknown-reference")}
    # a matter that was a mistake gives its problems back
    api.login("chief_inspector").act("major-matters", row, "void",
                                     {"void_reason": "重复"})
    assert staff.read("problems", problem["id"])["major_matter_id"] is None


def matter_of(client, problem_ids):
    return client.create("major-matters", {
        "kind": "bottleneck", "title": unique("瓶颈"),
        "description": "需多部门协调。", "problem_ids": problem_ids},
        status=422)


@pytest.mark.clause("L-DX-04", "C2.1.1.d")
def test_an_incident_is_reported_at_the_first_moment(api, db):
    school, staff = api.login("school_account"), api.login("office_staff")
    row = school.create("major-matters", {
        "kind": "incident", "title": "围墙倒塌", "severity": "critical",
        "description": "操场围墙倒塌约3米，无人员伤亡。"})
    assert row["organization_id"] == school.get(
        "/v1/me", status=200).json()["organization"]["id"]
    answer = api.login("chief_inspector").act("major-matters", row, "accept",
                                              {}, status=422)
    assert faults(answer) == {("/occurred_at", "required")}
    assert answer["clause_id"] == "L-DX-04"
    school.change("major-matters", row, {
        "occurred_at": "2026-01-05T08:00:00.000000Z"})
    row = api.login("chief_inspector").act("major-matters", row, "accept", {})
    assert row["urgent_report_due_at"] and not row["urgent_report_overdue"]
    with db.cursor() as cursor:
        cursor.execute(
            "select urgent_report_due_at - accepted_at = interval '2 hours'"
            " from dudao.major_matters where id = %s", (row["id"],))
        assert cursor.fetchone()[0]
    row = staff.act("major-matters", row, "report-urgent", {})
    assert row["urgent_reported_at"] and row["state"] == "accepted"
    assert [(r[0], r[1], r[2]) for r in dispatches(db, row)] == [
        ("report", "superior_supervision", "sent")]
    with db.cursor() as cursor:
        cursor.execute("select priority, state from dudao.exchange_messages"
                       " where type = 'X-14' and subject_id = %s"
                       " order by revision", (row["id"],))
        assert cursor.fetchall() == [("urgent", "superseded"),
                                     ("urgent", "pending")]
    other = matter(api)
    answer = staff.act("major-matters", other, "report-urgent", {}, status=422)
    assert ("/kind", "not-an-incident") in faults(answer)
    # the school reads its own, not the county's
    school.read("major-matters", other["id"], status=404)


@pytest.mark.clause("L-DX-04")
def test_a_late_report_is_told(api, db, server):
    row = api.login("office_staff").create("major-matters", {
        "kind": "incident", "title": "食物中毒疑似事件",
        "description": "数名学生腹痛，已送医。",
        "occurred_at": "2026-01-05T08:00:00.000000Z"})
    api.login("chief_inspector").act("major-matters", row, "accept", {})
    connection = server.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute("update dudao.major_matters set urgent_report_due_at ="
                       " now() - interval '1 minute' where id = %s",
                       (row["id"],))
    connection.close()
    shown = api.login("office_staff").read("major-matters", row["id"])
    assert shown["urgent_report_overdue"]
    with db.cursor() as cursor:
        cursor.execute("select app.tell_urgent_reports()")
        cursor.execute("select count(*) from dudao.notifications where"
                       " subject_id = %s and kind = 'urgent_report_overdue'",
                       (row["id"],))
        assert cursor.fetchone()[0] > 0


@pytest.mark.clause("C1.d")
def test_bottlenecks_are_recorded_and_tracked(api, db):
    """From the record to the committee's decision, found by their kind."""
    staff = api.login("office_staff")
    answer = staff.create("major-matters", {
        "kind": "difficulty", "title": "x", "description": "y"}, status=422)
    assert faults(answer) == {("/kind", "not-in-enum")}
    row = matter(api, kind="bottleneck", severity="moderate")
    found = staff.list("major-matters", kind="bottleneck", state="draft")
    assert row["id"] in {r["id"] for r in found}
    assert {r["kind"] for r in found} == {"bottleneck"}
    api.login("chief_inspector").act("major-matters", row, "accept", {})
    steps = staff.get(f"/v1/major-matters/{row['id']}/transitions",
                      status=200).json()["data"]
    assert [(s["action"], s["role"]) for s in steps] == [
        ("accept", "chief_inspector")]
    # the county's own has come to a decision that everybody has read; early
    # in a year no bottleneck has yet, but a matter of the year before
    done = (staff.list("major-matters", kind="bottleneck", state="circulated")
            or staff.list("major-matters", state="closed"))[0]
    assert done["resolution_id"] and done["resolved_on"]
    staff.change("major-matters", done, {"title": "另一件"}, status=409)


@pytest.mark.clause("4.2")
def test_units_register_for_themselves(api, db):
    other = ledger.organization_id(db, "伍市镇示例中心小学")
    answer = api.login("school_account").create("major-matters", {
        "kind": "bottleneck", "title": "床位不足", "description": "不足。",
        "organization_id": other}, status=403)
    assert answer["code"] == "out-of-scope"
