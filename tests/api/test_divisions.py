"""Divisions: 2.1, 7.1."""

import pytest


def township(api, name):
    return api.one("divisions", q=name, level="township")


def test_both_code_systems(api):
    staff = api.login("office_staff")
    rows = staff.list("divisions", level="township", sort="code")
    assert len(rows) == 25
    different = {row["name"]: (row["code"], row["stat_code"])
                 for row in rows if row["code"] != row["stat_code"]}
    assert different == {
        "上塔市镇": ("430626116", "430626118"),
        "余坪镇": ("430626118", "430626116"),
        "三墩乡": ("430626211", "430626210")}


def test_kind_comes_from_the_code(api):
    staff = api.login("office_staff")
    kinds = [row["kind"] for row in staff.list("divisions",
                                               level="township")]
    assert [kinds.count(kind) for kind in
            ("subdistrict", "town", "township")] == [2, 18, 5]
    assert len(staff.list("divisions", kind="subdistrict")) == 2


def test_expand_and_traditional_characters(api):
    staff = api.login("office_staff")
    row = township(staff, "長壽鎮")
    assert row["name"] == "长寿镇"
    answer = staff.get(f"/v1/divisions/{row['id']}",
                       params={"expand": "parent"}, status=200).json()
    assert answer["parent"]["code"] == "430626"


def test_faults_come_together(api):
    staff = api.login("office_staff")
    county = staff.one("divisions", level="county")
    other = staff.one("divisions", level="prefecture")
    problem = staff.create("divisions", {
        "code": "430626", "name": "示例", "short_name": "示例",
        "level": "township", "parent_id": other["id"],
        "active_from": "2026-12-01", "active_to": "2026-11-01"}, status=422)
    assert {e["code"] for e in problem["errors"]} == {
        "division-code-level", "division-parent-code", "date-before-start"}
    problem = staff.create("divisions", {
        "code": "430626101", "name": "示例", "short_name": "示例",
        "level": "township", "parent_id": county["id"]}, status=409)
    assert problem["code"] == "duplicate"


def test_only_office_and_administrator_write(api):
    row = township(api.login("office_staff"), "安定镇")
    school = api.login("school_account")
    school.change("divisions", row, {"population": 1}, status=403)
    admin = api.login("sys_admin")
    changed = admin.change("divisions", row, {"population": 73241})
    assert changed["population"] == 73241
    admin.change("divisions", row, {"population": 73240}, status=412)
    admin.change("divisions", changed, {"population": 73240})
