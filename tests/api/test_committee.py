"""The committee and its office: 2.2, C1.c, C2.1.1, C2.1.2, C2.4.2."""

import datetime
import json
import re

import psycopg2
import pytest

from support.client import unique

CHINA = datetime.timezone(datetime.timedelta(hours=8))
LISTED = ["县委组织部", "县委宣传部", "发改局", "科技和工业信息化局", "农业农村局",
          "住建局", "教育局", "卫健局", "公安局", "财政局", "编办", "人社局", "司法局",
          "自然资源局", "审计局", "应急管理局", "市场监督管理局", "文旅广体局", "民政局",
          "交通局", "城管局", "交警大队", "团县委"]


def today():
    return datetime.datetime.now(CHINA).date()


def day(offset=0):
    return str(today() + datetime.timedelta(days=offset))


def codes(problem):
    return {e["code"] for e in problem["errors"]}


def refused(connection, statement, *values):
    """(status, detail) with which the database refuses a statement."""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(statement, values)
    error = caught.value
    state = error.pgcode
    return (int(state[2:]) if state.startswith("DD") else state,
            json.loads(error.diag.message_detail)
            if state.startswith("DD") else error.diag.constraint_name)


def basis(staff):
    return staff.one("policy-documents", doc_no="平办发〔2022〕30号")["id"]


def person(staff, organization, **members):
    return staff.create("persons", {
        "name": unique("演示·某某"), "organization_id": organization["id"],
        "phone": "13900009999", **members})


def organization(staff, leader=True, **members):
    division = staff.one("divisions", code="430626")
    made = staff.create("organizations", {
        "kind": "county_department", "name": unique("示例局"),
        "division_id": division["id"], **members})
    if leader:
        made = staff.change("organizations", made, {
            "edu_leader_person_id": person(staff, made)["id"]})
    return made


def places(staff):
    return {u["seq"] for u in staff.list("member-units")}


def unit(staff, place=None, status=201, **members):
    org = members.pop("organization", None) or organization(staff)
    taken = places(staff)
    return staff.create("member-units", {
        "organization_id": org["id"],
        "seq": place or next(n for n in range(100, 999) if n not in taken),
        "duties": [{"no": "1", "text": "示例职责"}], "joined_on": day(-30),
        "basis_document_id": basis(staff), **members}, status=status)


def unit_with_liaison(staff):
    org = organization(staff)
    made = unit(staff, organization=org, liaison={
        "person_id": person(staff, org)["id"], "phone": "13900001234"})
    return org, made, staff.one("liaisons", member_unit_id=made["id"])


# --- member units -------------------------------------------------------------


@pytest.mark.clause("C2.1.1.i", "R-ORG-02")
def test_listed_units_with_one_head_each(api, db):
    staff = api.login("office_staff")
    units = staff.list("member-units", as_of=day(),
                       expand=["head", "organization", "liaisons"])
    listed = [u for u in units if u["organization"]["code"].startswith("MU")]
    assert [u["organization_name"] for u in listed] == LISTED
    assert [u["seq"] for u in listed] == list(range(1, 24))
    assert all(u["head"] and u["head"]["left_on"] is None for u in listed)

    # a second head of a unit is refused, over HTTP and in SQL
    treasury = next(u for u in listed if u["organization_name"] == "财政局")
    other = person(staff, treasury["organization"])
    seat = {"person_id": other["id"],
            "organization_id": treasury["organization_id"],
            "role": "member", "joined_on": day(),
            "basis_document_id": basis(staff)}
    answer = staff.create("committee-members", seat, status=409)
    assert codes(answer) == {"second-head-of-unit"}
    assert answer["clause_id"] == "C2.1.1.i"
    state, constraint = refused(
        db, "insert into dudao.committee_members(person_id, organization_id,"
        " role, joined_on, basis_document_id) values (%s, %s, 'member', %s,"
        " %s)", seat["person_id"], seat["organization_id"], seat["joined_on"],
        seat["basis_document_id"])
    assert (state, constraint) == ("23P01", "committee_members_one_head")

    # and so is the head of what is no member unit
    org = organization(staff)
    answer = staff.create("committee-members", {
        **seat, "person_id": person(staff, org)["id"],
        "organization_id": org["id"]}, status=422)
    assert codes(answer) == {"not-a-member-unit"}


