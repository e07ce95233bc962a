"""What happens by itself: app.run_due(), which the service calls."""

import datetime

import pytest

from support.client import unique


def at(**later):
    moment = datetime.datetime.now(datetime.timezone.utc)
    return (moment + datetime.timedelta(**later)).isoformat()


def run_due(db, moment):
    """As the service does, at another time, and not beside its own turn."""
    with db.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('dudao.run_due'))")
        cursor.execute("select set_config('dudao.now', %s, false)", (moment,))
        cursor.execute("select app.run_due()")
        cursor.execute("select set_config('dudao.now', '', false)")
        cursor.execute("select pg_advisory_unlock_all()")


@pytest.mark.clause("C2.3.1.b")
def test_scheduled_publication(api, db):
    author, chief = api.login("office_staff"), api.login("chief_inspector")
    item = author.create("publications", {
        "kind": "other", "title": unique("定时公开"), "body": "内容"})
    author.act("publications", item, "submit", {})
    api.login("office_staff_2").act("publications", item, "secrecy-check",
                                    {"result": "pass"})
    chief.act("publications", item, "approve", {})
    channel = author.one("publication-channels", kind="gov_portal")
    author.act("publications", item, "schedule", {
        "scheduled_at": at(hours=1),
        "placements": [{"channel_id": channel["id"],
                        "url": "https://portal.example/tz/9"}]})

    run_due(db, at(minutes=30))
    assert author.read("publications", item["id"])["state"] == "scheduled"
    run_due(db, at(hours=2))
    assert author.read("publications", item["id"])["state"] == "published"
    assert api.get(f"/v1/public/publications/{item['code']}",
                   status=200).json()["title"] == item["title"]
    steps = author.get(f"/v1/publications/{item['id']}/transitions",
                       status=200).json()["data"]
    assert (steps[-1]["action"], steps[-1]["role"]) == ("publish", "system")


@pytest.mark.clause("C2.3.2.c")
def test_overdue_is_told_once(api, db):
    office = api.login("office_staff")
    # the one due last: another test's look ahead has not told of it
    problem = max((p for p in office.list("problems", state="rectifying")
                   if p["due_on"] and not p["overdue"]),
                  key=lambda p: p["due_on"])
    day_after = f"{problem['due_on']}T20:00:00+00:00"

    def told():
        with db.cursor() as cursor:
            cursor.execute(
                "select count(*) from dudao.notifications "
                "where kind = 'problem_overdue' and subject_id = %s",
                (problem["id"],))
            return cursor.fetchone()[0]

    before = told()
    run_due(db, day_after)
    once = told()
    assert once > before
    run_due(db, day_after)
    assert told() == once
