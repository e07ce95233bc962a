"""Training: 3.17, C2.4.3.a to C2.4.3.c, L-DX-05, R-TRN-01 to R-TRN-03."""

import datetime
import json
import threading

import psycopg2
import pytest

from support.client import unique
from walks.training_plans import TrainingPlans
from walks.training_sessions import new_session, today

HOURS = {"attended_hours": 8}


def faults(problem):
    return {(e.get("pointer"), e["code"]) for e in problem["errors"]}


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def staff(api):
    return api.login("office_staff")


@pytest.fixture
def chief(api):
    return api.login("chief_inspector")


@pytest.fixture
def plan(api, db):
    """A draft of a year of its own, with both kinds of training."""
    return TrainingPlans(api, db, None).make("draft")


@pytest.fixture
def inspectors(staff):
    return [staff.one("inspectors", q=f"演示督学{n}")["id"]
            for n in (34, 35, 36)]


def opened(api, **members):
    session = new_session(api, **members)
    return api.login("office_staff").act("training-sessions", session,
                                         "open", {})


def enrol(client, session, inspectors, status=201):
    return client.post(f"/v1/training-sessions/{session['id']}/records",
                       status=status, json={"records": [
                           {"inspector_id": i} for i in inspectors]}).json()


def in_progress(api, inspectors, **members):
    session = opened(api, **members)
    staff = api.login("office_staff")
    records = enrol(staff, session, inspectors)["data"]
    return staff.act("training-sessions", session, "start", {}), records


def attendance(inspectors, **members):
    return {"records": [{"inspector_id": i, **HOURS, **members}
                        for i in inspectors]}


def hours_of(client, inspector, **params):
    row, = client.list("training-hours", year=today().year,
                       inspector_id=inspector, **params)
    return row["hours"], row["other_hours"]


def refused(connection, statement, *values):
    """Code of the whole refusal, and those of the errors."""
    with connection.cursor() as cursor, pytest.raises(
            psycopg2.Error) as error:
        cursor.execute(statement, values)
    detail = json.loads(error.value.diag.message_detail)
    return detail["code"], {e["code"] for e in detail.get("errors", [])}


# --- plans --------------------------------------------------------------------


@pytest.mark.clause("C2.4.3.a", "R-TRN-01")
def test_one_plan_a_year_is_approved_by_the_chief(staff, chief, plan):
    again = staff.create("training-plans", {
        "year": plan["year"], "title": "又一份", "hours_target": 40},
        status=409)
    assert again["code"] == "duplicate"
    chief.act("training-plans", plan, "approve", {}, status=409)
    staff.act("training-plans", plan, "submit", {})
    staff.act("training-plans", plan, "approve", {
        "not_included_reason": "无"}, status=403)
    row = chief.act("training-plans", plan, "return",
                    {"reason": "请补充专题"})
    assert row["state"] == "draft"
    staff.change("training-plans", row, {"hours_target": 44})
    staff.act("training-plans", plan, "submit", {})
    row = chief.act("training-plans", plan, "approve", {
        "included_in_cadre_teacher_plan": True,
        "inclusion_doc_no": "平教通〔2040〕3号"})
    assert row["approved_on"] == str(today())
    staff.change("training-plans", row, {"hours_target": 10}, status=422)
    # the demo county has one in force
    assert staff.one("training-plans", year=today().year,
                     state="approved")["inclusion_doc_no"]


@pytest.mark.clause("C2.4.3.a", "C2.4.3.c", "L-DX-05", "R-TRN-01")
def test_a_plan_has_forty_hours_and_both_kinds(api, db, staff):
    year = TrainingPlans(api, db, None).value(
        "select min(y) from generate_series(2040, 2100) y"
        " where y not in (select year from dudao.training_plans)")
    plan = staff.create("training-plans", {
        "year": year, "title": "草拟", "hours_target": 39})
    problem = staff.act("training-plans", plan, "submit", {}, status=422)
    assert sorted(e["code"] for e in problem["errors"]) == [
        "hours-target-too-low", "training-kind-missing",
        "training-kind-missing"]
    assert {e["clause_id"] for e in problem["errors"]} == {
        "L-DX-05", "C2.4.3.c"}
    assert staff.read("training-plans", plan["id"])["state"] == "draft"