@pytest.mark.clause("C2.1.1.a", "R-ORG-02")
def test_membership_by_day(api, db):
    staff = api.login("office_staff")
    org, made, liaison = unit_with_liaison(staff)
    head = staff.create("committee-members", {
        "person_id": person(staff, org)["id"], "organization_id": org["id"],
        "role": "member", "joined_on": day(-20),
        "basis_document_id": basis(staff)})

    # no overlap, no end before the beginning, no end to come
    answer = unit(staff, organization=org, status=409)
    assert codes(answer) == {"overlapping-period"}
    assert codes(staff.change("member-units", made, {"left_on": day(-31)},
                              status=422)) == {"date-before-start"}
    assert codes(staff.change("member-units", made, {"left_on": day(1)},
                              status=422)) == {"date-in-future"}
    state, constraint = refused(
        db, "insert into dudao.member_units(organization_id, seq, duties,"
        " joined_on, basis_document_id) select organization_id, 998, duties,"
        " joined_on, basis_document_id from dudao.member_units where id = %s",
        made["id"])
    assert (state, constraint) == ("23P01", "member_units_no_overlap")

    # it leaves, and its head and liaison with it
    gone = staff.change("member-units", made, {"left_on": day(-2)})
    assert gone["left_on"] == day(-2)
    assert staff.read("liaisons", liaison["id"])["ended_on"] == day(-2)
    assert staff.read("committee-members", head["id"])["left_on"] == day(-2)
    answer = staff.change("member-units", gone, {"left_on": None}, status=422)
    assert codes(answer) == {"ended-stays-ended"}

    def member_on(offset):
        return bool(staff.list("member-units", as_of=day(offset),
                               organization_id=org["id"]))

    assert [member_on(n) for n in (-31, -30, -3, -2, 0)] == [
        False, True, True, False, False]
    assert staff.list("committee-members", as_of=day(-3),
                      organization_id=org["id"]) == [staff.read(
                          "committee-members", head["id"])]
    # the next membership begins on the day on which the last one ended
    again = unit(staff, organization=org, joined_on=day(-2))
    staff.change("member-units", again, {"left_on": day()})

    past = staff.list("member-units", as_of="2023-01-01")
    assert {"县关工委（演示）"} == {
        u["organization_name"] for u in past} - set(LISTED)


@pytest.mark.clause("C2.1.1.a")
def test_a_unit_needs_basis_and_office(api, as_login):
    staff = api.login("office_staff")
    org = organization(staff)
    assert codes(staff.create("member-units", {
        "organization_id": org["id"], "seq": 99,
        "duties": [{"no": "1", "text": "职责"}], "joined_on": day()},
        status=422)) == {"required"}
    school = staff.one("schools", limit=1)
    answer = staff.create("member-units", {
        "organization_id": school["id"], "seq": 99, "duties": [],
        "joined_on": day(1), "basis_document_id": basis(staff)}, status=422)
    # all that is wrong, at once
    assert codes(answer) >= {"unit-cannot-be-member", "duties-required",
                             "date-in-future"}
    # the unit itself neither joins nor leaves
    own = api.login("committee_member").one("member-units", seq=None,
        organization_id=staff.one("organizations", code="MU07")["id"])
    answer = api.login("committee_member").change(
        "member-units", own, {"left_on": day()}, status=422)
    assert codes(answer) == {"office-only-field"}


