"""Inspectors and their appointments: 2.4, 3.15, C2.4.1, L-TL-6, L-TL-7,
L-DX-01, L-DX-02, L-DX-05."""

import json

import pytest

from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body
        self.codes = {e["code"] for e in body.get("errors", [])}


@pytest.fixture
def appointment(db):
    """Steps of one appointment as the accounts that make them, by SQL; all of
    it is rolled back."""
    db.autocommit = False
    cursor = db.cursor()

    class Steps:
        def sql(self, text, *values):
            cursor.execute(text, values)
            return cursor.fetchone()

        def on(self, day):
            self.sql("select set_config('dudao.now', %s, true)",
                     day and f"{day} 09:00+08")

        def new(self, employment="part_time", **members):
            self.sql("select app.act_as('office_staff', true)")
            person, = self.sql(
                "insert into dudao.persons(code, name) values"
                " (%s, '演示·新督学') returning id", unique("RY-T"))
            self.inspector, = self.sql(
                "insert into dudao.inspectors(person_id, code, degree,"
                " work_years, background, public_phone) values (%s, %s, %s,"
                " %s, 'teacher', '0730-6209000') returning id", person,
                unique("DX-T"), members.get("degree", "bachelor"),
                members.get("work_years", 12))
            self.id, = self.sql(
                "insert into dudao.inspector_appointments(inspector_id,"
                " basis_document_id, employment, appointment_mode,"
                " appointing_authority, term_no) select %s, id, %s, %s, %s,"
                " %s from dudao.policy_documents"
                " where doc_no = '平办发〔2022〕30号' returning id",
                self.inspector, employment,
                "appointed" if employment == "full_time" else "engaged",
                "county_government" if employment == "full_time"
                else "supervision_committee", members.get("term_no", 1))
            return self

        def act(self, login, action, data=None):
            self.sql("select app.act_as(%s, true)", login)
            return self.guarded(
                "select body::jsonb from app.act('inspector_appointments',"
                " %s, %s, null, %s)", self.id, action,
                json.dumps(data or {}))

        def system(self, action):
            return self.guarded("select app.system_step("
                                "'inspector_appointments', %s, %s)",
                                self.id, action)

        def guarded(self, text, *values):
            cursor.execute("savepoint step")
            try:
                return self.sql(text, *values)[0]
            except Exception as error:
                state = error.pgcode
                body = json.loads(error.diag.message_detail)
                cursor.execute("rollback to step")
                raise Refused(int(state[2:]), body) from None

        def qualified(self):
            self.act("office_staff", "review", {"qualification": {
                item: True for item in self.sql(
                    "select app.qualification_items()")[0]}})

        def until_approved(self):
            self.on("2026-02-02")
            self.qualified()
            self.act("chief_inspector", "publicize")
            self.on("2026-03-02")
            self.act("chief_inspector", "approve")
            return self

    yield Steps()
    db.rollback()
    db.autocommit = True


@pytest.mark.clause("R-INS-01", "R-INS-02", "C2.4.1.a", "C2.4.1.b")
def test_numbers_of_the_county(api):
    staff = api.login("office_staff")
    full, part = ([row for row in staff.list("inspectors",
                                             current_employment=kind)
                   if row["is_demo"]] for kind in ("full_time", "part_time"))
    assert (len(full), len(part)) == (18, 48)
    assert 304 / 66 <= 5 and 18 / 66 <= 1 / 3
    # R-INS-05
    assert all(row["degree"] != "below_bachelor" and row["work_years"] >= 10
               for row in full + part)
    assert all(row["school_count"] <= 5 for row in full + part)


def test_appointments_are_read_with_the_inspector(api):
    staff = api.login("office_staff")
    row = staff.one("inspectors", q="演示督学40")
    answer = staff.get(f"/v1/inspectors/{row['id']}", status=200, params={
        "expand": ["appointments", "plaques", "person", "zone"]}).json()
    assert [a["term_no"] for a in answer["appointments"]] == [3, 2, 1]
    assert [a["state"] for a in answer["appointments"]] == [
        "active", "ended", "ended"]
    assert answer["zone"]["code"] == "Z1" and answer["plaques"]
    assert answer["person"]["name"] == "演示督学40"


