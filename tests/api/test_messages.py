"""What was told to whom, and when it arrived: notifications and dispatches
(2.1, 3.24)."""

import json

import psycopg2
import pytest

from support import ledger


def refusal(connection, statement, *values):
    """What the database refuses, as (status, detail)."""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as raised:
            cursor.execute(statement, values)
    error = raised.value
    assert (error.pgcode or "").startswith("DD"), str(error)
    return int(error.pgcode[2:]), json.loads(error.diag.message_detail)


def value(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        return row and row[0]


def rows(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


# --- notifications --------------------------------------------------------------


def notification(api, login, problem):
    return next(n for n in api.login(login).list("notifications")
                if n["subject_id"] == problem["id"])


@pytest.mark.clause("2.1", "4.3")
def test_notifications_are_the_recipients_alone(api, db, as_login):
    problem = ledger.assigned(api, db)
    told = notification(api, "school_account", problem)
    assert told["kind"] == "problem_assigned" and told["read_at"] is None
    assert problem["code"] in told["title"]
    for login in ("office_staff", "chief_inspector", "township_account",
                  "committee_director", "auditor", "sys_admin"):
        client = api.login(login)
        client.read("notifications", told["id"], status=404)
        client.post(f"/v1/notifications/{told['id']}/read", status=404)
        assert told["id"] not in {n["id"] for n in client.list(
            "notifications")}
        me = value(as_login(login), "select app.user_id()")
        assert rows(as_login(login), "select distinct recipient_user_id"
                    " from dudao.notifications") in ([], [(me,)])
    with as_login("office_staff").cursor() as cursor:
        cursor.execute("update dudao.notifications set read_at = now()"
                       " where id = %s", (told["id"],))
        assert cursor.rowcount == 0
    assert api.login("school_account").read(
        "notifications", told["id"])["read_at"] is None


@pytest.mark.clause("2.1")
def test_reading_marks_once(api, db):
    problem = ledger.assigned(api, db)
    school = api.login("school_account")
    told = notification(api, "school_account", problem)
    assert told["id"] in {n["id"] for n in school.list(
        "notifications", unread="true")}
    first = school.post(f"/v1/notifications/{told['id']}/read",
                        status=200).json()
    assert first["read_at"]
    again = school.post(f"/v1/notifications/{told['id']}/read",
                        status=200).json()
    assert again["read_at"] == first["read_at"]
    assert told["id"] not in {n["id"] for n in school.list(
        "notifications", unread="true")}
    assert told["id"] in {n["id"] for n in school.list(
        "notifications", unread="false", kind="problem_assigned")}
    assert first["title"] == told["title"]


@pytest.mark.clause("2.1")
def test_a_notification_is_written_once_a_step(db):
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(
            "select app.notify('problems', app.uuid_v7(), 'x', '题', '文',"
            " array[u.id, u.id]) from dudao.users u where login = 'auditor'")
        assert cursor.fetchone()[0] == 1
        cursor.execute("rollback")


# --- dispatches -------------------------------------------------------------------


def served(api, db):
    """The service of a problem's assignment, as the school sees it."""
    problem = ledger.assigned(api, db)
    [dispatch] = api.login("school_account").list(
        "dispatches", subject_type="problems", subject_id=problem["id"])
    return dispatch


def planned(db, role="supervised_unit", channel="system", unit=None):
    """A dispatch that waits for the office."""
    return str(value(
        db, "insert into dudao.dispatches(subject_type, subject_id, purpose,"
        " recipient_organization_id, recipient_role, channel)"
        " select 'problems', app.uuid_v7(), 'inform', coalesce(%s,"
        " u.organization_id), %s, %s from dudao.users u"
        " where u.login = 'school_account' returning id", unit, role, channel))


@pytest.mark.clause("R-FBK-01", "C2.3.1.d", "3.9")
def test_every_assignment_is_served(api, db):
    dispatch = served(api, db)
    assert dispatch["purpose"] == "serve" and dispatch["state"] == "sent"
    assert dispatch["recipient_role"] == "supervised_unit"
    assert dispatch["sent_at"] and dispatch["received_at"] is None
    # of all problems, those of the demo county too
    assert rows(db, """
        select p.code
        from dudao.problems p
        where exists (select from dudao.transitions t
                where t.subject_type = 'problems' and t.subject_id = p.id
                    and t.action = 'assign')
            and not exists (select from dudao.dispatches d
                where d.subject_type = 'problems' and d.subject_id = p.id
                    and d.purpose = 'serve'
                    and d.recipient_organization_id = p.organization_id
                    and d.state in ('sent', 'received'))""") == []


@pytest.mark.clause("R-FBK-01", "C2.3.1.d")
def test_the_unit_signs_with_a_name(api, db, as_login):
    dispatch = served(api, db)
    school = api.login("school_account")
    assert dispatch["allowed_actions"] == ["receive"]
    answer = school.post(f"/v1/dispatches/{dispatch['id']}/receive",
                         status=422, json={}).json()
    assert answer["errors"][0]["pointer"] == "/receipt_by"
    status, detail = refusal(
        as_login("school_account"), "update dudao.dispatches set state ="
        " 'received', received_at = now() where id = %s", dispatch["id"])
    assert status == 422 and codes(detail) == {"receipt-needs-name"}
    assert detail["clause_id"] == "C2.3.1.d"
    got = school.act("dispatches", dispatch, "receive",
                     {"receipt_by": "张校长", "receipt_note": "已阅"})
    assert got["state"] == "received" and got["allowed_actions"] == []
    assert (got["receipt_by"], got["receipt_note"]) == ("张校长", "已阅")
    assert got["received_at"] >= got["sent_at"]
    answer = school.act("dispatches", dispatch, "receive",
                        {"receipt_by": "张校长"}, status=409)
    assert answer["code"] == "illegal-transition"
    [step] = school.get(f"/v1/dispatches/{dispatch['id']}/transitions",
                        status=200).json()["data"]
    assert (step["action"], step["role"]) == ("receive", "school_account")


@pytest.mark.clause("R-FBK-01")
def test_nobody_signs_for_the_unit(api, db, as_login):
    dispatch = served(api, db)
    for login, status in (("office_staff", 403),
                          ("deputy_chief_inspector", 403),
                          ("chief_inspector", 403), ("zone_lead", 404),
                          ("township_account", 404),
                          ("leader_reader", 404)):
        api.login(login).act("dispatches", dispatch, "receive",
                             {"receipt_by": "张校长"}, status=status)
    status, detail = refusal(
        as_login("office_staff"), "update dudao.dispatches set state ="
        " 'received', received_at = now(), receipt_by = '张' where id = %s",
        dispatch["id"])
    assert (status, detail["code"]) == (403, "out-of-scope")


@pytest.mark.clause("2.1", "3.24")
def test_the_office_enters_receipts_on_paper(api, db):
    office = api.login("office_staff")
    unit = value(db, "select id from dudao.organizations"
                     " where kind = 'county_government'")
    paper = planned(db, "government", "official_document_exchange", unit)
    office.act("dispatches", paper, "receive", {"receipt_by": "县政府办"},
               status=409)
    sent = office.act("dispatches", paper, "send", {"doc_no": "平教督〔2026〕1号"})
    assert (sent["state"], sent["doc_no"]) == ("sent", "平教督〔2026〕1号")
    got = office.act("dispatches", paper, "receive",
                     {"receipt_by": "县政府办"})
    assert got["state"] == "received"


@pytest.mark.clause("3.24")
def test_send_bounce_and_send_again(api, db):
    id = planned(db)
    office, school = api.login("office_staff"), api.login("school_account")
    # nobody is told of what has not left
    school.read("dispatches", id, status=404)
    for login in ("school_account", "township_account"):
        api.login(login).act("dispatches", id, "send", {}, status=(403, 404))
    api.login("chief_inspector").act("dispatches", id, "send", {}, status=403)
    sent = office.act("dispatches", id, "send", {"channel": "mail"})
    assert (sent["state"], sent["channel"]) == ("sent", "mail")
    assert school.read("dispatches", id)["state"] == "sent"
    office.post(f"/v1/dispatches/{id}/bounce", status=422, json={})
    back = office.act("dispatches", id, "bounce", {"reason": "查无此人"})
    assert back["state"] == "returned"
    school.act("dispatches", id, "receive", {"receipt_by": "张校长"},
               status=409)
    again = office.act("dispatches", id, "send", {})
    assert again["sent_at"] > sent["sent_at"]
    school.act("dispatches", id, "receive", {"receipt_by": "张校长"})
    office.act("dispatches", id, "bounce", {"reason": "误"}, status=409)
    steps = office.get(f"/v1/dispatches/{id}/transitions",
                       status=200).json()["data"]
    assert [s["action"] for s in steps] == ["send", "bounce", "send",
                                            "receive"]
    assert steps[1]["comment"] == "查无此人"


@pytest.mark.clause("4.3")
def test_who_sees_dispatches(api, db, as_login):
    dispatch = served(api, db)
    waiting = planned(db)
    both = [dispatch["id"], waiting]
    for login, wanted in {
            "office_staff": set(both), "chief_inspector": set(both),
            "committee_director": set(both), "auditor": set(both),
            "school_account": {dispatch["id"]}, "township_account": set(),
            "department_account": set(), "zone_lead": set(),
            "sys_admin": set(), "public": set()}.items():
        assert {str(id) for id, in rows(
            as_login(login), "select id from dudao.dispatches"
            " where id = any (%s::uuid[])", both)} == wanted, login
    office = api.login("office_staff")
    assert waiting in {d["id"] for d in office.list(
        "dispatches", state="planned", purpose="inform")}
    assert dispatch["id"] in {d["id"] for d in office.list(
        "dispatches", recipient_organization_id=dispatch[
            "recipient_organization_id"], **{"due_on.lte": str(
                ledger.today(db))})}


@pytest.mark.clause("2.1")
def test_one_row_for_each_recipient_and_purpose(db):
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(
            "select count(distinct app.dispatch('problems', x.id, 'serve',"
            " x.organization_id, 'supervised_unit')) from"
            " (select id, organization_id from dudao.problems limit 1) x,"
            " generate_series(1, 3)")
        assert cursor.fetchone()[0] == 1
        cursor.execute("rollback")


@pytest.mark.clause("2.1", "4.2")
def test_what_is_sent_to_a_person_reaches_that_person(api, db):
    def sent_to(login):
        return str(value(
            db, "insert into dudao.dispatches(subject_type, subject_id,"
            " purpose, recipient_person_id, recipient_role, state, sent_at)"
            " select 'inspector_appointments', app.uuid_v7(), 'inform',"
            " u.person_id, 'person', 'sent', now() from dudao.users u"
            " where u.login = %s returning id", login))

    for login in ("inspector_ft", "inspector_pt", "zone_lead"):
        mine = sent_to(login)
        client = api.login(login)
        row = client.read("dispatches", mine)
        assert row["allowed_actions"] == ["receive"]
        assert mine in {r["id"] for r in client.list("dispatches")}
        api.login("inspector_03").read("dispatches", mine, status=404)
        api.login("inspector_03").act("dispatches", mine, "receive",
                                      {"receipt_by": "他人"}, status=404)
        done = client.act("dispatches", mine, "receive",
                          {"receipt_by": "演示督学"})
        assert done["state"] == "received"


@pytest.mark.clause("3.0")
def test_the_api_role_cannot_act_as_the_system(as_login, db):
    connection = as_login("office_staff")
    for statement in (
            "select app.system_step('problems', id, 'list') from"
            " dudao.problems limit 1",
            "select count(*) from (select id from dudao.problems limit 1) p,"
            " gen.problems_act(p.id, 'list', null, '{}', true)"):
        with connection.cursor() as cursor, pytest.raises(Exception) as error:
            cursor.execute(statement)
        assert error.value.pgcode in ("42501", "DD403")
    # so whatever calls it on behalf of the API runs as its owner
    assert rows(db, r"""
        select p.proname
        from pg_proc p
        where p.pronamespace = 'app'::regnamespace
            and p.prosrc ~ 'app\.system_step\('
            and not p.prosecdef
            and p.proname !~ '^generate_'""") == []