@pytest.mark.clause("C2.4.3.b", "R-TRN-01")
def test_a_plan_is_included_with_a_number_or_says_why_not(
        api, db, staff, chief, plan, as_login):
    staff.act("training-plans", plan, "submit", {})
    problem = chief.act("training-plans", plan, "approve", {}, status=422)
    assert codes(problem) == {"inclusion-or-reason"}
    assert problem["clause_id"] == "C2.4.3.b"
    problem = chief.act("training-plans", plan, "approve", {
        "included_in_cadre_teacher_plan": True}, status=422)
    assert faults(problem) == {("/inclusion_doc_no", "required")}
    # the same without the service
    assert refused(as_login("chief_inspector"),
                   "update dudao.training_plans set state = 'approved'"
                   " where id = %s", plan["id"]) == (
        "precondition-failed", {"inclusion-or-reason"})
    row = chief.act("training-plans", plan, "approve", {
        "not_included_reason": "全县教师培训计划已先行下达"})
    assert not row["included_in_cadre_teacher_plan"]
    other = TrainingPlans(api, db, None).make("draft")
    staff.act("training-plans", other, "submit", {})
    row = chief.act("training-plans", other, "approve", {
        "included_in_cadre_teacher_plan": True,
        "inclusion_doc_no": "平教通〔2041〕2号"})
    assert row["inclusion_doc_no"] == "平教通〔2041〕2号"
    problem = staff.create("training-plans", {
        "year": 2039, "title": "甲", "hours_target": 40,
        "inclusion_doc_no": "平教通〔2039〕1号"}, status=422)
    assert codes(problem) == {"inclusion-not-stated"}


@pytest.mark.clause("R-TRN-01", "3.17")
def test_a_plan_is_closed_after_its_sessions(staff, chief, plan):
    staff.act("training-plans", plan, "submit", {})
    chief.act("training-plans", plan, "approve",
              {"not_included_reason": "另行安排"})
    problem = chief.act("training-plans", plan, "close", {}, status=422)
    assert problem["errors"][0]["params"] == {"count": 2}
    for session in staff.list("training-sessions", plan_id=plan["id"]):
        chief.act("training-sessions", session, "cancel", {"reason": "停办"})
    chief.act("training-plans", plan, "close", {})
    problem = staff.create("training-sessions", {
        "plan_id": plan["id"], "kind": "exchange", "title": "补办",
        "mode": "online", "starts_at": f"{plan['year']}-05-01T01:00:00.000000Z",
        "ends_at": f"{plan['year']}-05-01T09:00:00.000000Z"}, status=422)
    assert codes(problem) == {"training-plan-closed"}


# --- sessions -----------------------------------------------------------------


@pytest.mark.clause("C2.4.3.c", "3.17")
def test_a_session_opens_with_all_that_it_needs(api, db, staff, plan):
    session, = staff.list("training-sessions", plan_id=plan["id"],
                          kind="pre_service")
    staff.change("training-sessions", session, {"hours": None})
    problem = staff.act("training-sessions", session, "open", {}, status=422)
    assert faults(problem) == {
        (None, "training-plan-not-approved"), (None, "budget-line-required"),
        ("/trainer", "required"), ("/hours", "required"),
        ("/place", "required")}
    problem = staff.create("training-sessions", {
        "plan_id": plan["id"], "kind": "exchange", "title": "跨年",
        "mode": "online", "starts_at": "2038-05-01T01:00:00.000000Z",
        "ends_at": "2038-05-01T00:00:00.000000Z"}, status=422)
    assert codes(problem) >= {"session-outside-plan-year"}


@pytest.mark.clause("C2.4.3.c")
def test_opening_tells_the_inspectors(api):
    session = opened(api)
    inspector = api.login("inspector_pt")
    assert any(n["subject_id"] == session["id"] for n in
               inspector.list("notifications", kind="training_open"))
    assert inspector.read("training-sessions", session["id"])["state"] == \
        "open"