def test_filters(api):
    staff = api.login("office_staff")
    zone = staff.one("zones", code="Z4")["id"]
    assert len(staff.list("inspectors", zone_id=zone)) == 18
    assert len(staff.list("inspectors", zone_id=zone,
                          current_employment="full_time")) == 4
    assert staff.list("inspectors", is_researcher="true",
                      expertise_stages="kindergarten")
    assert len(staff.list("inspectors", sort="-work_years",
                          current_employment="full_time")) == 18


def test_public_phone_is_whole_on_the_plaque_only(api):
    row = api.login("leader_reader").one("inspectors", q="演示督学02")
    assert "****" in row["public_phone"]
    plaque = api.login("leader_reader").one("plaques",
                                            inspector_id=row["id"])
    assert plaque["public_phone"].startswith("0730-6201")


def test_candidate_is_not_active(api):
    staff = api.login("office_staff")
    person = staff.create("persons", {"name": unique("演示·候选")})
    made = staff.create("inspectors", {
        "person_id": person["id"], "background": "teacher",
        "degree": "bachelor", "work_years": 15})
    assert made["status"] == "candidate" and made["code"].startswith(
        "DX-430626-")
    assert codes(staff.change("inspectors", made, {"status": "active"},
                              status=422)) == {"no-active-appointment"}
    staff.create("inspectors", {"person_id": person["id"],
                                "background": "other"}, status=409)


@pytest.mark.clause("L-DX-02", "R-INS-06")
def test_each_appointment_is_made_public_twice(api, db):
    staff = api.login("office_staff")
    row = staff.one("inspectors", q="演示督学17")
    answer = staff.get(f"/v1/inspectors/{row['id']}", status=200, params={
        "expand": "appointments"}).json()
    first = answer["appointments"][-1]
    with db.cursor() as cursor:
        for member in ("publicity_publication_id", "notice_publication_id"):
            cursor.execute("select state, body from dudao.publications"
                           " where id = %s", (first[member],))
            state, body = cursor.fetchone()
            assert state == "published" and "演示督学17（兼职" in body
    titles = {row["title"] for row in api.get(
        "/v1/public/appointment-notices", status=200,
        params={"limit": 200}).json()["data"]}
    assert "督学聘任公告（2022-08-25）" in titles


@pytest.mark.clause("L-TL-7", "L-DX-03", "R-INS-05")
def test_every_condition_is_needed(appointment):
    appointment.new(degree="below_bachelor", work_years=5)
    appointment.act("office_staff", "review", {"qualification": {
        item: item == "health" for item in appointment.sql(
            "select app.qualification_items()")[0]}})
    with pytest.raises(Refused) as refused:
        appointment.act("chief_inspector", "publicize")
    assert refused.value.status == 422
    assert refused.value.codes == {"qualification-not-met", "degree-too-low",
                                   "work-years-too-few"}
    assert len(refused.value.body["errors"]) == 8 + 2


@pytest.mark.clause("L-DX-02", "R-INS-06")
def test_publicity_lasts_seven_working_days(appointment):
    appointment.new().on("2026-02-02")
    appointment.qualified()
    with pytest.raises(Refused) as refused:
        appointment.act("chief_inspector", "publicize",
                        {"publicity_to": "2026-02-10"})
    assert refused.value.codes == {"publicity-too-short"}
    body = appointment.act("chief_inspector", "publicize")
    assert body["publicity_to"] == "2026-02-11"
    with pytest.raises(Refused) as refused:
        appointment.act("chief_inspector", "approve")
    assert refused.value.codes == {"publicity-not-over"}
    appointment.on("2026-02-12")
    appointment.on("2026-02-10")
    appointment.act("office_staff", "record_objection", {"text": "示例异议"})
    appointment.on("2026-02-12")
    with pytest.raises(Refused) as refused:
        appointment.act("chief_inspector", "approve")
    assert refused.value.codes == {"objection-open"}


@pytest.mark.clause("C2.1.1.f", "R-INS-10", "L-DX-05", "L-TL-6", "R-INS-03",
                    "R-TRN-02")
