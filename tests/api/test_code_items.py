"""Code lists, semesters, the calendar: 2.1, 10.4, L-TL-11, L-GP-04."""

import pytest

from support.client import unique


@pytest.mark.clause("L-TL-11", "L-TL-25", "L-WZ-01", "L-WZ-02", "L-GP-04")
@pytest.mark.parametrize("name, count", [
    ("supervision_matter", 4), ("visit_area", 8), ("problem_category", 16),
    ("situation_class", 6), ("wz_situation", 9), ("obstruction_kind", 5),
    ("school_type", 18), ("division_kind", 3), ("recipient_rule", 5),
    ("cadre_management", 3), ("expense_category", 6)])
def test_seeded_lists(api, name, count):
    rows = api.login("school_account").list("code-items", list=name)
    assert len(rows) >= count
    assert [row["sort"] for row in rows] == sorted(
        row["sort"] for row in rows)
    assert all(row["label_zh"] and row["label_en"] for row in rows)


def test_items_are_retired_not_deleted(api):
    staff = api.login("office_staff")
    body = {"list": "test_list", "code": unique(), "label_zh": "示例",
            "label_en": "Sample"}
    made = staff.create("code-items", body)
    staff.create("code-items", body, status=409)
    assert staff.change("code-items", made, {"active": False,
                                             "data": {"a": 1}})["data"]
    staff.delete(f"/v1/code-items/{made['id']}", if_match=2, status=405)
    api.login("auditor").change("code-items", made, {"sort": 1}, status=403)


def test_semesters(api):
    staff = api.login("office_staff")
    row = staff.one("semesters", code="2026-2027-1")
    assert row["academic_year"] == "2026-2027" and row["term"] == "first"
    assert "2026-10" in row["teaching_months"]
    body = {"code": "2030-2031-2", "starts_on": "2031-02-17",
            "ends_on": "2031-07-04"}
    made = staff.create("semesters", body)
    assert made["term"] == "second"
    assert made["teaching_months"] == ["2031-03", "2031-04", "2031-05",
                                       "2031-06"]
    assert staff.create("semesters", body | {
        "code": "2031-2032-1"}, status=409)["code"] == "overlapping-period"
    problem = staff.create("semesters", {
        "code": "2040-2042-1", "term": "second", "starts_on": "2040-09-01",
        "ends_on": "2040-08-01"}, status=422)
    assert {e["code"] for e in problem["errors"]} == {
        "semester-code-years", "semester-code-term", "date-before-start"}


def test_calendar_moves_working_days(api, db):
    staff = api.login("office_staff")
    row = staff.one("calendar-days", day="2026-10-10")
    assert row["is_workday"] and "调休" in row["note"]
    october = staff.list("calendar-days", is_workday="false", **{
        "day.gte": "2026-10-01", "day.lte": "2026-10-08"})
    assert [row["day"] for row in october] == [
        f"2026-10-0{n}" for n in range(1, 8)]

    def next_day(day):
        with db.cursor() as cursor:
            cursor.execute("select app.add_workdays(%s, 1)::text", (day,))
            return cursor.fetchone()[0]

    assert next_day("2026-09-30") == "2026-10-08"
    made = staff.create("calendar-days", {
        "day": "2033-03-01", "is_workday": False, "note": "示例"})
    assert next_day("2033-02-28") == "2033-03-02"
    staff.create("calendar-days", {"day": "2033-03-01",
                                   "is_workday": True}, status=409)
    staff.delete(f"/v1/calendar-days/{made['id']}", status=428)
    staff.delete(f"/v1/calendar-days/{made['id']}", if_match=made,
                 status=204)
    assert next_day("2033-02-28") == "2033-03-01"