@pytest.mark.clause("3.17")
def test_a_session_starts_on_its_day_with_somebody(api, staff):
    tomorrow = today() + datetime.timedelta(days=1)
    if tomorrow.year != today().year:
        pytest.skip("the last day of the year")
    session = opened(api, starts_at=f"{tomorrow}T01:00:00.000000Z",
                     ends_at=f"{tomorrow}T09:00:00.000000Z")
    problem = staff.act("training-sessions", session, "start", {}, status=422)
    assert codes(problem) == {"nobody-enrolled", "session-not-begun"}


# --- enrolment ----------------------------------------------------------------


@pytest.mark.clause("C2.4.3.c")
def test_many_are_enrolled_at_once_or_none(api, staff, inspectors, as_login):
    session = opened(api, capacity=4)
    unknown = "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"
    enrol(staff, session, inspectors[:1])
    problem = enrol(staff, session, [
        inspectors[1], unknown, inspectors[0], inspectors[1]], status=422)
    assert faults(problem) == {
        ("/records/1/inspector_id", "unknown-reference"),
        ("/records/2/inspector_id", "already-enrolled"),
        ("/records/3/inspector_id", "already-enrolled")}
    path = f"training-sessions/{session['id']}/records"
    assert len(staff.list(path)) == 1
    rows = enrol(staff, session, inspectors[1:])["data"]
    assert [r["inspector_id"] for r in rows] == inspectors[1:]
    assert {r["state"] for r in rows} == {"enrolled"}
    assert len(staff.list(path)) == 3
    # places are counted, too
    others = [staff.one("inspectors", q=f"演示督学{n}")["id"]
              for n in (37, 38)]
    problem = enrol(staff, session, others, status=422)
    assert faults(problem) == {("/records/1/session_id", "session-full")}
    assert staff.create("training-records", {
        "session_id": session["id"], "inspector_id": inspectors[0]},
        status=409)["code"] == "already-enrolled"
    # once for an inspector, also without the service
    with as_login("office_staff").cursor() as cursor, pytest.raises(
            psycopg2.errors.UniqueViolation):
        cursor.execute("insert into dudao.training_records(session_id,"
                       " inspector_id) values (%s, %s)",
                       (session["id"], inspectors[0]))
    api.login("inspector_pt").post(
        f"/v1/{path}", status=403, json={"records": [
            {"inspector_id": others[0]}]})


@pytest.mark.clause("R-TRN-03")
def test_the_last_place_is_taken_once(api, staff, inspectors):
    session = opened(api, capacity=1)
    answers = []

    def take(inspector):
        answers.append(api.login("office_staff").post(
            "/v1/training-records", json={
                "session_id": session["id"], "inspector_id": inspector}
        ).status_code)

    threads = [threading.Thread(target=take, args=(i,)) for i in inspectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 422, 422]


@pytest.mark.clause("L-DX-05", "R-TRN-03", "3.17")
def test_nothing_is_added_after_the_end(api, staff, chief, inspectors,
                                        as_login):
    session = new_session(api)
    problem = enrol(staff, session, inspectors, status=422)
    assert codes(problem) == {"session-not-open"}
    session, records = in_progress(api, inspectors[:1])
    staff.act("training-sessions", session, "complete",
              attendance(inspectors[:1]))
    problem = enrol(staff, session, inspectors[1:], status=422)
    assert codes(problem) == {"session-closed"}
    chief.act("training-sessions", session, "close", {})
    problem = staff.create("training-records", {
        "session_id": session["id"], "inspector_id": inspectors[1]},
        status=422)
    assert codes(problem) == {"session-closed"}
    connection = as_login("office_staff")
    assert refused(connection, "insert into dudao.training_records("
                   "session_id, inspector_id) values (%s, %s)",
                   session["id"], inspectors[1])[1] == {"session-closed"}
    # and what counts stays as it is
    assert refused(connection, "update dudao.training_records"
                   " set attended_hours = 7 where id = %s",
                   records[0]["id"])[1] == {"not-editable"}
    assert refused(connection, "update dudao.training_sessions"
                   " set hours = 80, mode = 'concentrated' where id = %s",
                   session["id"])[1] == {"not-editable"}


