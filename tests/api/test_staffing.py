"""Numbers of C2.4.1 and the zone editor: C2.4.1.a to c, R-INS-01, R-INS-02,
R-ZON-01 to R-ZON-04, 9-A1 to A3."""

import uuid

import pytest

from support import appointments
from support.client import unique


def errors(problem):
    return {(e.get("pointer"), e["code"]) for e in problem["errors"]}


def value(db, statement, *values):
    with db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


def zone(api):
    return api.login("office_staff").create("zones", {
        "code": unique("ZT").upper()[:20], "name": "示例新区",
        "active_from": "2026-01-01"})


def codes(staffing):
    return {w["code"] for w in staffing["warnings"]}


@pytest.mark.clause("C2.4.1.a", "C2.4.1.b", "C2.4.1.c", "R-INS-01",
                    "R-INS-02", "R-ZON-02", "R-ZON-03")
def test_ratios_of_county_and_zones(api, db):
    seen = api.login("leader_reader").get("/v1/inspector-ratios",
                                          status=200).json()
    county = seen["county"]
    assert county["school_count"] == value(
        db, "select count(*) from dudao.schools s join dudao.organizations o"
            " on o.id = s.organization_id where s.counts_in_ratio and"
            " o.status = 'operating'")
    assert county["inspector_count"] == \
        county["fulltime_count"] + county["parttime_count"]
    # A2: teaching points do not count
    assert county["ratio"] == round(
        county["school_count"] / county["inspector_count"], 2) <= 5
    assert county["fulltime_mode"] == "max"
    assert county["fulltime_share"] <= county["fulltime_limit"]
    assert "ratio-above-limit" not in codes(county)
    four = {z["zone_code"]: z for z in seen["zones"]}
    for code in ("Z1", "Z2", "Z3", "Z4"):
        assert four[code]["fulltime_count"] >= 2
        assert four[code]["ratio"] is not None
        assert "zone-above-soft-max" in codes(four[code])
        assert "small-zone-lowers-ratio" not in codes(four[code])
    api.get("/v1/inspector-ratios", status=401)


@pytest.mark.clause("C2.4.1.b", "R-INS-02")
def test_the_direction_is_a_parameter(api, db):
    try:
        with db.cursor() as cursor:
            cursor.execute("update dudao.rule_parameters set value ="
                           " '\"min\"', changed_reason = 'test' where key ="
                           " 'fulltime_ratio_mode'")
        county = api.login("chief_inspector").get(
            "/v1/inspector-ratios", status=200).json()["county"]
        assert county["fulltime_mode"] == "min"
        assert "fulltime-share-too-low" in codes(county)
    finally:
        with db.cursor() as cursor:
            cursor.execute("update dudao.rule_parameters set value ="
                           " '\"max\"', changed_reason = 'test' where key ="
                           " 'fulltime_ratio_mode'")


@pytest.mark.clause("C2.4.1.a", "C2.4.1.c", "R-ZON-01", "R-ZON-02",
                    "R-ZON-03", "C2.2.2.e")
def test_schools_and_inspectors_move_together(api, db):
    staff, new = api.login("office_staff"), zone(api)
    old = staff.one("zones", code="Z3")
    school = value(db, "select s.id::text from dudao.schools s join"
                       " dudao.plaques p on p.school_id = s.id and p.state ="
                       " 'posted' where s.zone_id = %s order by s.id desc"
                       " limit 1", old["id"])
    row, _ = appointments.in_office(api, db)
    candidate, _ = appointments.candidate(api, db)
    path = f"/v1/zones/{new['id']}/schools"
    # everything that is wrong at once, and nothing changes
    refused = staff.post(path, status=422, json={
        "school_ids": [school, str(uuid.uuid4())],
        "members": [{"inspector_id": row["inspector_id"],
                     "started_on": "2099-01-01"},
                    {"inspector_id": candidate["inspector_id"]},
                    {"inspector_id": str(uuid.uuid4())}]}).json()
    assert errors(refused) == {
        ("/school_ids/1", "unknown-reference"),
        ("/members/0/started_on", "date-in-future"),
        ("/members/1/inspector_id", "no-active-appointment"),
        ("/members/2/inspector_id", "unknown-reference")}
    assert staff.read("schools", school)["zone_id"] == old["id"]
    for login in ("zone_lead", "committee_director", "inspector_ft"):
        api.login(login).post(path, status=(403, 404),
                              json={"school_ids": [school]})

    moved = staff.post(path, status=200, json={
        "school_ids": [school],
        "members": [{"inspector_id": row["inspector_id"]}]}).json()
    try:
        assert [s["school_id"] for s in moved["schools"]] == [school]
        # its responsible inspector is of another zone
        assert moved["schools"][0]["plaque_state"] == "to_replace"
        assert [(i["inspector_id"], i["employment"], i["school_count"])
                for i in moved["inspectors"]] == [
            (row["inspector_id"], "part_time", 0)]
        assert moved["staffing"]["ratio"] == 1
        # C2.4.1.c; A3: two full-time ones need four others beside them
        assert codes(moved["staffing"]) == {"zone-fulltime-too-few",
                                            "small-zone-lowers-ratio"}
        seen = staff.get(f"/v1/zones/{new['id']}", status=200, params={
            "expand": ["schools", "inspectors", "staffing"]}).json()
        assert seen["schools"] == moved["schools"]
        assert seen["staffing"] == moved["staffing"]
        stale = staff.post(path, json={"school_ids": [school]}, status=412,
                           if_match=moved["version"] + 7).json()
        assert stale["code"] == "version-conflict"
        # terms overlap: an earlier day than the present membership's first
        back = f"/v1/zones/{old['id']}/schools"
        assert errors(staff.post(back, status=422, json={"members": [{
            "inspector_id": row["inspector_id"],
            "started_on": "2020-01-01"}]}).json()) == {
            ("/members/0/started_on", "overlapping-period")}
    finally:
        staff.post(f"/v1/zones/{old['id']}/schools", status=200,
                   json={"school_ids": [school]})
        api.login("committee_director").act(
            "inspector-appointments", row, "dismiss",
            {"ground": "dereliction", "reason": "测试"})
        staff.change("zones", staff.read("zones", new["id"]),
                     {"active_to": "2026-01-02"})
    assert staff.read("schools", school)["zone_id"] == old["id"]


@pytest.mark.clause("C2.4.1.a", "C2.4.1.d")
def test_an_inspectors_whole_file(api):
    staff = api.login("office_staff")
    row = staff.one("inspectors", q="演示督学02")
    seen = staff.get(f"/v1/inspectors/{row['id']}", status=200, params={
        "expand": ["appointments", "trainings", "assessments", "awards",
                   "workload", "zone", "schools"]}).json()
    assert seen["appointments"] and seen["zone"]["code"] == "Z4"
    assert len(seen["schools"]) <= 5
    assert seen["workload"]["inspector_id"] == row["id"]
    assert {a["inspector_id"] for a in seen["assessments"]} <= {row["id"]}
    assert isinstance(seen["trainings"], list)
    assert isinstance(seen["awards"], list)
