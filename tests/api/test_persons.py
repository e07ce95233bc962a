"""Persons and terms of office: 2.1, C2.2.1.e, C2.2.2.d, 4.4."""

import pytest

from support.client import unique

NUMBER = "11010519491231002X"    # the sample of GB 11643


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def school(api):
    return api.login("office_staff").one("schools", q="安定镇示例小学02")


def test_identity_number_is_kept_as_a_hash(api, db):
    staff = api.login("office_staff")
    with db.cursor() as cursor:
        cursor.execute("update dudao.persons set id_number_hash = null")
    body = {"name": unique("演示·人员"), "phone": "13900001234"}
    assert codes(staff.create("persons", body | {
        "id_number": NUMBER[:-1] + "1"}, status=422)) == {
        "id-number-check-digit"}
    made = staff.create("persons", body | {"id_number": NUMBER})
    assert made["code"].startswith("RY-")
    problem = staff.create("persons", {"name": "别人", "id_number":
                                       NUMBER.lower()}, status=409)
    assert problem["errors"][0]["pointer"] == "/id_number"
    with db.cursor() as cursor:
        cursor.execute("select id_number_hash, to_jsonb(p)::text"
                       " from dudao.persons p where id = %s", (made["id"],))
        digest, row = cursor.fetchone()
        assert len(digest) == 32 and NUMBER not in row
        cursor.execute("select before, after from dudao.audit_logs"
                       " where subject_id = %s", (made["id"],))
        assert NUMBER not in str(cursor.fetchall())
    with db.cursor() as cursor:
        cursor.execute("update dudao.persons set id_number_hash = null"
                       " where id = %s", (made["id"],))


def test_api_role_cannot_read_the_hash(as_login):
    with as_login("office_staff").cursor() as cursor:
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("select id_number_hash from dudao.persons")


def test_phone_is_masked(api):
    row = api.login("office_staff").one("persons", q="南江镇示例中心小学校长")
    assert "****" not in row["phone"]
    path = f"/v1/persons/{row['id']}"
    masked = api.login("committee_director").get(path, status=200).json()
    assert masked["phone"][3:7] == "****"
    api.login("school_account").get(path, status=404)


@pytest.mark.clause("C2.2.2.d", "R-CMP-02")
def test_term_of_a_head(api, school):
    staff = api.login("office_staff")
    term = staff.one("leadership-terms", organization_id=school["id"],
                     position="principal", **{"ended_on.is_null": "true"})
    assert term["planned_end_on"] and term["is_principal_leader"]
    person = staff.create("persons", {
        "name": unique("演示·新任校长"), "organization_id": school["id"]})
    body = {"organization_id": school["id"], "person_id": person["id"],
            "position": "principal", "started_on": "2026-08-02"}
    # no planned end; and a second one in office
    assert codes(staff.create("leadership-terms", body, status=422)) == {
        "planned-end-required"}
    body["planned_end_on"] = "2031-08-01"
    assert staff.create("leadership-terms", body,
                        status=409)["code"] == "duplicate"
    assert codes(staff.change("leadership-terms", term, {
        "ended_on": "2026-08-01"}, status=422)) == {"end-reason-with-date"}
    staff.change("leadership-terms", term, {
        "ended_on": "2026-08-01", "end_reason": "transferred"})
    made = staff.create("leadership-terms", body)
    assert made["person_name"] == person["name"]
    expanded = staff.get(f"/v1/leadership-terms/{made['id']}", status=200,
                         params={"expand": ["organization", "person"]}).json()
    assert expanded["person"]["id"] == person["id"]
    # the same person in the same post twice at a time
    assert staff.create("leadership-terms", body | {
        "started_on": "2026-09-01", "is_principal_leader": False},
        status=409)["code"] == "overlapping-period"


def test_position_belongs_to_the_unit(api, school):
    staff = api.login("office_staff")
    person = staff.create("persons", {"name": unique("演示·某人")})
    problem = staff.create("leadership-terms", {
        "organization_id": school["id"], "person_id": person["id"],
        "position": "township_head", "started_on": "2099-01-01"}, status=422)
    assert codes(problem) == {"position-not-of-unit", "date-in-future"}


@pytest.mark.clause("C2.2.1.e")
def test_township_has_two_principal_leaders(api):
    staff = api.login("office_staff")
    unit = staff.one("organizations", q="安定镇人民政府")
    rows = staff.list("leadership-terms", organization_id=unit["id"],
                      is_principal_leader="true")
    assert {row["position"] for row in rows} == {
        "township_party_secretary", "township_head"}