@pytest.mark.clause("C2.1.1.j", "C2.1.3.b", "R-ORG-03")
def test_duties_are_kept_by_the_unit(api, db):
    liaison = api.login("member_liaison")
    bureau = liaison.one("organizations", code="MU07")
    own = liaison.one("member-units", organization_id=bureau["id"])
    duties = own["duties"] + [{"no": unique(), "text": "配合督导"}]
    changed = liaison.change("member-units", own, {"duties": duties})
    assert [d["text"] for d in changed["duties"]] == [
        d["text"] for d in duties]
    # never none, never the same number twice, always a text
    assert codes(liaison.change("member-units", changed, {"duties": []},
                                status=422)) == {"duties-required"}
    assert codes(liaison.change("member-units", changed, {
        "duties": [{"no": "1", "text": "一"}, {"no": "1", "text": "二"}]},
        status=422)) == {"duty-number-repeated"}
    status, detail = refused(
        db, "update dudao.member_units set duties = '[{\"no\": \"1\"}]'"
        " where id = %s", own["id"])
    assert status == 422 and codes(detail) == {"duty-incomplete"}
    # another unit's are not the liaison's
    other = liaison.one("member-units", organization_id=liaison.one(
        "organizations", code="MU10")["id"])
    liaison.change("member-units", other, {"duties": duties}, status=403)
    # inside the system everybody who works with the committee reads them
    for login in ("inspector_pt", "township_account", "department_account"):
        reader = api.login(login)
        assert reader.read("member-units", own["id"])["duties"]
        assert reader.list("liaisons", member_unit_id=own["id"])


# --- the committee ------------------------------------------------------------


@pytest.mark.clause("C2.1.1.g", "R-ORG-01")
def test_one_director_of_the_county_government(api, db, as_login):
    staff = api.login("office_staff")
    directors = staff.list("committee-members", role="director",
                           as_of=day(), expand="organization")
    assert [d["organization"]["kind"] for d in directors] == [
        "county_government"]
    government = directors[0]["organization"]
    second = {"person_id": person(staff, government)["id"],
              "organization_id": government["id"], "role": "director",
              "ex_officio_position": "副县长", "joined_on": day(),
              "basis_document_id": basis(staff)}
    answer = staff.create("committee-members", second, status=409)
    assert codes(answer) == {"second-director"}
    assert answer["rule_id"] == "R-ORG-01"
    bureau = staff.one("organizations", code="MU07")
    answer = staff.create("committee-members", {
        **second, "organization_id": bureau["id"]}, status=422)
    assert codes(answer) == {"director-not-of-government",
                             "person-not-of-unit"}
    state, constraint = refused(
        db, "insert into dudao.committee_members(person_id, organization_id,"
        " role, ex_officio_position, joined_on, basis_document_id)"
        " values (%s, %s, 'director', '副县长', %s, %s)",
        second["person_id"], second["organization_id"], day(),
        second["basis_document_id"])
    assert (state, constraint) == ("23P01", "committee_members_one_director")

    # a successor begins on the day on which the predecessor ends
    connection = as_login("office_staff")
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("select app.act_as('office_staff')")
        cursor.execute("select status from app.patch('committee_members', %s,"
                       " null, %s)", (directors[0]["id"],
                                      json.dumps({"left_on": day()})))
        cursor.execute("select status from app.create('committee_members',"
                       " %s)", (json.dumps(second),))
        assert cursor.fetchone()[0] == 201
    connection.rollback()
    connection.autocommit = True


@pytest.mark.clause("C2.1.1.h", "R-ORG-01")
def test_two_deputies_by_office(api):
    staff = api.login("office_staff")
    deputies = staff.list("committee-members", role="deputy_director",
                          as_of=day(), expand="organization")
    assert {d["organization"]["code"] for d in deputies} == {
        "ORG-GOVO", "MU07"}
    # a third one cannot come from these two, nor from elsewhere
    for code, reason, status in (("MU07", "second-head-of-unit", 409),
                                 ("ORG-GOVO", "second-head-of-unit", 409),
                                 ("MU10", "deputy-not-of-offices", 422)):
        org = staff.one("organizations", code=code)
        answer = staff.create("committee-members", {
            "person_id": person(staff, org)["id"],
            "organization_id": org["id"], "role": "deputy_director",
            "ex_officio_position": "局长", "joined_on": day(),
            "basis_document_id": basis(staff)}, status=status)
        assert codes(answer) == {reason}
        assert answer.get("clause_id") == "C2.1.1.h" or status == 409
    # the post held is named, and a person sits once
    org = staff.one("organizations", code="ORG-GOVO")
    answer = staff.create("committee-members", {
        "person_id": deputies[0]["person_id"], "organization_id": org["id"],
        "role": "deputy_director", "joined_on": day(),
        "basis_document_id": basis(staff)}, status=(409, 422))
    assert codes(answer) & {"required", "person-already-member"}