# --- attendance and results ---------------------------------------------------


@pytest.mark.clause("L-DX-05", "R-TRN-03")
def test_nobody_has_more_hours_than_the_session(api, staff, db, inspectors):
    session, records = in_progress(api, inspectors)
    problem = staff.act("training-records", records[0], "attend",
                        {"attended_hours": 8.5}, status=422)
    assert faults(problem) == {("/attended_hours", "hours-exceed-session")}
    assert problem["errors"][0]["params"] == {"max": 8.0}
    # all rows are named, and none is kept
    problem = staff.act("training-sessions", session, "complete", {
        "records": [
            {"inspector_id": inspectors[0], "attended_hours": 8},
            {"inspector_id": inspectors[1], "attended_hours": 9},
            {"inspector_id": inspectors[2], "attended_hours": 0,
             "result": "passed"},
            {"inspector_id": staff.one("inspectors", q="演示督学50")["id"],
             "attended_hours": 8}]}, status=422)
    assert faults(problem) == {
        ("/records/1/attended_hours", "hours-exceed-session"),
        ("/records/2/result", "result-of-absent"),
        ("/records/3/inspector_id", "not-enrolled")}
    assert {r["state"] for r in staff.list(
        f"training-sessions/{session['id']}/records")} == {"enrolled"}
    problem = staff.act("training-sessions", session, "complete",
                        attendance(inspectors[:1]), status=422)
    assert faults(problem) == {("/records", "attendance-missing")}
    # the table itself: hours fit the attendance
    with db.cursor() as cursor, pytest.raises(psycopg2.Error):
        cursor.execute("update dudao.training_records set attended_hours = 3"
                       " where id = %s", (records[0]["id"],))


@pytest.mark.clause("R-TRN-03", "3.17")
def test_attendance_and_results_come_with_the_end(api, staff, chief,
                                                  inspectors):
    session, _ = in_progress(api, inspectors)
    center = api.login("research_center")
    session = center.act("training-sessions", session, "complete", {
        "records": [
            {"inspector_id": inspectors[0], "attended_hours": 8,
             "result": "passed"},
            {"inspector_id": inspectors[1], "attended_hours": 6.5,
             "result": "failed", "comment": "结业测试未达标"},
            {"inspector_id": inspectors[2], "attended_hours": 0}]})
    assert (session["state"], session["attended_count"],
            session["absent_count"]) == ("completed", 2, 1)
    rows = {r["inspector_id"]: r for r in staff.list(
        f"training-sessions/{session['id']}/records")}
    assert [(rows[i]["state"], rows[i]["result"], rows[i]["attended_hours"])
            for i in inspectors] == [
        ("passed", "passed", 8.0), ("failed", "failed", 6.5),
        ("absent", "absent", 0.0)]
    assert rows[inspectors[1]]["comment"] == "结业测试未达标"
    history = staff.get(f"/v1/training-records/{rows[inspectors[0]]['id']}"
                        "/transitions", status=200).json()["data"]
    assert [t["action"] for t in history] == ["attend", "pass"]


@pytest.mark.clause("R-TRN-02", "3.17")
def test_certificates_are_unique_and_for_who_passed(api, staff, inspectors):
    session, records = in_progress(api, inspectors)
    staff.act("training-sessions", session, "complete", {
        "records": [{"inspector_id": i, "attended_hours": 8, "result": r}
                    for i, r in zip(inspectors,
                                    ("passed", "passed", "failed"))]})
    number = unique("PX")
    first = staff.act("training-records", records[0], "certify",
                      {"certificate_no": number})
    assert (first["state"], first["certificate_no"],
            first["certified_on"]) == ("certified", number, str(today()))
    problem = staff.act("training-records", records[1], "certify",
                        {"certificate_no": number}, status=409)
    assert problem["code"] == "duplicate-number"
    assert staff.act("training-records", records[1], "certify",
                     {})["certificate_no"].startswith("PXZ-")
    problem = staff.act("training-records", records[2], "certify", {},
                        status=409)
    assert problem["code"] == "illegal-transition"
    assert staff.one("training-records", certificate_no=number)["id"] == \
        records[0]["id"]


