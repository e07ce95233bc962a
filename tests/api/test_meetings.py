"""Meetings, their agenda, attendance and resolutions: 3.19, 3.24."""

from datetime import date, timedelta

import psycopg2
import pytest

from support import ledger
from support.client import unique
from support.meetings import (AGENDA, faults, held, move, person, plan,
                              resolution, units, workday)
from support.own import anonymous, api, server  # noqa: F401


# --- one body -----------------------------------------------------------------


@pytest.mark.clause("C2.1.3.d", "R-MTG-01")
def test_all_member_units_are_invited_by_themselves(api, db):
    meeting = api.login("office_staff").create("meetings", plan(db))
    assert meeting["invited_count"] == len(units(db)) >= 23
    assert (meeting["state"], meeting["attended_count"]) == ("planned", 0)
    day = date.fromisoformat(meeting["scheduled_on"])
    assert (meeting["year"], meeting["half"]) == (
        day.year, 1 if day.month <= 6 else 2)


@pytest.mark.clause("C2.1.3.d", "C2.1.1.b")
def test_an_incomplete_list_names_each_missing_unit(api, db):
    members = units(db, ledger.today(db) + timedelta(days=30))
    for kind, rule in (("joint_meeting", "R-MTG-01"),
                       ("committee_plenary", "R-ORG-06")):
        answer = api.login("office_staff").create("meetings", plan(
            db, kind, attendances=[{"organization_id": unit}
                                   for unit in members[2:]]), status=422)
        assert {e["params"]["organization_id"] for e in answer["errors"]} \
            == set(members[:2])
        assert {e["code"] for e in answer["errors"]} == {"member-unit-missing"}
        assert answer["rule_id"] == rule
    # other meetings are of whom they concern
    session = api.login("office_staff").create("meetings", plan(
        db, "communication_session",
        attendances=[{"organization_id": members[0]}]))
    assert session["invited_count"] == 1


@pytest.mark.clause("C2.1.1.c", "C2.1.3.d")
def test_every_fault_of_every_part_is_named_at_once(api, db):
    nobody = "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"
    before = len(api.login("office_staff").list("meetings"))
    body = held(db, held_on=str(ledger.today(db) + timedelta(days=9)),
                chair_person_id=nobody, agenda=[
                    AGENDA[0],
                    {"title": "审议", "kind": "deliberation",
                     "presenter_person_id": nobody,
                     "subject_type": "problems", "subject_id": nobody}])
    body["attendances"].append({"organization_id": nobody, "attended": True})
    body["attendances"].append(body["attendances"][0])
    count = len(body["attendances"])
    answer = api.login("office_staff").create("meetings", body, status=422)
    assert faults(answer) >= {
        ("/held_on", "date-in-future"),
        ("/chair_person_id", "unknown-reference"),
        ("/agenda/1/presenter_person_id", "unknown-reference"),
        ("/agenda/1/subject_id", "unknown-reference"),
        (f"/attendances/{count - 2}/organization_id", "unknown-reference"),
        (f"/attendances/{count - 1}/organization_id", "duplicate-items")}
    # the meeting itself is right, its parts are not
    body = held(db, resolutions=[
        resolution(db, agenda_seq=9),
        resolution(db, due_on="2020-01-01", owner_organization_id=nobody),
        {"text": "没有依据的事项"}])
    answer = api.login("office_staff").create("meetings", body, status=422)
    assert faults(answer) >= {
        ("/resolutions/0/agenda_seq", "unknown-reference"),
        ("/resolutions/1/due_on", "date-before-start"),
        ("/resolutions/1/owner_organization_id", "unknown-reference"),
        ("/resolutions/2/agenda_item_id", "required"),
        ("/resolutions/2/owner_organization_id", "required"),
        ("/resolutions/2/due_on", "required")}
    assert len(api.login("office_staff").list("meetings")) == before