@pytest.mark.clause("C2.1.1.i", "R-ORG-01")
def test_a_person_sits_once(api):
    staff = api.login("office_staff")
    org, made, _ = unit_with_liaison(staff)
    head = person(staff, org)
    seat = {"person_id": head["id"], "organization_id": org["id"],
            "role": "member", "joined_on": day(-5),
            "basis_document_id": basis(staff)}
    first = staff.create("committee-members", seat)
    assert codes(staff.create("committee-members", seat, status=409)) == {
        "person-already-member"}
    # who is not of the office does not record it
    api.login("committee_director").create("committee-members", seat,
                                           status=403)
    changed = staff.change("committee-members", first, {
        "ex_officio_position": "示例局局长"})
    assert changed["ex_officio_position"] == "示例局局长"
    staff.change("committee-members", changed, {"left_on": day()})
    staff.create("committee-members", {**seat, "joined_on": day()})
    staff.change("member-units", made, {"left_on": day()})


# --- liaisons -----------------------------------------------------------------


@pytest.mark.clause("C2.1.1.k", "C2.1.3.b", "R-ORG-03")
def test_the_unit_nominates_the_office_confirms(api, as_login):
    member, staff = api.login("committee_member"), api.login("office_staff")
    bureau = staff.one("organizations", code="MU07")
    own = staff.one("member-units", organization_id=bureau["id"])
    body = {"member_unit_id": own["id"], "started_on": day(),
            "person_id": person(staff, bureau)["id"],
            "phone": "13900005678"}
    made = member.create("liaisons", body)
    assert made["nominated_by"] and not made["confirmed_by"]
    assert made["phone"] == "13900005678"
    assert api.login("auditor").read("liaisons", made["id"])["phone"] == \
        "139****5678"

    # not by itself, neither over HTTP nor in SQL
    member.act("liaisons", made, "confirm", {}, status=403)
    status, detail = refused(
        as_login("committee_member"), "update dudao.liaisons set confirmed_by"
        " = app.user_id(), confirmed_at = now() where id = %s", made["id"])
    assert status == 422 and codes(detail) == {"office-only-field"}

    made = staff.act("liaisons", made, "confirm", {})
    assert made["confirmed_by"] != made["nominated_by"]
    assert not made["is_primary"]
    answer = staff.act("liaisons", made, "confirm", {}, status=409)
    assert answer["code"] == "not-awaiting-confirmation"

    # a nomination that is to replace another ends it when confirmed
    other = member.create("liaisons", {
        **body, "person_id": person(staff, bureau)["id"],
        "replaces_id": made["id"]})
    staff.act("liaisons", other, "confirm", {})
    assert staff.read("liaisons", made["id"])["ended_on"] == day()
    # strangers of the unit are no liaisons of it, others' units are not ours
    answer = member.create("liaisons", {
        **body, "person_id": person(staff, organization(staff))["id"]},
        status=422)
    assert codes(answer) == {"person-not-of-unit"}
    treasury = staff.one("organizations", code="MU10")
    member.create("liaisons", {
        **body, "person_id": person(staff, treasury)["id"],
        "member_unit_id": staff.one("member-units", organization_id=treasury[
            "id"])["id"]}, status=403)


