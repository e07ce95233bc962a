"""Organizations: 2.1, H.3, H.5, C1.c, C2.1.2.a, C2.4.2."""

import pytest

from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.mark.clause("R-GEN-02", "H.5")
def test_every_township_is_an_organization(api):
    staff = api.login("office_staff")
    rows = staff.list("organizations", kind=[
        "township_government", "subdistrict_office"], is_supervisable="true")
    divisions = staff.list("divisions", level="township")
    assert {row["division_id"] for row in rows} == {
        division["id"] for division in divisions}


@pytest.mark.clause("R-ORG-09", "C1.c")
def test_education_leader_is_named(api):
    staff = api.login("office_staff")
    without = staff.list("organizations", **{
        "edu_leader_person_id.is_null": "true", "kind": [
            "township_government", "subdistrict_office"]})
    assert without == []
    row = staff.one("organizations", q="安定镇人民政府")
    answer = staff.get(f"/v1/organizations/{row['id']}", status=200, params={
        "expand": ["edu_leader", "division"]}).json()
    assert answer["edu_leader"]["name"] == "演示·安定镇分管教育负责人"
    assert answer["division"]["code"] == "430626101"


@pytest.mark.clause("C2.1.2.a", "R-ORG-04", "C2.4.2.b", "R-RES-01")
def test_office_and_centre(api):
    staff = api.login("office_staff")
    office = staff.one("organizations", kind="supervision_office")
    centre = staff.one("organizations", kind="research_center")
    assert office["host_organization_id"]
    assert centre["managed_by_id"] == office["id"]
    assert "managed-by-office" in codes(staff.change(
        "organizations", centre, {"managed_by_id": None}, status=422))
    # there is one office
    problem = staff.create("organizations", {
        "kind": "supervision_office", "name": "第二督导办",
        "division_id": office["division_id"],
        "host_organization_id": office["host_organization_id"]}, status=422)
    assert codes(problem) == {"only-one-of-its-kind"}


def test_check_digit_of_the_credit_code(api):
    staff = api.login("office_staff")
    division = staff.one("divisions", level="county")["id"]
    body = {"kind": "third_party", "name": unique("示例评估公司"),
            "division_id": division, "uscc": "91350100M000100Y44"}
    assert codes(staff.create("organizations", body, status=422)) == {
        "uscc-check-digit"}
    # the sample of GB 32100-2015
    made = staff.create("organizations", body
                        | {"uscc": "91350100M000100Y43"})
    assert made["code"] == "91350100M000100Y43"
    assert made["is_supervisable"] is False
    staff.create("organizations", body | {"uscc": "91350100M000100Y43"},
                 status=409)


def test_schools_are_not_made_here(api):
    staff = api.login("office_staff")
    division = staff.one("divisions", level="county")["id"]
    assert codes(staff.create("organizations", {
        "kind": "school", "name": "某校", "division_id": division},
        status=422)) == {"created-as-school"}


def test_a_unit_changes_what_is_its_own(api):
    school = api.login("school_account")
    rows = school.list("organizations")
    assert [row["name"] for row in rows] == ["安定镇示例中心小学"]
    row = school.change("organizations", rows[0],
                        {"contact_name": "演示·值班室"})
    assert row["contact_name"] == "演示·值班室"
    assert codes(school.change("organizations", row, {
        "name": "改名", "status": "closed"}, status=422)) == {
        "office-only-field"}
    other = api.login("office_staff").one("organizations", q="教育局")
    school.change("organizations", other, {"address": "别处"}, status=404)


def test_phones_are_masked_for_others(api):
    row = api.login("office_staff").one("organizations", q="安定镇示例中心小学",
                                        kind="school")
    assert row["contact_phone"].startswith("138000")
    path = f"/v1/organizations/{row['id']}"
    reader = api.login("leader_reader").get(path, status=200).json()
    assert reader["contact_phone"].startswith("138****")
    own = api.login("school_account").get(path, status=200).json()
    assert own["contact_phone"] == row["contact_phone"]


@pytest.mark.parametrize("login, count", [
    ("school_account", 1), ("office_staff", 450)])
def test_scopes(api, login, count):
    rows = api.login(login).list("organizations")
    assert len(rows) == count or (login == "office_staff"
                                  and len(rows) >= count)


def test_township_reads_its_jurisdiction(api):
    township = api.login("township_account")
    names = {row["name"] for row in township.list("organizations")}
    assert "安定镇人民政府" in names and "安定镇示例中心小学" in names
    assert not any(name.startswith("三市镇") for name in names)