@pytest.mark.clause("C2.1.3.d")
def test_a_meeting_recorded_afterwards_is_whole(api, db):
    staff = api.login("office_staff")
    meeting = staff.create("meetings", held(
        db, absent=3, minutes="会议议定一项。", resolutions=[resolution(db)]))
    assert (meeting["state"], meeting["attended_count"]) == (
        "held", meeting["invited_count"] - 3)
    shown = staff.get(f"/v1/meetings/{meeting['id']}", status=200, params={
        "expand": ["agenda", "attendances", "resolutions"]}).json()
    assert [i["seq"] for i in shown["agenda"]] == [1, 2]
    assert shown["resolutions"][0]["agenda_item_id"] == \
        shown["agenda"][1]["id"]
    assert len(shown["attendances"]) == meeting["invited_count"]


@pytest.mark.clause("C2.1.1.b")
def test_a_draft_is_changed_with_its_parts(api, db):
    staff = api.login("office_staff")
    meeting = staff.create("meetings", plan(db))
    changed = staff.change("meetings", meeting, {
        "agenda": [AGENDA[1]], "place": "县政府第一会议室"})
    assert changed["version"] > meeting["version"]
    agenda = staff.list(f"meetings/{meeting['id']}/agenda")
    assert [i["title"] for i in agenda] == ["审议专项整治"]
    answer = staff.change("meetings", changed, {
        "chair_person_id": "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e",
        "agenda": [{"title": "研究", "kind": "study",
                    "subject_type": "problems"}],
        "resolutions": [resolution(db)]}, status=422)
    assert faults(answer) == {
        ("/chair_person_id", "unknown-reference"),
        ("/agenda/0/subject_id", "required"),
        ("/resolutions", "meeting-not-held")}
    assert staff.list(f"meetings/{meeting['id']}/agenda")[0]["title"] == \
        "审议专项整治"


# --- notice, attendance, quorum -------------------------------------------------


@pytest.mark.clause("C2.1.1.b")
def test_a_notice_needs_three_working_days_and_an_agenda(api, db):
    staff = api.login("office_staff")
    soon = workday(db, ledger.today(db), 2)
    meeting = staff.create("meetings", plan(
        db, agenda=[], chair_person_id=None, scheduled_on=str(soon)))
    answer = staff.act("meetings", meeting, "notify", {}, status=422)
    assert faults(answer) == {
        ("/scheduled_on", "notice-too-late"), ("/agenda", "agenda-required"),
        ("/chair_person_id", "required")}
    assert answer["clause_id"] == "C2.1.1.b"
    meeting = staff.change("meetings", meeting, {
        "agenda": AGENDA, "chair_person_id": person(db),
        "scheduled_on": str(workday(db, ledger.today(db), 3))})
    staff.act("meetings", meeting, "notify", {})
    # every unit is told, and reads the meeting from now on
    with db.cursor() as cursor:
        cursor.execute(
            "select count(*) from dudao.dispatches where subject_id = %s"
            " and purpose = 'serve' and state = 'sent'", (meeting["id"],))
        assert cursor.fetchone()[0] == meeting["invited_count"]
    api.login("member_liaison").read("meetings", meeting["id"])