@pytest.mark.clause("C2.1.1.k", "R-ORG-03")
def test_a_unit_keeps_one_primary_liaison(api, db):
    staff = api.login("office_staff")
    org, made, first = unit_with_liaison(staff)
    assert first["is_primary"] and first["confirmed_at"]

    # the last one does not go without a successor, whoever asks
    answer = staff.change("liaisons", first, {"ended_on": day()}, status=422)
    assert codes(answer) == {"last-liaison"}
    assert staff.read("liaisons", first["id"])["ended_on"] is None
    status, detail = refused(
        db, "update dudao.liaisons set ended_on = current_date"
        " where id = %s", first["id"])
    assert status == 422 and codes(detail) == {"last-liaison"}
    assert codes(staff.change("liaisons", first, {"is_primary": False},
                              status=422)) == {"primary-liaison-required"}

    # with one, in the same call
    ended = staff.change("liaisons", first, {
        "ended_on": day(-1), "replacement": {
            "person_id": person(staff, org)["id"], "phone": "13900002222"}})
    assert ended["ended_on"] == day(-1)
    second = staff.one("liaisons", member_unit_id=made["id"],
                       **{"ended_on.is_null": "true"})
    assert second["is_primary"] and second["started_on"] == day(-1)

    # a new primary one takes over; when it goes the other follows
    third = staff.create("liaisons", {
        "member_unit_id": made["id"], "started_on": day(),
        "person_id": person(staff, org)["id"], "is_primary": True})
    assert third["is_primary"]
    assert not staff.read("liaisons", second["id"])["is_primary"]
    status, detail = refused(
        db, "update dudao.liaisons set is_primary = true where id = %s",
        second["id"])
    assert status == "23505"
    staff.change("liaisons", third, {"ended_on": day()})
    assert staff.read("liaisons", second["id"])["is_primary"]
    # the unit leaves: then they all may
    staff.change("member-units", made, {"left_on": day()})
    assert not staff.list("liaisons", member_unit_id=made["id"],
                          **{"ended_on.is_null": "true"})


# --- the office ---------------------------------------------------------------


@pytest.mark.clause("C2.1.2.a", "R-ORG-04")
def test_one_office_hosted_by_the_education_bureau(api, db):
    staff, admin = api.login("office_staff"), api.login("sys_admin")
    office = staff.one("organizations", kind="supervision_office")
    host = staff.read("organizations", office["host_organization_id"])
    assert (host["name"], host["kind"]) == ("教育局", "county_department")
    answer = staff.create("organizations", {
        "kind": "supervision_office", "name": unique("第二督导办"),
        "division_id": office["division_id"],
        "host_organization_id": host["id"]}, status=422)
    assert codes(answer) == {"only-one-of-its-kind"}
    # 1 and not 0: nor is it closed, moved out of the bureau, or left alone
    assert codes(admin.change("organizations", office, {
        "status": "closed"}, status=422)) == {"only-one-of-its-kind"}
    township = staff.one("organizations", kind="township_government")
    assert codes(staff.change("organizations", office, {
        "host_organization_id": township["id"]}, status=422)) == {
            "host-not-department"}
    status, detail = refused(
        db, "update dudao.organizations set host_organization_id = null"
        " where id = %s", office["id"])
    assert status == 422 and codes(detail) == {"host-required"}
    # two at once meet in the index
    with db.cursor() as cursor:
        cursor.execute("select indexdef from pg_indexes"
                       " where indexname = 'organizations_one_office'")
        assert "UNIQUE" in cursor.fetchone()[0]


@pytest.mark.clause("C2.4.2.a", "C2.4.2.b", "R-RES-01")
def test_one_research_centre_managed_by_the_office(api, db):
    staff = api.login("office_staff")
    centre = staff.one("organizations", kind="research_center")
    office = staff.one("organizations", kind="supervision_office")
    assert centre["managed_by_id"] == office["id"]
    answer = staff.create("organizations", {
        "kind": "research_center", "name": unique("第二中心"),
        "division_id": centre["division_id"],
        "managed_by_id": office["id"]}, status=422)
    assert codes(answer) == {"only-one-of-its-kind"}
    assert codes(staff.change("organizations", centre, {
        "managed_by_id": office["host_organization_id"]}, status=422)) == {
            "managed-by-office"}
    status, detail = refused(
        db, "update dudao.organizations set status = 'closed' where id = %s",
        centre["id"])
    assert status == 422 and codes(detail) == {"only-one-of-its-kind"}


@pytest.mark.clause("C2.1.2.c", "C2.1.2.d", "C2.1.2.e", "C2.1.2.f",
                    "R-ORG-05")
