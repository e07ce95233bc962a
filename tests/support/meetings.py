"""Bodies of meetings, for tests that need one."""

from datetime import timedelta

from support import ledger
from support.client import unique


def faults(problem):
    return {(e.get("pointer"), e["code"]) for e in problem.get("errors", [])}


def units(db, day=None):
    with db.cursor() as cursor:
        cursor.execute("select u.organization_id"
                       " from app.active_member_units(%s) u",
                       (day or ledger.today(db),))
        return [str(unit) for unit, in cursor.fetchall()]


def workday(db, start, count):
    with db.cursor() as cursor:
        cursor.execute("select app.add_workdays(%s, %s)", (start, count))
        return cursor.fetchone()[0]


def person(db, name="演示·分管副县长"):
    with db.cursor() as cursor:
        cursor.execute("select id from dudao.persons where name = %s", (name,))
        return str(cursor.fetchone()[0])


AGENDA = [{"title": "研究督导工作", "kind": "study"},
          {"title": "审议专项整治", "kind": "deliberation"}]


def plan(db, kind="joint_meeting", **members):
    return {"kind": kind, "title": unique("教育督导会议"),
            "topic": "专题商讨教育督导工作", "agenda": AGENDA,
            "scheduled_on": str(ledger.today(db) + timedelta(days=30)),
            "chair_person_id": person(db), **members}


def held(db, kind="joint_meeting", absent=0, ago=10, **members):
    """The body of a meeting that was held before it was entered."""
    day = ledger.today(db) - timedelta(days=ago)
    return {"kind": kind, "title": unique("教育督导会议"),
            "topic": "专题商讨教育督导工作", "agenda": AGENDA,
            "chair_person_id": person(db), "held_on": str(day),
            "notified_on": str(day - timedelta(days=20)),
            "attendances": [
                {"organization_id": unit, "attended": place >= absent}
                for place, unit in enumerate(units(db, day))], **members}


def resolution(db, **members):
    return {"agenda_seq": 2, "text": "完成学校食堂专项检查",
            "owner_organization_id": ledger.organization_id(db, "教育局"),
            "due_on": str(ledger.today(db) + timedelta(days=30)), **members}


def move(server, table, id, **columns):
    """Time passes: columns set beyond all rules."""
    connection = server.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(f"update dudao.{table} set " + ", ".join(
            f"{name} = %s" for name in columns) + " where id = %s",
            (*columns.values(), id))
    connection.close()