@pytest.mark.clause("3.0", "3.17")
def test_who_gives_the_course_assesses_and_nobody_himself(
        api, staff, db, inspectors):
    trainer = staff.one("inspectors", q="演示督学17")
    session = opened(api, trainer_person_id=trainer["person_id"])
    problem = enrol(staff, session, [trainer["id"]], status=422)
    assert codes(problem) == {"trainer-is-trainee"}
    records = enrol(staff, session, inspectors[:2])["data"]
    staff.act("training-sessions", session, "start", {})
    for record in records:
        staff.act("training-records", record, "attend", HOURS)
    given = api.login("inspector_pt")
    assert given.act("training-records", records[0], "pass",
                     {})["state"] == "passed"
    # another inspector does not even see them
    api.login("inspector_ft").act("training-records", records[1], "pass", {},
                                  status=404)
    own, = [r for r in in_progress(api, [trainer["id"]])[1]]
    staff.act("training-records", own, "attend", HOURS)
    problem = given.act("training-records", own, "pass", {}, status=422)
    assert problem["code"] == "separation-of-duties"


@pytest.mark.clause("C2.4.3.c", "L-DX-05", "R-TRN-02")
def test_pre_service_training_comes_before_the_first_duty(
        api, staff, chief, db):
    """What is passed is what the appointment rests on."""
    with db.cursor() as cursor:
        cursor.execute(
            "with p as (insert into dudao.persons(code, name)"
            " values (%s, '演示·新任督学') returning id)"
            " insert into dudao.inspectors(person_id, code, degree,"
            " work_years, background) select id, %s, 'bachelor', 15,"
            " 'teacher' from p returning id::text",
            (unique("RY-T"), unique("DX-T")))
        inspector, = cursor.fetchone()
        cursor.execute(
            "insert into dudao.inspector_appointments(inspector_id,"
            " basis_document_id, employment, appointment_mode,"
            " appointing_authority) select %s, id, 'part_time', 'engaged',"
            " 'supervision_committee' from dudao.policy_documents"
            " where doc_no = '平办发〔2022〕30号' returning id",
            (inspector,))
        appointment, = cursor.fetchone()

        def passed():
            cursor.execute(
                "select pre_service_record_id, pre_service_passed_on"
                " from dudao.inspector_appointments where id = %s",
                (appointment,))
            return cursor.fetchone()

        # another kind of training does not do
        session, _ = in_progress(api, [inspector])
        staff.act("training-sessions", session, "complete",
                  attendance([inspector], result="passed"))
        assert passed() == (None, None)
        session, records = in_progress(api, [inspector], kind="pre_service")
        staff.act("training-sessions", session, "complete",
                  attendance([inspector]))
        assert passed() == (None, None)
        # the result is mandatory here
        problem = chief.act("training-sessions", session, "close", {},
                            status=422)
        assert codes(problem) == {"results-missing"}
        api.login("research_center").act("training-records", records[0],
                                         "pass", {})
        record, passed_on = passed()
        assert (record, passed_on) == (records[0]["id"], today())
        chief.act("training-sessions", session, "close", {})


# --- hours of a year ----------------------------------------------------------


@pytest.mark.clause("C2.4.3.c", "L-DX-05", "R-TRN-03")
def test_concentrated_hours_count_from_the_close_on(api, staff, chief):
    inspector = staff.one("inspectors", q="演示督学52")["id"]
    hours, other = hours_of(staff, inspector)
    sessions = [in_progress(api, [inspector], mode=mode)[0]
                for mode in ("concentrated", "online")]
    for session in sessions:
        staff.act("training-sessions", session, "complete",
                  attendance([inspector]))
    assert hours_of(staff, inspector) == (hours, other)
    record = staff.one("training-records", training_session_id=sessions[0]["id"])
    assert record["counted_hours"] == 0
    for session in sessions:
        row = chief.act("training-sessions", session, "close", {})
        assert row["counts_to_target"] == (row["mode"] == "concentrated")
    assert hours_of(staff, inspector) == (hours + 8, other + 8)
    record = staff.read("training-records", record["id"])
    assert record["counted_hours"] == 8
    yesterday = today() - datetime.timedelta(days=1)
    if yesterday.year == today().year:
        assert hours_of(staff, inspector, as_of=yesterday) == (hours, other)