def test_the_chief_inspector(api, as_login, db):
    staff = api.login("office_staff")
    chiefs = staff.list("office-staff", post="chief_inspector", as_of=day(),
                        expand="person")
    assert len(chiefs) == 1
    chief = chiefs[0]
    assert chief["is_bureau_leadership"] and chief["is_office_director"]
    assert chief["is_party_group_member"] or not \
        chief["person"]["is_party_member"]
    assert staff.list("office-staff", post="deputy_chief_inspector",
                      as_of=day())
    for member, code in (
            ("is_bureau_leadership", "chief-not-in-leadership"),
            ("is_office_director", "chief-is-office-director"),
            ("is_party_group_member", "chief-not-in-party-group")):
        answer = staff.change("office-staff", chief, {member: False},
                              status=422)
        assert codes(answer) == {code}
        assert answer["errors"][0]["rule_id"] == "R-ORG-05"
    office = staff.one("organizations", kind="supervision_office")
    second = {"person_id": person(staff, office)["id"],
              "post": "chief_inspector", "employment": "full_time",
              "is_bureau_leadership": True, "started_on": day()}
    assert codes(staff.create("office-staff", second, status=409)) == {
        "second-chief"}
    # nobody else directs the office
    answer = staff.create("office-staff", {
        **second, "post": "staff", "is_office_director": True}, status=422)
    assert codes(answer) == {"chief-is-office-director"}

    # who is no party member need not belong to the party group
    connection = as_login("office_staff")
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("select app.act_as('office_staff')")
        cursor.execute("select status from app.patch('office_staff', %s,"
                       " null, %s)", (chief["id"], json.dumps({
                           "ended_on": day()})))
        cursor.execute("select status from app.create('office_staff', %s)",
                       (json.dumps(second),))
        assert cursor.fetchone()[0] == 201
    connection.rollback()
    connection.autocommit = True


@pytest.mark.clause("C2.1.2.g", "R-ORG-05")
def test_deputies_within_the_approved_posts(api, db):
    staff = api.login("office_staff")
    parameter = staff.one("rule-parameters", key="deputy_chief_posts")
    assert parameter["value"] == 1 and parameter["basis"]
    office = staff.one("organizations", kind="supervision_office")
    body = {"person_id": person(staff, office)["id"],
            "post": "deputy_chief_inspector", "employment": "full_time",
            "started_on": day()}
    answer = staff.create("office-staff", body, status=422)
    assert codes(answer) == {"deputy-posts-taken"}
    assert answer["errors"][0]["params"] == {"max": 1}
    status, detail = refused(
        db, "insert into dudao.office_staff(person_id, post, employment,"
        " started_on) values (%s, 'deputy_chief_inspector', 'full_time',"
        " current_date)", body["person_id"])
    assert status == 422 and codes(detail) == {"deputy-posts-taken"}


@pytest.mark.clause("C2.1.2.h", "C2.1.2.i", "R-ORG-04")
def test_three_full_time_or_a_reason(api, db, as_login):
    staff = api.login("office_staff")
    full_time = staff.list("office-staff", employment="full_time",
                           as_of=day())
    assert len(full_time) >= 3
    office = staff.one("organizations", kind="supervision_office")
    assert office["shortfall_reason"] is None
    # down to two: not without saying why, then with a reason in one call
    connection = as_login("office_staff")
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("select app.act_as('office_staff')")

        def end(row, **more):
            cursor.execute(
                "select status from app.patch('office_staff', %s, null, %s)",
                (row["id"], json.dumps({"ended_on": day(), **more})))

        for row in full_time[:-3]:
            end(row)
        cursor.execute("savepoint three")
        with pytest.raises(psycopg2.Error) as caught:
            end(full_time[-1])
        detail = json.loads(caught.value.diag.message_detail)
        assert codes(detail) == {"shortfall-reason-required"}
        assert detail["errors"][0]["params"] == {"min": 3}
        cursor.execute("rollback to three")
        end(full_time[-1], shortfall_reason="正在公开招聘")
        cursor.execute("select shortfall_reason from dudao.organizations"
                       " where kind = 'supervision_office'")
        assert cursor.fetchone()[0] == "正在公开招聘"
    connection.rollback()
    connection.autocommit = True
    # the reason stands with the office alone
    other = organization(staff, leader=False)
    assert codes(staff.change("organizations", other, {
        "shortfall_reason": "无"}, status=422)) == {
            "shortfall-of-office-only"}