def test_appointment_and_first_day(appointment):
    appointment.new().until_approved()
    with pytest.raises(Refused) as refused:
        appointment.act("chief_inspector", "appoint")
    assert refused.value.body["code"] == "role-not-permitted"
    with pytest.raises(Refused) as refused:
        appointment.act("committee_director", "appoint",
                        {"starts_on": "2026-04-01"})
    assert refused.value.codes == {"required"}
    with pytest.raises(Refused) as refused:
        appointment.act("committee_director", "appoint", {
            "starts_on": "2026-04-01", "ends_on": "2030-03-31",
            "decision_doc_no": "示例〔2026〕1号"})
    assert refused.value.codes == {"term-length"}
    body = appointment.act("committee_director", "appoint", {
        "starts_on": "2026-04-01", "decision_doc_no": "示例〔2026〕1号"})
    assert body["ends_on"] == "2029-03-31" and body["certificate_no"]
    # L-DX-02: reported upwards, and in the outbox
    assert appointment.sql(
        "select count(*) from dudao.dispatches where subject_id = %s"
        " and purpose = 'report'", appointment.id) == (1,)
    assert appointment.sql(
        "select count(*) from dudao.exchange_messages where subject_id = %s"
        " and type = 'X-13'", appointment.id) == (1,)
    with pytest.raises(Refused) as refused:
        appointment.system("activate")
    assert refused.value.codes == {"term-not-begun",
                                   "pre-service-training-missing"}
    appointment.on("2026-04-02")
    appointment.sql("update dudao.inspector_appointments set"
                    " pre_service_passed_on = '2026-03-20' where id = %s"
                    " returning 1", appointment.id)
    appointment.sql("select app.run_appointments()")
    assert appointment.sql(
        "select app.employment_of(%s), (select status from dudao.inspectors"
        " where id = %s)", appointment.inspector, appointment.inspector) == (
        "part_time", "active")


@pytest.mark.clause("C2.4.1.b", "R-INS-02")
def test_share_of_full_time_inspectors(appointment):
    appointment.new("full_time").until_approved()
    data = {"starts_on": "2026-04-01", "decision_doc_no": "示例〔2026〕2号"}
    appointment.sql("update dudao.rule_parameters set value = '0.1',"
                    " changed_reason = 'test' where key ="
                    " 'fulltime_ratio_limit' returning 1")
    with pytest.raises(Refused) as refused:
        appointment.act("committee_deputy", "appoint", data)
    assert refused.value.codes == {"fulltime-share-exceeded"}
    appointment.act("committee_deputy", "appoint",
                    {**data, "override_reason": "责任区专职不足两名"})


@pytest.mark.clause("L-TL-6", "R-INS-04")
def test_no_fourth_term(appointment):
    appointment.sql("select app.act_as('office_staff', true)")
    appointment.id, = appointment.sql(
        "select a.id from dudao.inspector_appointments a"
        " join dudao.inspectors i on i.id = a.inspector_id"
        " join dudao.persons p on p.id = i.person_id"
        " where p.name = '演示督学40' and a.state = 'active'")
    with pytest.raises(Refused) as refused:
        appointment.act("office_staff", "renew")
    assert refused.value.codes == {"too-many-terms"}
    assert refused.value.body["clause_id"] == "L-TL-6"


@pytest.mark.clause("L-TL-26", "R-PLQ-01")
def test_end_closes_what_hung_on_it(appointment):
    inspector, appointment.id = appointment.sql(
        "select i.id, a.id from dudao.inspector_appointments a"
        " join dudao.inspectors i on i.id = a.inspector_id"
        " join dudao.persons p on p.id = i.person_id"
        " where p.name = '演示督学20' and a.state = 'active'")
    with pytest.raises(Refused):
        appointment.act("committee_director", "dismiss")
    appointment.act("committee_director", "dismiss",
                    {"ground": "dereliction",
                     "reason": "玩忽职守，贻误督导工作"})
    assert appointment.sql(
        "select (select count(*) from dudao.plaques where inspector_id = %s"
        " and state = 'posted'), (select count(*) from"
        " dudao.zone_memberships where inspector_id = %s and ended_on is"
        " null), (select status from dudao.inspectors where id = %s),"
        " (select card_no from dudao.inspectors where id = %s),"
        " (select count(*) from dudao.role_grants g join dudao.users u on"
        " u.id = g.user_id join dudao.inspectors i on i.person_id ="
        " u.person_id where i.id = %s and g.state = 'active' and g.role ="
        " 'inspector_pt')", *[inspector] * 5) == (0, 0, "ended", None, 0)
    assert appointment.sql(
        "select count(*) from dudao.transitions t join dudao.plaques p on"
        " p.id = t.subject_id where p.inspector_id = %s and t.action ="
        " 'remove' and t.role = 'system'", inspector)[0] >= 4