@pytest.mark.clause("C2.1.1.b", "R-ORG-06")
def test_a_plenary_needs_two_thirds_of_the_member_units(api, db, as_login):
    staff = api.login("office_staff")
    day = ledger.today(db) - timedelta(days=10)
    count = len(units(db, day))
    needed = -(-count * 2 // 3)
    answer = staff.create("meetings", held(
        db, "committee_plenary", absent=count - needed + 1), status=422)
    assert answer["errors"][0]["code"] == "quorum-not-reached"
    assert answer["errors"][0]["params"] == {"min": needed,
                                             "count": needed - 1}
    assert (answer["rule_id"], answer["clause_id"]) == ("R-ORG-06",
                                                        "C2.1.1.b")
    staff.create("meetings", held(db, "committee_plenary",
                                  absent=count - needed))
    # a joint meeting has no quorum
    staff.create("meetings", held(db, absent=count - needed + 1))


@pytest.mark.clause("C2.1.1.b", "R-ORG-06")
def test_the_quorum_holds_past_the_functions(api, db, as_login):
    """A row by hand, and attendance struck out afterwards: not at commit."""
    connection = as_login("office_staff")
    with pytest.raises(psycopg2.Error) as error, connection.cursor() as cursor:
        cursor.execute(
            "insert into dudao.meetings(code, kind, title, topic, state,"
            " scheduled_on, held_on, notified_on) values (%s,"
            " 'committee_plenary', '会议', '议题', 'held', app.today() - 9,"
            " app.today() - 9, app.today() - 30)", (unique(),))
    assert "quorum-not-reached" in error.value.diag.message_detail
    meeting = api.login("office_staff").create("meetings", held(
        db, "committee_plenary"))
    with pytest.raises(psycopg2.Error) as error, connection.cursor() as cursor:
        cursor.execute("update dudao.meeting_attendances set attended = false"
                       " where meeting_id = %s", (meeting["id"],))
    assert "quorum-not-reached" in error.value.diag.message_detail


@pytest.mark.clause("C2.1.1.b")
def test_the_committee_is_convened_by_its_heads(api, db):
    staff = api.login("office_staff")
    meeting = staff.create("meetings", plan(
        db, chair_person_id=person(db, "演示·财政局负责人")))
    answer = staff.act("meetings", meeting, "notify", {}, status=422)
    assert faults(answer) == {("/chair_person_id",
                               "chair-not-of-the-committee")}


@pytest.mark.clause("C2.1.1.b", "C2.1.1.l")
def test_holding_takes_the_attendance_of_everybody(api, db, server):
    staff = api.login("office_staff")
    meeting = staff.create("meetings", plan(db, "committee_plenary"))
    staff.act("meetings", meeting, "notify", {})
    yesterday = ledger.today(db) - timedelta(days=1)
    move(server, "meetings", meeting["id"], scheduled_on=yesterday,
         notified_on=yesterday - timedelta(days=20))
    rows = staff.list(f"meetings/{meeting['id']}/attendances")
    taken = [{"organization_id": r["organization_id"], "attended": True}
             for r in rows]
    answer = staff.act("meetings", meeting, "hold", {
        "attendances": taken[1:]}, status=422)
    assert faults(answer) == {("/attendances", "attendance-unknown")}
    assert answer["errors"][0]["params"]["organization_id"] == \
        taken[0]["organization_id"]
    taken[0] |= {"attended": True, "absence_reason": "出差"}
    taken[1] |= {"person_id": person(db)}
    answer = staff.act("meetings", meeting, "hold", {
        "attendances": taken}, status=422)
    assert faults(answer) == {
        ("/attendances/0/absence_reason", "absence-reason-of-attender"),
        ("/attendances/1/person_id", "person-of-another-unit")}
    taken[0] = {"organization_id": taken[0]["organization_id"],
                "attended": False, "absence_reason": "参加全市会议"}
    del taken[1]["person_id"]
    meeting = staff.act("meetings", meeting, "hold", {"attendances": taken})
    assert (meeting["state"], meeting["held_on"]) == ("held", str(yesterday))
    assert meeting["attended_count"] == len(rows) - 1
    # a day before the notice would have allowed it
    with pytest.raises(psycopg2.Error) as error, db.cursor() as cursor:
        cursor.execute("update dudao.meetings set held_on = held_on - 1"
                       " where id = %s", (meeting["id"],))
    assert "not-editable" in error.value.diag.message_detail


@pytest.mark.clause("C2.1.1.b", "C2.1.3.d")
def test_only_held_meetings_count(api, db):
    """Planned, postponed and cancelled ones do not satisfy the half year."""
    staff, director = api.login("office_staff"), api.login(
        "committee_director")

    def count(kind):
        periods = staff.get("/v1/meeting-periods", status=200, params={
            "year": ledger.today(db).year}).json()["data"]
        return sum(p["held"] for p in periods if p["kind"] == kind)

    for kind in ("joint_meeting", "committee_plenary"):
        before = count(kind)
        cancelled = staff.create("meetings", plan(db, kind))
        director.act("meetings", cancelled, "cancel", {"reason": "并入"})
        late = staff.create("meetings", plan(db, kind))
        director.act("meetings", late, "postpone", {}, status=422)
        answer = director.act("meetings", late, "postpone", {
            "reason": "冲突", "scheduled_on": str(ledger.today(db))},
            status=422)
        assert faults(answer) == {("/scheduled_on", "date-not-in-future")}
        director.act("meetings", late, "postpone", {
            "reason": "冲突", "scheduled_on": str(
                ledger.today(db) + timedelta(days=40))})
        assert count(kind) == before
        if (ledger.today(db) - timedelta(days=10)).year == \
                ledger.today(db).year:
            staff.create("meetings", held(db, kind))
            assert count(kind) == before + 1


@pytest.mark.clause("C2.1.3.c", "C2.1.3.d", "R-MTG-01", "R-MTG-02", "A12")
def test_periods_show_what_is_missing(api, db):
    staff = api.login("office_staff")
    today = ledger.today(db)
    data = staff.get("/v1/meeting-periods", status=200,
                     params={"year": today.year}).json()["data"]
    by_kind = {}
    for period in data:
        by_kind.setdefault(period["kind"], []).append(period)
    assert {kind: len(rows) for kind, rows in by_kind.items()} == {
        "committee_plenary": 1, "joint_meeting": 2,
        "communication_session": 4}
    clauses = {kind: rows[0]["clause_id"] for kind, rows in by_kind.items()}
    assert clauses == {"committee_plenary": "C2.1.1.b",
                       "joint_meeting": "C2.1.3.d",
                       "communication_session": "C2.1.3.c"}
    for period in by_kind["communication_session"]:
        if date.fromisoformat(period["starts_on"]) > today:
            assert period["colour"] == "not_applicable"
        elif period["held"]:
            assert period["colour"] == "green"
    # nothing was held in 2015: both halves and all quarters are red
    past = staff.get("/v1/meeting-periods", status=200,
                     params={"year": 2015}).json()["data"]
    assert {p["colour"] for p in past} == {"red"}


# --- minutes and resolutions ------------------------------------------------------


def issued(api, db, **members):
    staff = api.login("office_staff")
    meeting = staff.create("meetings", held(db))
    staff.act("meetings", meeting, "draft-minutes", {
        "minutes": "会议议定一项。",
        "outcomes": [{"agenda_seq": 1, "outcome": "原则同意"}],
        "resolutions": [resolution(db, **members)]})
    api.login("committee_director").act("meetings", meeting, "issue-minutes",
                                        {})
    return meeting, staff.list(f"meetings/{meeting['id']}/resolutions")[0]


@pytest.mark.clause("C2.1.1.d", "R-MTG-04")
def test_minutes_go_to_every_member_unit_of_the_day(api, db):
    staff, liaison = api.login("office_staff"), api.login("member_liaison")
    meeting = staff.create("meetings", held(db))
    staff.act("meetings", meeting, "draft-minutes", {}, status=422)
    staff.act("meetings", meeting, "draft-minutes", {
        "minutes": "会议议定一项。", "resolutions": [resolution(db)]})
    liaison.read("meetings", meeting["id"], status=404)
    staff.act("meetings", meeting, "issue-minutes", {}, status=403)
    api.login("committee_deputy").act("meetings", meeting, "issue-minutes", {})
    with db.cursor() as cursor:
        cursor.execute(
            "select recipient_organization_id::text, state"
            " from dudao.dispatches where subject_id = %s"
            " and purpose = 'circulate'", (meeting["id"],))
        sent = dict(cursor.fetchall())
    assert set(sent) == set(units(db, meeting["held_on"]))
    assert set(sent.values()) == {"sent"}
    assert liaison.read("meetings", meeting["id"])["minutes"] == \
        "会议议定一项。"
    # issued is issued
    staff.change("meetings", staff.read("meetings", meeting["id"]),
                 {"minutes": "另有议定"}, status=409)
    with pytest.raises(psycopg2.Error) as error, db.cursor() as cursor:
        cursor.execute("update dudao.meeting_resolutions set due_on ="
                       " due_on + 30 where meeting_id = %s", (meeting["id"],))
    assert "not-editable" in error.value.diag.message_detail


@pytest.mark.clause("C2.1.1.d", "R-MTG-04")
def test_a_draft_of_the_minutes_is_the_offices(api, db, server):
    staff = api.login("office_staff")
    meeting = staff.create("meetings", plan(db))
    staff.act("meetings", meeting, "notify", {})
    yesterday = ledger.today(db) - timedelta(days=1)
    move(server, "meetings", meeting["id"], scheduled_on=yesterday,
         notified_on=yesterday - timedelta(days=20))
    staff.act("meetings", meeting, "hold", {"attendances": [
        {"organization_id": unit, "attended": True}
        for unit in units(db, yesterday)]})
    staff.act("meetings", meeting, "draft-minutes", {
        "minutes": "尚未定稿", "resolutions": [resolution(db)]})
    liaison = api.login("member_liaison")
    assert liaison.read("meetings", meeting["id"])["minutes"] is None
    assert liaison.list(f"meetings/{meeting['id']}/resolutions") == []


@pytest.mark.clause("C2.1.1.c", "R-MTG-04")
def test_no_resolution_without_agenda_item(api, db):
    meeting, made = issued(api, db)
    for item in (None, "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"):
        with pytest.raises(psycopg2.Error) as error, db.cursor() as cursor:
            cursor.execute(
                "insert into dudao.meeting_resolutions(code, meeting_id, seq,"
                " agenda_item_id, text, owner_organization_id, due_on)"
                " select 'YD-X', meeting_id, 99, %s, text,"
                " owner_organization_id, due_on"
                " from dudao.meeting_resolutions where id = %s",
                (item, made["id"]))
        assert "/agenda_item_id" in error.value.diag.message_detail
    # deliberated, and nothing came of it: the minutes are not whole
    staff = api.login("office_staff")
    meeting = staff.create("meetings", held(db))
    staff.act("meetings", meeting, "draft-minutes", {"minutes": "无议定。"})
    answer = api.login("committee_director").act(
        "meetings", meeting, "issue-minutes", {}, status=422)
    assert faults(answer) == {("/resolutions", "item-without-outcome")}


@pytest.mark.clause("C2.1.1.d", "R-MTG-04")
def test_resolutions_are_reported_by_the_owner_and_confirmed(api, db):
    staff, liaison = api.login("office_staff"), api.login("member_liaison")
    meeting, made = issued(api, db)
    assert (made["overdue"], made["state"]) == (False, "open")
    answer = staff.act("meetings", meeting, "close", {}, status=422)
    assert (answer["errors"][0]["code"], answer["clause_id"]) == (
        "resolutions-open", "C2.1.1.d")
    answer = staff.act("meeting-resolutions", made, "confirm", {}, status=422)
    assert {e["code"] for e in answer["errors"]} == {"report-required"}
    file = liaison.post(
        "/v1/attachments?file_name=r.png&kind=evidence", status=201,
        data=b"\x89PNG\r\n\x1a\n" + unique().encode(),
        headers={"Content-Type": "image/png"}).json()
    report = {"text": "已完成", "evidence": [file["id"]]}
    answer = liaison.act("meeting-resolutions", made, "report-done",
                         {**report, "evidence": []}, status=422)
    assert faults(answer) == {("/evidence", "evidence-required")}
    # another unit neither sees nor reports it
    api.login("township_account").act("meeting-resolutions", made,
                                      "report-done", report, status=404)
    answer = api.login("department_account_2").act(
        "meeting-resolutions", made, "report-done", report, status=(403, 404))
    liaison.act("meeting-resolutions", made, "report-done", report)
    done = staff.act("meeting-resolutions", made, "confirm", {})
    assert (done["state"], done["done_on"]) == ("done", str(ledger.today(db)))
    assert staff.act("meetings", meeting, "close", {})["state"] == "closed"


@pytest.mark.clause("C2.1.1.d", "R-MTG-04")
def test_overdue_is_derived(api, db, server):
    staff = api.login("office_staff")
    meeting, made = issued(api, db)
    move(server, "meeting_resolutions", made["id"],
         due_on=ledger.today(db) - timedelta(days=1))
    row = staff.read("meeting-resolutions", made["id"])
    assert (row["state"], row["overdue"]) == ("open", True)
    late = staff.list("meeting-resolutions", overdue="true")
    assert made["id"] in {r["id"] for r in late}
    assert {r["overdue"] for r in late} == {True}
    # told once, by itself
    with db.cursor() as cursor:
        for _ in range(2):
            cursor.execute("select app.tell_meetings()")
        cursor.execute(
            "select count(*), count(distinct recipient_user_id)"
            " from dudao.notifications where subject_id = %s"
            " and kind = 'resolution_overdue'", (made["id"],))
        told, people = cursor.fetchone()
    assert told == people > 0
    answer = api.login("committee_director").act(
        "meeting-resolutions", made, "drop", status=422, body={"reason": " "})
    assert answer["errors"][0]["code"] == "reason-required"
    row = api.login("committee_director").act(
        "meeting-resolutions", made, "drop", {"reason": "另有部署"})
    assert (row["state"], row["overdue"]) == ("dropped", False)
    staff.act("meetings", meeting, "close", {})


# --- participation ------------------------------------------------------------------


@pytest.mark.clause("C2.1.1.l", "R-ORG-08")
def test_participation_of_each_unit(api, db):
    staff = api.login("office_staff")

    def line(client, unit, **query):
        rows = client.get("/v1/meeting-participation", status=200,
                          params=query).json()["data"]
        return next(r for r in rows if r["organization_id"] == unit), rows

    unit = units(db)[-1]
    before, rows = line(staff, unit)
    assert {r["organization_id"] for r in rows} == set(units(db))
    others = [u for u in units(db) if u != unit]
    body = held(db, attendances=[
        {"organization_id": u, "attended": True} for u in others]
        + [{"organization_id": unit, "attended": False}])
    staff.create("meetings", body)
    after, _ = line(staff, unit)
    assert (after["invited"], after["attended"]) == (
        before["invited"] + 1, before["attended"])
    assert after["rate"] == pytest.approx(
        after["attended"] / after["invited"], abs=1e-4)
    for row in rows:
        assert row["clause_id"] == "C2.1.1.l"
        assert row["colour"] == (
            "not_applicable" if row["rate"] is None else
            "green" if row["rate"] >= 0.8 else
            "amber" if row["rate"] >= 0.6 else "red")
    # a year ago nobody knows of it; a member reads the own line
    with db.cursor() as cursor:
        cursor.execute("select app.participation(%s)",
                       (ledger.today(db) - timedelta(days=11),))
        old = {r["organization_id"]: r for r in cursor.fetchone()[0]["data"]}
    assert old[unit]["invited"] < after["invited"]
    own = api.login("member_liaison").get(
        "/v1/meeting-participation", status=200).json()["data"]
    assert {r["organization_name"] for r in own} == {"教育局"}


@pytest.mark.clause("C2.1.1.b")
def test_the_office_plans_and_nobody_else(api, db):
    body = plan(db)
    for login in ("committee_director", "chief_inspector", "member_liaison"):
        api.login(login).create("meetings", body, status=403)
    for login in ("school_account", "inspector_ft"):
        api.login(login).get("/v1/meetings", status=403)
