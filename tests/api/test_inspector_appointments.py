"""The operations of appointments (3.15): C2.1.1.f, C2.4.1.b to d, L-TL-6,
L-TL-7, L-DX-01 to L-DX-03."""

import json
import uuid

import pytest

from support import appointments, merit
from support.appointments import DAY, FORM, ITEMS, set_columns, today

RESOURCE = "inspector-appointments"


def errors(problem):
    return {(e.get("pointer"), e["code"]) for e in problem["errors"]}


def value(db, statement, *values):
    with db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


def refusal(connection, statement, *values):
    with connection.cursor() as cursor, pytest.raises(Exception) as error:
        cursor.execute(statement, values)
    return error.value.pgcode, json.loads(error.value.diag.message_detail)


@pytest.fixture
def parameter(db):
    """parameter(key, value) for this test alone."""
    before = {}

    def change(key, new):
        before.setdefault(key, value(
            db, "select value::text from dudao.rule_parameters"
                " where key = %s", key))
        with db.cursor() as cursor:
            cursor.execute("update dudao.rule_parameters set value = %s,"
                           " changed_reason = 'test' where key = %s",
                           (new, key))

    yield change
    for key, old in before.items():
        change(key, old)


# --- 推荐 ---------------------------------------------------------------------


@pytest.mark.clause("L-DX-02", "L-DX-01", "3.15")
def test_units_recommend(api, db):
    who, _ = appointments.person(db, "ORG-2143990006")
    school = api.login("school_account")
    made = school.create(RESOURCE, {
        "person_id": who, "employment": "part_time", "degree": "master",
        "work_years": 20, "background": "teacher",
        "recommendation_text": "本校推荐"})
    assert made["state"] == "recommended" and made["term_no"] == 1
    # L-DX-01: what kind it is says who appoints, and how
    assert (made["appointment_mode"], made["appointing_authority"]) == (
        "engaged", "supervision_committee")
    unit = value(db, "select organization_id::text from dudao.users"
                     " where login = 'school_account'")
    assert made["recommended_by_org_id"] == unit
    inspector = api.login("office_staff").read("inspectors",
                                               made["inspector_id"])
    assert (inspector["status"], inspector["degree"]) == ("candidate",
                                                          "master")
    # not in another unit's name, and not the office's form
    assert school.create(RESOURCE, {
        "person_id": who, "employment": "part_time",
        "recommended_by_org_id": value(
            db, "select id::text from dudao.organizations"
                " where code = 'MU07'")}, status=403)
    assert errors(school.change(RESOURCE, made, {"qualification": {
        "health": True, "integrity": True}}, status=422)) == {
        ("/qualification/health", "read-only-field"),
        ("/qualification/integrity", "read-only-field")}
    made = school.change(RESOURCE, made, {"recommendation_text": "补充材料"})
    api.login("school_account_2").read(RESOURCE, made["id"], status=404)
    # the second recommendation for the same term
    again = school.create(RESOURCE, {"person_id": who,
                                     "employment": "part_time"}, status=409)
    assert again["code"] == "duplicate"
    api.login("office_staff").act(RESOURCE, made, "review",
                                  {"qualification": FORM})
    row = school.read(RESOURCE, made["id"])
    school.change(RESOURCE, row, {"recommendation_text": "迟到"}, status=409)


def test_what_is_asked_for_is_named(api):
    staff = api.login("office_staff")
    assert errors(staff.create(RESOURCE, {"employment": "part_time"},
                               status=422)) == {("/inspector_id", "required")}
    assert errors(staff.create(RESOURCE, {
        "person_id": str(uuid.uuid4()), "employment": "part_time"},
        status=422)) == {("/person_id", "unknown-reference")}
    assert errors(staff.create(RESOURCE, {
        "employment": "part_time", "term_no": 1}, status=422)) == {
        ("/term_no", "unknown-field")}
    for login in ("finance_officer", "research_center", "sys_admin"):
        api.login(login).get(f"/v1/{RESOURCE}", status=403)


# --- 审核、公示 ------------------------------------------------------------------


