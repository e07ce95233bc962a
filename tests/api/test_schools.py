"""Schools: 2.1, C2.2.2.d to C2.2.2.g, C2.4.1.a."""

import pytest

from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def body(api):
    staff = api.login("office_staff")
    division = staff.one("divisions", q="安定镇")["id"]
    zone = staff.one("zones", code="Z4")["id"]
    number = int(unique("")[-6:], 16) % 1000000
    return {"ident_code": f"2143{number:06}", "name": unique("安定镇新建小学"),
            "division_id": division, "school_type": "211",
            "stages": ["primary"], "ownership": "public", "zone_id": zone,
            "student_count": 640, "as_of_year": 2026}


@pytest.mark.clause("C2.4.1.a", "R-INS-01")
def test_counted_schools_and_teaching_points(api):
    staff = api.login("office_staff")
    rows = [row for row in staff.list("schools") if row["is_demo"]]
    assert sum(row["counts_in_ratio"] for row in rows) == 304
    points = [row for row in rows if row["school_type"] == "218"]
    assert len(points) == 89
    assert all(row["parent_school_id"] and not row["counts_in_ratio"]
               for row in points)


@pytest.mark.clause("R-ZON-01", "C2.2.2.e")
def test_operating_school_has_a_zone(api, body):
    staff = api.login("office_staff")
    page = staff.get("/v1/schools", status=200, params={
        "status": "operating", "limit": 200}).json()
    assert page["page"]["has_more"]
    assert all(row["zone_id"] for row in page["data"])
    problem = staff.create("schools", body | {"zone_id": None}, status=422)
    assert codes(problem) == {"zone-required"}
    made = staff.create("schools", body | {"zone_id": None,
                                           "status": "suspended"})
    organization = staff.read("organizations", made["id"])
    problem = staff.change("organizations", organization,
                           {"status": "operating"}, status=422)
    assert codes(problem) == {"zone-required"}


def test_school_and_organization_are_made_together(api, body):
    staff = api.login("office_staff")
    made = staff.create("schools", body)
    assert made["counts_in_ratio"] is True
    answer = staff.get(f"/v1/schools/{made['id']}", status=200, params={
        "expand": ["organization", "zone", "parent_school", "plaque",
                   "leaders"]}).json()
    assert answer["organization"]["kind"] == "school"
    assert answer["organization"]["code"] == "ORG-" + body["ident_code"]
    assert answer["zone"]["code"] == "Z4"
    assert (answer["parent_school"], answer["plaque"],
            answer["leaders"]) == (None, None, [])
    # the same again is a duplicate, unless it carries its own id
    staff.create("schools", body, status=409)


def test_same_id_and_body_is_no_error(api, body):
    staff = api.login("office_staff")
    body["id"] = "0199c1d2-7a10-7c3e-8d21-" + unique("")[-6:] + "abcdef"
    made = staff.create("schools", body)
    assert staff.create("schools", body, status=200)["id"] == made["id"]
    staff.create("schools", body | {"student_count": 1}, status=409)


def test_faults_come_together(api, body):
    staff = api.login("office_staff")
    problem = staff.create("schools", body | {
        "school_type": "311", "urban_rural": "199", "boarder_count": 700,
        "ownership": "public_inclusive_kg", "established_on": "2099-01-01",
        "longitude": 113.5}, status=422)
    assert codes(problem) == {
        "ident-code-category", "unknown-code", "too-large",
        "ownership-not-of-stage", "date-in-future", "coordinates-incomplete"}
    pointers = {e["pointer"] for e in problem["errors"]}
    assert "/ident_code" in pointers and "/latitude" in pointers


@pytest.mark.clause("C2.2.2.g", "R-VIS-04")
def test_private_schools_need_a_licence(api, body):
    staff = api.login("office_staff")
    body["ownership"] = "private_non_profit"
    assert codes(staff.create("schools", body, status=422)) == {
        "licence-status-required"}
    body["licence_status"] = "licensed"
    assert codes(staff.create("schools", body, status=422)) == {
        "licence-number-required"}


@pytest.mark.clause("R-PLQ-01", "C2.2.2.f")
def test_teaching_point_follows_a_school(api, body):
    staff = api.login("office_staff")
    body |= {"school_type": "218"}
    assert codes(staff.create("schools", body, status=422)) == {
        "parent-school-required"}
    parent = staff.one("schools", ident_code="2143990006")
    made = staff.create("schools", body | {"parent_school_id": parent["id"]})
    assert made["counts_in_ratio"] is False
    # it is covered by its school's plaque
    covered = staff.list("schools", has_plaque="true",
                         ident_code=body["ident_code"])
    assert [row["id"] for row in covered] == [made["id"]]


def test_filters_sorts_and_pages(api):
    staff = api.login("office_staff")
    zone = staff.one("zones", code="Z1")["id"]
    rows = staff.list("schools", zone_id=zone, school_type=["111", "211"],
                      sort="-student_count", limit=7)
    counts = [row["student_count"] for row in rows]
    assert counts == sorted(counts, reverse=True) and len(rows) == 61
    assert len({row["id"] for row in rows}) == 61
    expired = staff.list("schools", licence_status="expired")
    assert [row["name"] for row in expired] == ["天岳街道示例阳光幼儿园"]
    page = staff.get("/v1/schools", status=200, params={
        "stages": "special", "count": "exact"}).json()
    assert page["page"]["total"] == 1
    without = staff.list("schools", has_plaque="false",
                         counts_in_ratio="true")
    # and those whose plaque another test took down
    assert {row["name"] for row in without if row["is_demo"]} >= {
        "三阳乡示例幼儿园08", "大洲乡示例幼儿园02"}
    assert not [row for row in without if staff.list(
        "plaques", school_id=row["id"], state="posted")]


@pytest.mark.clause("C2.2.2.d")
def test_next_comprehensive_is_derived(api):
    staff = api.login("office_staff")
    row = staff.one("schools", q="浯口镇示例小学01")
    # 7.2: a head's term ended 100 days ago and nothing covers it
    assert row["last_comprehensive_on"] is None
    assert row["next_comprehensive_due_on"] < row["created_at"][:10]


@pytest.mark.parametrize("login, least, most", [
    ("zone_lead", 100, 140), ("inspector_ft", 5, 60), ("school_account", 1, 1),
    ("township_account", 20, 40), ("third_party", 0, 0)])
def test_scopes(api, login, least, most):
    rows = api.login(login).list("schools")
    assert least <= len(rows) <= most


def test_a_school_keeps_its_numbers(api):
    school = api.login("school_account")
    row = school.one("schools")
    row = school.change("schools", row, {"student_count": 872,
                                         "as_of_year": 2026})
    assert row["student_count"] == 872
    assert codes(school.change("schools", row, {
        "zone_id": None, "counts_in_ratio": False}, status=422)) == {
        "office-only-field", "zone-required"}
