"""Zones and memberships: 2.4, C2.2.2.e, C2.4.1."""

import pytest

from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.mark.clause("C2.4.1.a", "C2.4.1.c", "R-ZON-02", "R-ZON-03")
def test_numbers_of_the_zones(api):
    rows = {row["code"]: row for row in
            api.login("committee_director").list("zones", code=[
                "Z1", "Z2", "Z3", "Z4"])}
    assert {code: (row["inspector_count"], row["fulltime_count"])
            for code, row in rows.items()} == {
        "Z1": (16, 4), "Z2": (12, 3), "Z3": (16, 4), "Z4": (18, 4)}
    assert all(row["fulltime_count"] >= 2 for row in rows.values())


def test_expand_lead_and_members(api):
    staff = api.login("office_staff")
    row = staff.one("zones", code="Z4")
    answer = staff.get(f"/v1/zones/{row['id']}", status=200, params={
        "expand": ["lead_inspector", "members"]}).json()
    assert answer["lead_inspector"]["name"] == "演示督学01"
    assert len(answer["members"]) == 18 and answer["members"][0]["is_lead"]


def test_create_with_own_id_and_change(api):
    staff = api.login("office_staff")
    body = {"code": unique("Z").upper().replace("_", "-"),
            "name": "新城督学责任区", "active_from": "2026-12-01"}
    made = staff.create("zones", body)
    assert made["school_count"] == 0 and made["ratio"] is None
    staff.create("zones", body, status=409)
    made = staff.change("zones", made, {"phone": "0730-6209999"})
    assert made["phone"] == "0730-6209999"
    reader = api.login("leader_reader").read("zones", made["id"])
    assert reader["phone"] == "073****09999"
    staff.change("zones", made, {"code": "Z9"}, status=422)
    api.login("school_account").change("zones", made, {"name": "x"},
                                       status=403)


@pytest.mark.clause("R-ZON-03", "C2.4.1.c")
def test_lead_is_a_full_time_member(api):
    staff = api.login("office_staff")
    zone = staff.one("zones", code="Z3")
    part_time = staff.one("inspectors", q="演示督学60")
    elsewhere = staff.one("inspectors", q="演示督学06")
    assert codes(staff.change("zones", zone, {
        "lead_inspector_id": part_time["id"]}, status=422)) == {
        "lead-not-full-time"}
    assert codes(staff.change("zones", zone, {
        "lead_inspector_id": elsewhere["id"]}, status=422)) == {
        "lead-not-member"}
    other = staff.one("inspectors", q="演示督学13")
    zone = staff.change("zones", zone, {"lead_inspector_id": other["id"]})
    # the memberships say the same
    leads = staff.list("zone-memberships", zone_id=zone["id"],
                       is_lead="true", **{"ended_on.is_null": "true"})
    assert [row["inspector_id"] for row in leads] == [other["id"]]
    first = staff.one("inspectors", q="演示督学12")
    zone = staff.read("zones", zone["id"])
    staff.change("zones", zone, {"lead_inspector_id": first["id"]})


@pytest.mark.clause("R-ZON-01", "C2.2.2.e")
def test_zone_with_schools_stays(api):
    staff = api.login("office_staff")
    zone = staff.one("zones", code="Z2")
    assert codes(staff.change("zones", zone, {"active_to": "2027-01-01"},
                              status=422)) == {"zone-has-schools"}


@pytest.mark.clause("C2.4.1.a")
def test_one_zone_at_a_time(api):
    staff = api.login("office_staff")
    inspector = staff.one("inspectors", q="演示督学30")
    zone = staff.one("zones", code="Z1")
    problem = staff.create("zone-memberships", {
        "zone_id": zone["id"], "inspector_id": inspector["id"],
        "started_on": "2026-11-01"}, status=409)
    assert problem["code"] in ("duplicate", "overlapping-period")
    candidate = staff.create("inspectors", {
        "person_id": staff.create("persons", {
            "name": unique("演示·候选")})["id"], "background": "teacher"})
    assert codes(staff.create("zone-memberships", {
        "zone_id": zone["id"], "inspector_id": candidate["id"],
        "started_on": "2026-11-01"}, status=422)) == {
        "no-active-appointment"}


@pytest.mark.parametrize("login, count", [
    ("zone_lead", 1), ("inspector_ft", 1), ("inspector_pt", 1)])
def test_scopes(api, login, count):
    assert len(api.login(login).list("zones")) == count