@pytest.mark.clause("L-TL-7", "L-DX-03", "R-INS-05")
def test_the_form_has_nine_answers(api, db):
    staff = api.login("office_staff")
    row, _ = appointments.candidate(api, db, degree="below_bachelor",
                                    work_years=9)
    refused = staff.act(RESOURCE, row, "review",
                        {"qualification": {"health": True}}, status=422)
    assert errors(refused) == {("/qualification/" + item, "required")
                               for item in ITEMS if item != "health"}
    assert refused["clause_id"] == "L-TL-7"
    row = staff.act(RESOURCE, row, "review", {
        "qualification": {**FORM, "time_guaranteed": False}})
    refused = api.login("chief_inspector").act(RESOURCE, row, "publicize",
                                               {}, status=422)
    assert errors(refused) == {
        ("/qualification/time_guaranteed", "qualification-not-met"),
        (None, "degree-too-low"), (None, "work-years-too-few")}
    assert staff.read(RESOURCE, row["id"])["state"] == "reviewing"
    done = api.login("chief_inspector").act(
        RESOURCE, row, "reject", {"reason": "学历与年限不符"})
    assert done["state"] == "rejected"


@pytest.mark.clause("L-DX-02", "R-INS-06")
def test_publicity_and_its_objections(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    row, _ = appointments.candidate(api, db)
    staff.act(RESOURCE, row, "review", {"qualification": FORM})
    day = today(db)
    assert errors(chief.act(RESOURCE, row, "publicize", {
        "publicity_from": str(day - 3 * DAY),
        "publicity_to": str(day + DAY)}, status=422)) == {
        ("/publicity_from", "date-before-start"),
        ("/publicity_to", "publicity-too-short")}
    row = chief.act(RESOURCE, row, "publicize", {})
    assert value(db, "select app.workdays_between(%s, %s)",
                 row["publicity_from"], row["publicity_to"]) == 7
    notice = staff.read("publications", row["publicity_publication_id"])
    assert notice["kind"] == "appointment_notice"

    assert errors(staff.act(RESOURCE, row, "record-objection", {
        "text": "异议", "received_on": str(day - DAY)}, status=422)) == {
        ("/received_on", "objection-out-of-time")}
    for text in ("反映时间难以保证", "反映材料不实"):
        row = staff.act(RESOURCE, row, "record-objection", {
            "text": text, "raised_by": "演示·群众甲"})
    assert [o["no"] for o in row["objections"]] == [1, 2]
    # who objected is known to those who decide
    seen = api.login("leader_reader").read(RESOURCE, row["id"])
    assert {o["raised_by"] for o in seen["objections"]} == {None}
    staff.act(RESOURCE, row, "decide-objection", {
        "no": 1, "upheld": False, "opinion": "不成立"}, status=403)
    assert errors(chief.act(RESOURCE, row, "decide-objection", {
        "no": 3, "upheld": False, "opinion": "不成立"}, status=422)) == {
        ("/no", "unknown-reference")}
    chief.act(RESOURCE, row, "decide-objection", {
        "no": 1, "upheld": False, "opinion": "单位已出具时间保证"})
    assert errors(chief.act(RESOURCE, row, "decide-objection", {
        "no": 1, "upheld": True, "opinion": "改口"}, status=422)) == {
        ("/no", "objection-decided")}
    assert errors(chief.act(RESOURCE, row, "approve", {}, status=422)) == {
        (None, "publicity-not-over"), ("/objections/1", "objection-open")}
    assert errors(chief.act(RESOURCE, row, "reject", {"reason": "无"},
                            status=422)) == {
        ("/objections", "no-objection-upheld")}
    chief.act(RESOURCE, row, "decide-objection", {
        "no": 2, "upheld": True, "opinion": "情况属实"})
    appointments.publicity_is_over(db, row["id"])
    assert errors(chief.act(RESOURCE, row, "approve", {}, status=422)) == {
        ("/objections/1", "objection-upheld")}
    done = chief.act(RESOURCE, row, "reject", {"reason": "异议成立"})
    assert done["state"] == "rejected" and done["allowed_actions"] == []
    # a record whose day is past is no longer open to objections
    staff.act(RESOURCE, row, "record-objection", {"text": "迟到"}, status=409)


# --- 聘任 ---------------------------------------------------------------------


@pytest.mark.clause("C2.1.1.f", "R-INS-10", "L-DX-01", "C2.4.1.d")
def test_the_committee_decides(api, db):
    row, login = appointments.approved(api, db)
    day = today(db)
    for other in ("chief_inspector", "office_staff"):
        assert api.login(other).act(RESOURCE, row, "appoint", {
            "decision_doc_no": "示例〔2026〕1号"}, status=403)["code"] in (
            "role-not-permitted", "insufficient-scope")
    director = api.login("committee_director")
    assert errors(director.act(RESOURCE, row, "appoint", {
        "starts_on": str(day - 5 * DAY)}, status=422)) == {
        ("/decision_resolution_id", "required"),
        ("/starts_on", "date-before-start")}
    # L-DX-05: training is proved by its record, not declared
    assert errors(director.act(RESOURCE, row, "appoint", {
        "decision_doc_no": "平教督委〔2026〕9号",
        "pre_service_passed_on": str(day)}, status=422)) == {
        ("/pre_service_passed_on", "unknown-field")}
    done = director.act(RESOURCE, row, "appoint", {
        "starts_on": str(day + DAY), "decision_doc_no": "平教督委〔2026〕9号"})
    assert done["state"] == "appointed" and done["term_no"] == 1
    # L-DX-01: certificate and card
    assert done["certificate_no"].startswith("PS-")
    card = api.login("office_staff").read(
        "inspectors", done["inspector_id"])["card_no"]
    assert card.startswith("DXZ-")
    # L-DX-02: announced, reported upwards, in the roster of X-13
    assert value(db, "select count(*) from dudao.dispatches where subject_id"
                     " = %s and purpose = 'report' and recipient_role ="
                     " 'superior_supervision'", done["id"]) == 1
    assert value(db, "select count(*) from dudao.exchange_messages where"
                     " subject_id = %s and type = 'X-13'", done["id"]) == 1
    assert api.login("office_staff").read(
        "publications", done["notice_publication_id"])["kind"] == \
        "appointment_notice"
    # everybody may ask whether a certificate holds: not before its first day
    for number in (done["certificate_no"], card):
        answer = api.get(f"/v1/public/inspector-certificates/{number}",
                         status=200).json()
        assert answer["is_valid"] is False and answer["card_no"] == card
        assert "phone" not in json.dumps(answer)
    api.get("/v1/public/inspector-certificates/PS-1900-000001", status=404)


@pytest.mark.clause("C2.1.1.f", "R-INS-10", "L-DX-01")
def test_full_time_needs_the_governments_document(api, db):
    row, _ = appointments.approved(api, db, "full_time")
    assert (row["appointment_mode"], row["appointing_authority"]) == (
        "appointed", "county_government")
    refused = api.login("committee_director").act(
        RESOURCE, row, "appoint",
        {"decision_resolution_id": str(uuid.uuid4())}, status=422)
    assert ("/decision_doc_no", "required") in errors(refused)
    # also past the API: the government appoints nobody part-time
    assert refusal(db, "update dudao.inspector_appointments set"
                       " appointing_authority = 'supervision_committee'"
                       " where id = %s", row["id"])[1]["errors"][0]["code"] \
        == "appointing-authority"
    done = api.login("committee_deputy").act(RESOURCE, row, "appoint", {
        "decision_doc_no": "平政人〔2026〕5号",
        "override_reason": "责任区专职不足"})
    assert done["state"] == "appointed"


@pytest.mark.clause("C2.4.1.b", "R-INS-02")
def test_full_time_at_most_a_third(api, db, parameter):
    row, _ = appointments.approved(api, db, "full_time")
    deputy = api.login("committee_deputy")
    parameter("fulltime_ratio_limit", "0.1")
    refused = deputy.act(RESOURCE, row, "appoint", {
        "decision_doc_no": "平政人〔2026〕6号"}, status=422)
    assert errors(refused) == {("/override_reason",
                                "fulltime-share-exceeded")}
    assert (refused["rule_id"], refused["clause_id"]) == ("R-INS-02",
                                                          "C2.4.1.b")
    # one more part-time inspector brings the county nearer to the limit
    other, _ = appointments.approved(api, db)
    deputy.act(RESOURCE, other, "appoint", {
        "decision_doc_no": "平教督委〔2026〕6号"})
    done = deputy.act(RESOURCE, row, "appoint", {
        "decision_doc_no": "平政人〔2026〕6号",
        "override_reason": "责任区至少两名专职"})
    assert done["override_reason"] == "责任区至少两名专职"


@pytest.mark.clause("C2.4.1.b", "R-INS-02")
def test_full_time_at_least_a_third(api, db, parameter):
    deputy = api.login("committee_deputy")
    row, _ = appointments.approved(api, db)
    parameter("fulltime_ratio_mode", '"min"')
    parameter("fulltime_ratio_limit", "0.9")
    refused = deputy.act(RESOURCE, row, "appoint", {
        "decision_doc_no": "平教督委〔2026〕7号"}, status=422)
    assert errors(refused) == {("/override_reason",
                                "fulltime-share-too-low")}
    full, _ = appointments.approved(api, db, "full_time")
    deputy.act(RESOURCE, full, "appoint", {
        "decision_doc_no": "平政人〔2026〕7号"})
    done = deputy.act(RESOURCE, row, "appoint", {
        "decision_doc_no": "平教督委〔2026〕7号",
        "override_reason": "兼职督学按需聘用"})
    assert done["state"] == "appointed"


def test_one_third_is_one_third(db):
    """22 of 66 are within 0.3333; whoever goes on counts once."""
    assert value(db, "select app.fulltime_share_after(a.inspector_id,"
                     " a.employment) = round(app.fulltime_share(), 4)"
                     " from dudao.inspector_appointments a"
                     " where a.state = 'active' limit 1")
    assert value(db, "select round(22 / 66.0, 4) <= (value #>> '{}')::numeric"
                     " from dudao.rule_parameters"
                     " where key = 'fulltime_ratio_limit'")


# --- 任期 ---------------------------------------------------------------------


@pytest.mark.clause("L-TL-6", "R-INS-03", "C2.4.1.d")
def test_part_time_terms_last_three_years(api, db):
    row, login = appointments.approved(api, db)
    director, day = api.login("committee_director"), today(db)
    data = {"decision_doc_no": "平教督委〔2026〕9号"}
    assert errors(director.act(RESOURCE, row, "appoint", {
        **data, "starts_on": str(day), "ends_on": str(day + 2000 * DAY)},
        status=422)) == {("/ends_on", "term-length")}
    done = director.act(RESOURCE, row, "appoint",
                        {**data, "starts_on": str(day)})
    assert done["ends_on"] == str(value(
        db, "select (%s + interval '3 years')::date - 1", day))
    # the second at the same time
    who = value(db, "select person_id::text from dudao.inspectors"
                    " where id = %s", done["inspector_id"])
    other = api.login("office_staff").create(RESOURCE, {
        "person_id": who, "employment": "full_time"})
    for login_, action, body in (
            ("office_staff", "review", {"qualification": FORM}),
            ("chief_inspector", "publicize", {})):
        api.login(login_).act(RESOURCE, other, action, body)
    appointments.publicity_is_over(db, other["id"])
    api.login("chief_inspector").act(RESOURCE, other, "approve", {})
    assert ("/starts_on", "overlapping-period") in errors(director.act(
        RESOURCE, other, "appoint", {
            "decision_doc_no": "平政人〔2026〕1号", "starts_on": str(day),
            "override_reason": "测试"}, status=422))
    api.login("office_staff")


@pytest.mark.clause("L-TL-6", "R-INS-04")
def test_three_terms_and_a_gap(api, db):
    """The fourth consecutive term is refused; after a term's gap the count
    begins anew, though number 1 was there before."""
    row, _ = appointments.candidate(api, db)
    inspector = row["inspector_id"]
    api.login("chief_inspector").act(RESOURCE, row, "void",
                                     {"reason": "补录历史任期"})
    day = today(db)
    with db.cursor() as cursor:
        # three terms, the last of which ended four years ago
        cursor.execute("alter table dudao.inspector_appointments"
                       " disable trigger user")
        cursor.execute(
            "insert into dudao.inspector_appointments(inspector_id,"
            " basis_document_id, employment, appointment_mode,"
            " appointing_authority, term_no, starts_on, ends_on, ended_on,"
            " state) select a.inspector_id, a.basis_document_id,"
            " a.employment, a.appointment_mode, a.appointing_authority, n,"
            " (app.today() - make_interval(years => 16 - 3 * n))::date,"
            " (app.today() - make_interval(years => 13 - 3 * n))::date - 1,"
            " (app.today() - make_interval(years => 13 - 3 * n))::date - 1,"
            " 'ended' from dudao.inspector_appointments a,"
            " generate_series(1, 3) as n where a.id = %s", (row["id"],))
        cursor.execute("alter table dudao.inspector_appointments"
                       " enable trigger user")
    staff = api.login("office_staff")
    new = {"inspector_id": inspector, "employment": "part_time"}
    refused = staff.create(RESOURCE, {
        **new, "starts_on": str(day - 2 * 365 * DAY)}, status=422)
    assert errors(refused) == {("/term_no", "too-many-terms")}
    assert refused["errors"][0]["clause_id"] == "L-TL-6"
    made = staff.create(RESOURCE, new)
    assert made["term_no"] == 1
    # the number cannot be made up, in SQL either
    assert refusal(db, "update dudao.inspector_appointments set term_no = 4"
                       " where id = %s", made["id"])[1]["errors"][0][
        "code"] == "too-many-terms"


@pytest.mark.clause("L-DX-01", "4.1")
def test_the_role_comes_and_goes_with_the_term(api, db):
    row, login = appointments.in_office(api, db)
    assert row["state"] == "active"
    api.get(f"/v1/public/inspector-certificates/{row['certificate_no']}",
            status=200)
    assert api.get("/v1/public/inspector-certificates/"
                   + row["certificate_no"]).json()["is_valid"] is True
    me = api.login(login)
    assert me.read(RESOURCE, row["id"])["allowed_actions"] == [
        "request_resignation"]
    # others' appointments are not the inspector's
    assert {r["id"] for r in me.list(RESOURCE)} == {row["id"]}
    chief = api.login("chief_inspector")
    assert errors(chief.act(RESOURCE, row, "resign", {}, status=422)) == {
        (None, "resignation-not-requested")}
    assert errors(me.act(RESOURCE, row, "request-resignation", {},
                         status=422)) == {("/reason", "reason-required")}
    me.act(RESOURCE, row, "request-resignation", {"reason": "工作调动"})
    assert errors(me.act(RESOURCE, row, "request-resignation",
                         {"reason": "再次"}, status=422)) == {
        (None, "resignation-requested")}
    done = chief.act(RESOURCE, row, "resign", {})
    assert done["state"] == "resigned"
    assert done["end_reason"] == "工作调动"
    assert value(db, "select count(*) from dudao.role_grants g join"
                     " dudao.users u on u.id = g.user_id where u.login = %s"
                     " and g.state = 'active'", login) == 0
    assert api.get("/v1/public/inspector-certificates/"
                   + row["certificate_no"]).json()["is_valid"] is False


@pytest.mark.clause("L-TL-26", "R-INS-06")
def test_dismissal_has_a_ground(api, db):
    row, login = appointments.in_office(api, db)
    director = api.login("committee_director")
    assert errors(director.act(RESOURCE, row, "dismiss",
                               {"reason": "失职"}, status=422)) == {
        ("/ground", "required")}
    assert errors(director.act(RESOURCE, row, "dismiss", {
        "reason": "考核", "ground": "incompetent_assessment"},
        status=422)) == {("/ground", "assessment-not-incompetent")}
    done = director.act(RESOURCE, row, "dismiss", {
        "ground": "falsification", "reason": "弄虚作假"})
    assert (done["state"], done["dismissal_ground"]) == ("dismissed",
                                                         "falsification")
    assert value(db, "select count(*) from dudao.dispatches where subject_id"
                     " = %s and purpose = 'filing'", row["id"]) == 1
    assert api.login("office_staff").read(
        "inspectors", row["inspector_id"])["card_no"] is None


@pytest.mark.clause("3.15", "R-INS-03")
def test_renewal_has_its_window(api, db):
    row, _ = appointments.in_office(api, db)
    staff = api.login("office_staff")
    refused = staff.act(RESOURCE, row, "renew", {}, status=422)
    assert errors(refused) == {(None, "renewal-too-early")}
    active = staff.one(RESOURCE, q="演示督学40", state="active")
    assert errors(staff.act(RESOURCE, active, "renew", {}, status=422)) == {
        (None, "too-many-terms")}


def graded(api, inspector, login, year, points):
    """A confirmed assessment of that year: its grade."""
    staff = api.login("office_staff")
    made = staff.create("inspector-assessments", {
        "inspector_id": inspector, "year": year})
    api.login(login).act("inspector-assessments", made, "self-review",
                         {"self_review": "履行督导职责情况"})
    staff.act("inspector-assessments", made, "assess", {
        "dimensions": dict.fromkeys(merit.DIMENSIONS, points),
        "comment": "年度考核"})
    return api.login("chief_inspector").act(
        "inspector-assessments", made, "confirm", {})["grade"]


@pytest.fixture
def last_month(api, db):
    """(appointment, login): a first term that is about to end."""
    row, login = appointments.in_office(api, db)
    ends = today(db) + 30 * DAY
    starts = value(db, "select (%s + 1 - interval '3 years')::date", ends)
    set_columns(db, row["id"], starts_on=starts, ends_on=value(
        db, "select (%s + interval '3 years')::date - 1", starts))
    yield row, login
    api.login("committee_director").act(
        RESOURCE, row, "dismiss", {"ground": "dereliction", "reason": "测试"})


def until_approved(api, db, id):
    chief = api.login("chief_inspector")
    api.login("office_staff").act(RESOURCE, id, "review",
                                  {"qualification": FORM})
    chief.act(RESOURCE, id, "publicize", {})
    appointments.publicity_is_over(db, id)
    return chief.act(RESOURCE, id, "approve", {})


@pytest.mark.clause("3.15", "C2.4.3.e", "R-INS-07")
def test_a_low_grade_is_not_renewed(api, db, as_login, last_month):
    row, login = last_month
    inspector, year = row["inspector_id"], today(db).year
    staff = api.login("office_staff")
    assert graded(api, inspector, login, year - 2, 20) == "incompetent"
    refused = staff.act(RESOURCE, row, "renew", {}, status=422)
    assert errors(refused) == {(None, "assessment-too-low")}
    assert (refused["rule_id"], refused["clause_id"]) == ("R-INS-07",
                                                          "C2.4.3.e")
    status, detail = refusal(
        as_login("office_staff"),
        "select * from app.act('inspector_appointments', %s, 'renew')",
        row["id"])
    assert status == "DD422"
    assert [e["code"] for e in detail["errors"]] == ["assessment-too-low"]
    assert value(db, "select count(*) from dudao.inspector_appointments"
                     " where renewal_of_id = %s", row["id"]) == 0
    # the last one decides
    assert graded(api, inspector, login, year - 1, 80) == "competent"
    staff.act(RESOURCE, row, "renew", {})
    assert errors(staff.act(RESOURCE, row, "renew", {}, status=422)) == {
        (None, "renewal-exists")}
    new = staff.one(RESOURCE, inspector_id=inspector, state="recommended")
    assert (new["term_no"], new["renewal_of_id"]) == (2, row["id"])
    until_approved(api, db, new["id"])
    # a grade that comes before the new term is decided
    assert graded(api, inspector, login, year, 65) == "basically_competent"
    ends = value(db, "select ends_on from dudao.inspector_appointments"
                     " where id = %s", row["id"])
    body = {"starts_on": str(ends + DAY), "decision_doc_no": "示例〔2026〕2号"}
    refused = api.login("committee_director").act(RESOURCE, new, "appoint",
                                                  body, status=422)
    assert errors(refused) == {(None, "assessment-too-low")}
    assert staff.read(RESOURCE, new["id"])["state"] == "approved"


@pytest.mark.clause("3.15", "C2.4.3.e", "R-INS-07")
def test_nor_recommended_anew(api, db, last_month):
    """The next term by another way: it still follows upon the grade."""
    row, login = last_month
    inspector = row["inspector_id"]
    graded(api, inspector, login, today(db).year - 1, 65)
    new = api.login("office_staff").create(RESOURCE, {
        "inspector_id": inspector, "employment": "part_time"})
    assert (new["term_no"], new["renewal_of_id"]) == (2, None)
    until_approved(api, db, new["id"])
    refused = api.login("committee_director").act(RESOURCE, new, "appoint", {
        "starts_on": str(today(db) + 31 * DAY),
        "decision_doc_no": "示例〔2026〕3号"}, status=422)
    assert errors(refused) == {(None, "assessment-too-low")}


def test_history_and_filters(api, db):
    row, _ = appointments.approved(api, db)
    staff = api.login("office_staff")
    steps = staff.get(f"/v1/{RESOURCE}/{row['id']}/transitions",
                      status=200).json()["data"]
    assert [s["action"] for s in steps][-3:] == [
        "review", "publicize", "approve"] or len(steps) >= 3
    assert row["id"] in {r["id"] for r in staff.list(
        RESOURCE, state=["approved"], employment="part_time",
        inspector_id=row["inspector_id"])}
    seen = staff.get(f"/v1/{RESOURCE}/{row['id']}", status=200, params={
        "expand": ["inspector", "renewal_of", "recommended_by"]}).json()
    assert seen["inspector"]["id"] == row["inspector_id"]
    assert seen["renewal_of"] is None
    voided, _ = appointments.candidate(api, db)
    voided = api.login("chief_inspector").act(RESOURCE, voided, "void",
                                              {"reason": "重复推荐"})
    assert voided["voided_at"] and voided["allowed_actions"] == []