@pytest.mark.clause("C2.4.3.c", "R-TRN-03", "Q-INS-02")
def test_forty_hours_a_year_for_nearly_all(staff):
    year = today().year
    rows = {r["inspector_name"]: r for r in
            staff.list("training-hours", year=year)}
    assert len(rows) >= 66
    one = rows["演示督学41"]
    assert one["hours"] == 22 and one["gap"] == one["target"] - 22
    demo = [r for name, r in rows.items() if "演示·dx" not in name]
    enough = [r for r in demo if r["hours"] >= r["expected"]]
    assert len(enough) >= 0.95 * len(demo)
    days = (today() - datetime.date(year, 1, 1)).days + 1
    whole = 366 if year % 4 == 0 else 365
    full = rows["演示督学18"]
    assert full["target"] == 40 and full["service_days"] == days
    assert abs(full["expected"] - 40 * days / whole) <= 0.05
    names = [r["inspector_name"] for r in
             staff.list("training-hours", year=year, colour="green")]
    assert "演示督学18" in names
    assert all(r["hours"] >= 40 for r in
               staff.list("training-hours", year=year - 1)
               if r["inspector_name"].startswith("演示督学"))


@pytest.mark.clause("L-DX-05", "R-TRN-03")
def test_part_of_a_year_has_part_of_the_target(api, staff, db, server):
    """Hired in the course of the year: 40 hours by the days in office."""
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select i.id from dudao.inspectors i"
                       " join dudao.persons p on p.id = i.person_id"
                       " where p.name = '演示督学53'")
        inspector, = cursor.fetchone()
        cursor.execute("alter table dudao.inspector_appointments"
                       " disable trigger user")
        cursor.execute("delete from dudao.inspector_appointments"
                       " where inspector_id = %s and state <> 'active'"
                       " and not exists (select from"
                       " dudao.inspector_appointments b where b.renewal_of_id"
                       " = dudao.inspector_appointments.id)", (inspector,))
        cursor.execute("update dudao.inspector_appointments"
                       " set ended_on = starts_on"
                       " where inspector_id = %s and state <> 'active'",
                       (inspector,))
        cursor.execute("update dudao.inspector_appointments"
                       " set starts_on = '2025-07-03', ends_on = '2028-07-02'"
                       " where inspector_id = %s and state = 'active'",
                       (inspector,))
        cursor.execute("select target, expected, service_days"
                       " from app.training_hours(2025, '2025-12-31')"
                       " where inspector_id = %s", (inspector,))
        # 3 July to 31 December: 182 of 365 days
        target, expected, days = cursor.fetchone()
        cursor.execute("rollback")
    assert (float(target), float(expected), days) == (19.9, 19.9, 182)


@pytest.mark.clause("L-DX-05", "4.3")
def test_everybody_has_a_training_file(api, staff):
    client = api.login("inspector_pt")
    own = staff.one("inspectors", q="演示督学17")["id"]
    file = client.list("training-records", inspector_id=own)
    assert file and {r["inspector_id"] for r in file} == {own}
    assert {r["id"] for r in file} == {r["id"] for r in staff.list(
        "training-records", inspector_id=own)}
    assert file[0]["session_starts_at"] >= file[-1]["session_starts_at"]
    other = staff.one("inspectors", q="演示督学41")["id"]
    assert client.list("training-records", inspector_id=other) == []
    # the summary: one's own, the zone's, all
    assert {r["id"] for r in client.list(
        "training-hours", year=today().year)} == {own}
    zone = api.login("zone_lead").list(
        "training-hours", year=today().year)
    assert 1 < len(zone) < 66
    assert len(api.login("leader_reader").list(
        "training-hours", year=today().year)) >= 66
    api.login("school_account").get("/v1/training-hours?year=2026",
                                    status=403)
    assert api.get("/v1/training-hours?year=2026").status_code == 401