@pytest.mark.clause("C2.1.2.b", "C2.1.3.g")
def test_the_office_directs_zones_and_inspectors(api):
    """The daily work is the office's: it sees and writes all of the county."""
    staff = api.login("office_staff")
    assert {z["code"] for z in staff.list("zones")} >= {"Z1", "Z2", "Z3",
                                                        "Z4"}
    zone = staff.one("zones", code="Z3")
    changed = staff.change("zones", zone, {"office_address": unique("地址")})
    assert changed["version"] == zone["version"] + 1
    everywhere = len(staff.list("inspectors"))
    lead = api.login("zone_lead")
    assert len(lead.list("inspectors")) < everywhere
    assert [z["code"] for z in lead.list("zones")] == ["Z4"]
    lead.read("zones", zone["id"], status=404)
    inspector = api.login("inspector_pt")
    assert len(inspector.list("inspectors")) == 1
    inspector.change("zones", inspector.one("zones"), {"phone": "0730-1"},
                     status=403)


# --- C1.c, reading ------------------------------------------------------------


@pytest.mark.clause("C1.c", "R-ORG-09")
def test_townships_and_units_name_who_leads_education(api, db):
    staff = api.login("office_staff")
    for unit_row in staff.list("member-units", as_of=day(),
                               expand="organization"):
        assert unit_row["organization"]["edu_leader_person_id"]
    township = staff.one("organizations", kind="township_government")
    assert township["edu_leader_person_id"]
    answer = staff.change("organizations", township, {
        "edu_leader_person_id": None}, status=422)
    assert codes(answer) == {"edu-leader-required"}
    assert answer["errors"][0]["clause_id"] == "C1.c"
    status, detail = refused(
        db, "update dudao.organizations set edu_leader_person_id = null"
        " where code = 'MU10'")
    assert status == 422 and codes(detail) == {"edu-leader-required"}
    # a unit without one does not join
    answer = unit(staff, organization=organization(staff, leader=False),
                  status=422)
    assert codes(answer) == {"edu-leader-required"}


@pytest.mark.clause("4.3")
def test_what_everybody_reads(api):
    public = api.get("/v1/public/committee", status=200).json()
    assert [m["role"] for m in public["members"]][:3] == [
        "director", "deputy_director", "deputy_director"]
    assert {u["organization"] for u in public["units"]} >= set(LISTED)
    assert "县关工委（演示）" not in {u["organization"] for u in public["units"]}
    assert {s["post"] for s in public["office"]} == {
        "chief_inspector", "deputy_chief_inspector"}
    # no phone, nor what masking leaves of it
    assert not re.search(r"(?<!\w)1[3-9]\d[\d*]{8}(?!\w)",
                         json.dumps(public, ensure_ascii=False))
    api.login("school_account").get("/v1/liaisons", status=403)


@pytest.mark.clause("C2.1.3.e", "C2.1.3.f", "R-RPT-02")
def test_circulation_reaches_the_units_of_the_day(db):
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(
            "with subject as (select app.uuid_v7() as id)"
            " select id, app.circulate('major_matters', id, '2023-06-01',"
            "     app.today()), app.circulate('major_matters', id,"
            "     '2023-06-01', app.today()),"
            "     app.report_upward('major_matters', id, app.today())"
            " from subject")
        id, told, again, upward = cursor.fetchone()
        assert told == again == 24 and upward
        cursor.execute(
            "select purpose, recipient_role, count(*) from dudao.dispatches"
            " where subject_id = %s group by 1, 2 order by 1", (id,))
        assert cursor.fetchall() == [("circulate", "member_unit", 24),
                                     ("report", "superior_supervision", 1)]
        cursor.execute("rollback")
