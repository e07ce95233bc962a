"""Plaques: 3.24, C2.2.2.f, L-GP-01, L-TL-10, 10.2."""

import pytest

from support import ledger
from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def bare(api):
    """One of the two schools that 7.2 leaves without a plaque."""
    staff = api.login("office_staff")
    return staff.one("schools", q="三阳乡示例幼儿园08")


@pytest.mark.clause("R-PLQ-01", "C2.2.2.f")
def test_coverage(api):
    staff = api.login("office_staff")
    page = staff.get("/v1/plaques", status=200, params={
        "state": ["posted", "to_replace"], "count": "exact",
        "limit": 1}).json()
    assert page["page"]["total"] >= 300


@pytest.mark.clause("R-PLQ-02", "L-GP-01", "R-PLQ-03")
def test_post_flag_remove(api, db, bare):
    staff = api.login("office_staff")
    inspector = staff.one("inspectors", q="演示督学31")
    made = staff.create("plaques", {"school_id": bare["id"],
                                    "inspector_id": inspector["id"],
                                    "hotline": "0730-6200100"})
    assert made["state"] == "planned" and "校风" in made["items"]
    problem = staff.act("plaques", made, "post", {}, status=422)
    assert codes(problem) == {"required"}
    assert problem["errors"][0]["pointer"] == "/photo_attachment_id"
    made = staff.act("plaques", made, "post", {
        "photo_attachment_id": ledger.evidence(db), "location": "校门左侧"})
    assert made["state"] == "posted" and made["posted_on"]
    assert made["allowed_actions"] == ["flag"]
    # one at the gate
    other = staff.create("plaques", {"school_id": bare["id"],
                                     "inspector_id": inspector["id"]})
    problem = staff.act("plaques", other, "post", {
        "photo_attachment_id": ledger.evidence(db)}, status=422)
    assert "plaque-still-posted" in codes(problem)
    staff.act("plaques", other, "remove", {})
    staff.act("plaques", made, "flag", {}, status=422)
    made = staff.act("plaques", made, "flag", {"reason": "督学变动"})
    made = staff.act("plaques", made, "remove", {})
    assert made["state"] == "removed" and made["removed_on"]
    staff.act("plaques", made, "post", {}, status=409)
    history = staff.get(f"/v1/plaques/{made['id']}/transitions",
                        status=200).json()["data"]
    assert [step["action"] for step in history] == ["post", "flag", "remove"]


@pytest.mark.clause("R-INS-09", "L-TL-10", "R-ZON-02")
def test_who_may_not_hang_there(api, db, bare):
    staff = api.login("office_staff")
    elsewhere = staff.one("inspectors", q="演示督学20")
    made = staff.create("plaques", {"school_id": bare["id"],
                                    "inspector_id": elsewhere["id"]})
    problem = staff.act("plaques", made, "post", {
        "photo_attachment_id": ledger.evidence(db)}, status=422)
    assert codes(problem) == {"inspector-of-other-zone"}
    staff.act("plaques", made, "remove", {})
    # somebody of the school itself
    person = staff.create("persons", {"name": unique("演示·教师"),
                                      "organization_id": bare["id"]})
    own = staff.create("inspectors", {"person_id": person["id"],
                                      "background": "teacher"})
    problem = staff.create("plaques", {"school_id": bare["id"],
                                       "inspector_id": own["id"]}, status=422)
    assert codes(problem) == {"recusal-required"}


@pytest.mark.clause("C2.2.2.f")
def test_teaching_points_have_none(api):
    staff = api.login("office_staff")
    point = staff.one("schools", ident_code="2143990011")
    inspector = staff.one("inspectors", q="演示督学52")
    assert codes(staff.create("plaques", {
        "school_id": point["id"], "inspector_id": inspector["id"]},
        status=422)) == {"teaching-point-follows-parent"}


def test_inspector_posts_the_own_plaque_only(api, db, bare):
    staff, me = api.login("office_staff"), api.login("inspector_ft")
    other = staff.one("inspectors", q="演示督学32")
    made = staff.create("plaques", {"school_id": bare["id"],
                                    "inspector_id": other["id"]})
    me.act("plaques", made, "post", {}, status=(403, 404))
    staff.act("plaques", made, "remove", {})
    assert {row["inspector_name"] for row in me.list("plaques")} == {
        "演示督学02"}
    me.create("plaques", {"school_id": bare["id"],
                          "inspector_id": other["id"]}, status=403)


def test_everybody_sees_posted_ones(api):
    rows = api.list("public/plaques", q="安定镇示例中心小学")
    assert [row["inspector_name"] for row in rows] == ["演示督学02"]
    assert rows[0]["public_phone"] and rows[0]["hotline"]
    assert api.list("public/plaques", ident_code="2143990006") == rows
    api.get("/v1/plaques", status=401)


def test_step_without_a_body(api):
    """415 for a row that is there, 404 for one that is not."""
    staff = api.login("office_staff")
    plaque = staff.one("plaques", state="posted")
    for id, status in ((plaque["id"], 415),
                       ("0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e", 404)):
        staff.post(f"/v1/plaques/{id}/flag", status=status)


@pytest.mark.clause("R-PLQ-01")
def test_whether_a_school_has_a_plaque_is_the_same_for_all(api):
    """A township sees the posted ones alone; one to be replaced still hangs."""
    staff, township = api.login("office_staff"), api.login("township_account")
    school = township.list("schools", has_plaque="true",
                           sort="-ident_code")[0]["id"]
    plaque = staff.one("plaques", school_id=school, state="posted")
    staff.act("plaques", plaque, "flag", {"reason": "督学变动"})
    assert not township.list("plaques", school_id=school)
    for client in (staff, township):
        for has_plaque in ("true", "false"):
            found = client.list("schools", has_plaque=has_plaque)
            assert (school in {row["id"] for row in found}) \
                == (has_plaque == "true")


@pytest.mark.clause("C2.2.2.f")
def test_a_zones_plaques_are_the_same_for_all(api):
    """Posted ones are everybody's, also where the reader sees no school."""
    staff = api.login("office_staff")
    zone = staff.one("zones", code="Z1")["id"]
    posted = {row["id"] for row in
              staff.list("plaques", zone_id=zone, state="posted")}
    assert posted
    for login in ("school_account", "department_account"):
        assert posted == {row["id"] for row in api.login(login).list(
            "plaques", zone_id=zone)}, login
