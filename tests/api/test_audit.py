"""Who did what, when, from where: the audit trail (2.1, 10.5)."""

import json
import uuid

import psycopg2
import pytest

from support import ledger
from support.client import unique


def value(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        return row and row[0]


def rows(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def trail(db, id):
    """Entries of one subject, oldest first, by name of column."""
    with db.cursor() as cursor:
        cursor.execute("select to_jsonb(l) from dudao.audit_logs l"
                       " where subject_id = %s order by seq", (id,))
        return [entry for entry, in cursor.fetchall()]


def draft(api, **options):
    return api.login("office_staff").create("publications", {
        "kind": "other", "title": f"公示{unique()}", "body": "内容"}, **options)


@pytest.fixture
def superuser(server):
    connection = server.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("set search_path = dudao, app, ext")
    yield connection
    connection.close()


# --- what is written --------------------------------------------------------------


@pytest.mark.clause("2.1")
def test_every_change_leaves_its_entry(api, db):
    office = api.login("office_staff")
    marks = [f"audit-{uuid.uuid4().hex}" for _ in range(3)]
    item = draft(api, headers={"X-Request-Id": marks[0]})
    item = office.change("publications", item, {"summary": "要点"},
                         headers={"X-Request-Id": marks[1]})
    office.act("publications", item, "submit", {"comment": "请审"},
               headers={"X-Request-Id": marks[2]})
    user, unit = rows(db, "select id::text, organization_id::text from"
                          " dudao.users where login = 'office_staff'")[0]
    entries = trail(db, item["id"])
    assert [e["action"] for e in entries] == ["create", "update", "submit"]
    for entry, mark in zip(entries, marks):
        assert entry["request_id"] == mark
        assert entry["user_id"] == user
        assert entry["organization_id"] == unit
        assert entry["role"] == "office_staff"
        assert entry["ip"] == "127.0.0.1"
        assert entry["database_role"] == "dudao_api"
        assert entry["result"] == "ok" and entry["at"]
    created, changed, submitted = entries
    assert created["before"] is None
    assert created["after"]["title"] == item["title"]
    assert "search" not in created["after"]
    assert (changed["before"], changed["after"]) == (
        {"summary": None, "version": 1}, {"summary": "要点", "version": 2})
    assert (submitted["before"], submitted["after"]) == (
        {"state": "draft", "version": 2}, {"state": "submitted", "version": 3})


@pytest.mark.clause("2.1")
def test_what_is_refused_or_unchanged_leaves_none(api, db):
    office = api.login("office_staff")
    item = draft(api)
    office.act("publications", item, "publish", {}, status=409)
    office.change("publications", item, {"expires_at": "x"}, status=422)
    office.change("publications", item, {"title": item["title"]})
    key = uuid.uuid4().hex
    for _ in range(2):
        office.act("publications", item, "submit", {}, key=key)
    assert [e["action"] for e in trail(db, item["id"])] == ["create", "submit"]


@pytest.mark.clause("4.1")
def test_the_acting_role_is_kept(api, db):
    """Of two roles, the one in which the request was made."""
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select app.act_as('office_staff', true)")
        cursor.execute("select set_config('dudao.roles',"
                       " '{office_staff,zone_lead}', true)")
        cursor.execute("select body::jsonb ->> 'id' from app.create("
                       "'publications', '{\"kind\": \"other\","
                       " \"title\": \"公示\", \"body\": \"内容\"}')")
        id = cursor.fetchone()[0]
        assert trail(db, id)[0]["role"] == "office_staff,zone_lead"
        cursor.execute("rollback")
    item = draft(api, headers={"X-Acting-Role": "office_staff"})
    assert trail(db, item["id"])[0]["role"] == "office_staff"


@pytest.mark.clause("2.1")
def test_changes_by_hand_leave_their_entry(api, db, as_login, superuser):
    item = draft(api)
    with as_login("office_staff").cursor() as cursor:
        cursor.execute("update dudao.publications set title = '手工'"
                       " where id = %s", (item["id"],))
    for connection, title in ((db, "所有者"), (superuser, "超级用户")):
        with connection.cursor() as cursor:
            cursor.execute("update dudao.publications set title = %s"
                           " where id = %s", (title, item["id"]))
    entries = trail(db, item["id"])[1:]
    assert [(e["action"], e["database_role"], e["after"]["title"])
            for e in entries] == [
                ("update", "dudao_api", "手工"),
                ("update", "dudao_owner", "所有者"),
                ("update", "postgres", "超级用户")]
    assert entries[0]["role"] == "office_staff" and entries[0]["user_id"]
    assert entries[1]["user_id"] is None and entries[1]["request_id"] is None


@pytest.mark.clause("2.1")
def test_steps_of_the_system_name_it_beside_the_actor(api, db):
    problem = ledger.verifying(api, db)
    ledger.review(api, db, problem, "not_in_place")
    entry = next(e for e in trail(db, problem["visit_id"])
                 if e["action"] == "submit")
    assert entry["role"] == "inspector_ft"
    with db.cursor() as cursor:
        cursor.execute("select count(*) from dudao.audit_logs"
                       " where role = 'system' and user_id is not null")
        assert cursor.fetchone()[0]


@pytest.mark.clause("2.1")
def test_every_table_is_in_the_trail(db):
    """But what the trail itself or the machinery is, and notifications."""
    without = rows(db, """
        select c.relname
        from pg_class c
        where c.relnamespace = 'dudao'::regnamespace and c.relkind = 'r'
            and not exists (select from pg_trigger t
                where t.tgrelid = c.oid and t.tgname = 'b_audit'
                    and t.tgenabled = 'O')
        order by 1""")
    assert {name for name, in without} <= {
        "audit_logs", "transitions", "deadlines", "notifications",
        "exchange_messages", "sessions", "refresh_tokens", "attachment_blobs",
        "rule_parameter_values", "person_hash_key",
        # computed anew each day; the rows of a file that was brought
        "compliance_checks", "import_files"}, without


@pytest.mark.clause("2.1", "4.4")
def test_secrets_are_redacted(api, db):
    admin = api.login("sys_admin")
    unit = api.login("office_staff").one("organizations",
                                         kind="supervision_office")
    password = "mi-mi-bu-ru-zhang-7"
    account = admin.create("users", {
        "login": unique("t").lower(), "display_name": "演示·审计",
        "organization_id": unit["id"], "initial_password": password})
    hash = value(db, "select password_hash from dudao.users where id = %s",
                 account["id"])
    entries = json.dumps(trail(db, account["id"]))
    assert password not in entries and hash not in entries
    assert "***" in {(e["after"] or {}).get("password_hash")
                     for e in trail(db, account["id"])}
    assert rows(db, "select id from dudao.audit_logs where"
                    " concat(before, after) ~ '\\$2[aby]\\$'") == []


# --- that it stays ----------------------------------------------------------------


CHANGES = ("update dudao.audit_logs set role = 'x' where subject_id = %s",
           "delete from dudao.audit_logs where subject_id = %s",
           "truncate dudao.audit_logs",
           "update dudao.transitions set comment = 'x' where subject_id = %s",
           "delete from dudao.transitions where subject_id = %s",
           "truncate dudao.transitions")


@pytest.mark.clause("2.1")
def test_the_trail_is_append_only(api, db, as_login, superuser):
    item = api.login("office_staff").act("publications", draft(api), "submit",
                                         {})
    for connection in (db, superuser):
        for change in CHANGES:
            with connection.cursor() as cursor, \
                    pytest.raises(psycopg2.Error) as raised:
                cursor.execute(change, (item["id"],) if "%s" in change
                               else None)
            assert raised.value.pgcode == "DD403", change
            assert json.loads(raised.value.diag.message_detail)["code"] == \
                "append-only"
    api_role = as_login("auditor")
    for change in CHANGES + (
            "insert into dudao.audit_logs(at, action, subject_type,"
            " subject_id, database_role, hash) values (now(), 'x', 'x',"
            " app.uuid_v7(), 'x', '')",):
        with api_role.cursor() as cursor, pytest.raises(
                psycopg2.errors.InsufficientPrivilege):
            cursor.execute(change, (item["id"],) if "%s" in change else None)
    assert len(trail(db, item["id"])) == 2


def broken(connection, id):
    return rows(connection, "select seq from app.verify_audit("
                            "'publications', %s)", id)


@pytest.mark.clause("2.1")
@pytest.mark.parametrize("column, forged", [
    ("role", "'auditor'"), ("user_id", "null"), ("ip", "'10.0.0.1'"),
    ("action", "'submit'"), ("after", "'{}'"), ("before", "null"),
    ("at", "at - interval '1 hour'"), ("request_id", "'other-one'"),
    ("result", "'refused'"), ("database_role", "'dudao_owner'"),
    ("on_behalf_of", "app.uuid_v7()"), ("organization_id", "null"),
    ("hash", "sha256('x')"), ("prev_hash", "null")])
def test_a_forged_entry_shows(api, superuser, column, forged):
    """By who may do everything, with the triggers off."""
    item = draft(api)
    for title in ("一", "二"):
        item = api.login("office_staff").change("publications", item,
                                                {"title": title})
    assert broken(superuser, item["id"]) == []
    with superuser.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("alter table dudao.audit_logs disable trigger all")
        cursor.execute(
            f"update dudao.audit_logs set {column} = {forged} where id ="
            " (select id from dudao.audit_logs where subject_id = %s"
            "  order by seq offset 1 limit 1)", (item["id"],))
        assert cursor.rowcount == 1
        assert broken(superuser, item["id"])
        cursor.execute("rollback")
    assert broken(superuser, item["id"]) == []


@pytest.mark.clause("2.1")
def test_a_missing_entry_shows(api, superuser):
    item = draft(api)
    for title in ("一", "二"):
        item = api.login("office_staff").change("publications", item,
                                                {"title": title})
    unaudited = ("select subject_id::text from app.unaudited_records()"
                 " where subject_id = %s")
    assert rows(superuser, unaudited, item["id"]) == []
    for offset in (0, 1, 2):
        with superuser.cursor() as cursor:
            cursor.execute("begin")
            cursor.execute("alter table dudao.audit_logs disable trigger all")
            cursor.execute("delete from dudao.audit_logs where id = (select id"
                           " from dudao.audit_logs where subject_id = %s"
                           " order by seq offset %s limit 1)",
                           (item["id"], offset))
            if offset < 2:
                assert broken(superuser, item["id"])
            else:       # the end of a chain: the record knows more
                assert rows(superuser, unaudited, item["id"])
            cursor.execute("rollback")


@pytest.mark.clause("2.1")
def test_the_trail_of_everything_is_whole(db):
    assert rows(db, "select * from app.verify_audit()") == []
    assert rows(db, "select * from app.unaudited_records()") == []


@pytest.mark.clause("2.1")
def test_concurrent_changes_make_one_chain(api, db, server):
    item = draft(api)
    first, second = server.connect(), server.connect()
    try:
        with first.cursor() as a, second.cursor() as b:
            for n in range(5):
                a.execute("update dudao.publications set title = %s"
                          " where id = %s", (f"甲{n}", item["id"]))
                b.execute("update dudao.publications set title = %s"
                          " where id = %s", (f"乙{n}", item["id"]))
    finally:
        first.close()
        second.close()
    assert len(trail(db, item["id"])) == 11
    assert broken(db, item["id"]) == []


# --- who reads it -------------------------------------------------------------------


@pytest.mark.clause("4.3")
def test_who_reads_the_trail(api, db, as_login):
    item = draft(api)
    school = ledger.assigned(api, db)
    api.login("school_account").post(
        f"/v1/problems/{school['id']}/plans", status=201, json={
            "measures": "配备冰箱", "steps": [
                {"text": "购置", "due_on": str(ledger.today(db))}]})
    auditor, chief, admin = (api.login(login) for login in (
        "auditor", "chief_inspector", "sys_admin"))
    [entry] = auditor.list("audit-logs", subject_id=item["id"])
    assert auditor.read("audit-logs", entry["id"]) == entry
    assert entry["after"]["title"] == item["title"]
    # the chief: what the own office did
    assert chief.list("audit-logs", subject_id=item["id"]) == [entry]
    office = value(db, "select organization_id::text from dudao.users"
                       " where login = 'chief_inspector'")
    assert {e["organization_id"] for e in chief.get(
        "/v1/audit-logs", status=200, params={"limit": 200}).json()["data"]} \
        == {office}
    # the administrator: the technical tables
    assert admin.list("audit-logs", subject_id=item["id"]) == []
    admin.read("audit-logs", entry["id"], status=404)
    seen = {t for t, in rows(as_login("sys_admin"),
                             "select distinct subject_type"
                             " from dudao.audit_logs")}
    assert "users" in seen
    assert not seen & {"problems", "visits", "publications", "persons",
                       "supervision_tasks"}
    for login in ("committee_director", "committee_deputy", "office_staff",
                  "zone_lead", "inspector_ft", "school_account",
                  "leader_reader", "org_personnel_reader"):
        api.login(login).get("/v1/audit-logs", status=403)
        assert value(as_login(login),
                     "select count(*) from dudao.audit_logs") == 0
    api.get("/v1/audit-logs", status=401)


@pytest.mark.clause("2.1")
def test_filters(api):
    mark = f"audit-{uuid.uuid4().hex}"
    item = draft(api, headers={"X-Request-Id": mark})
    api.login("office_staff").act("publications", item, "submit", {})
    auditor = api.login("auditor")
    [made] = auditor.list("audit-logs", request_id=mark,
                          subject_type="publications")
    [step] = auditor.list("audit-logs", subject_id=item["id"],
                          action="submit")
    assert step["prev_hash"] == made["hash"] and made["prev_hash"] is None
    assert auditor.list("audit-logs", subject_id=item["id"],
                        user_id=made["user_id"], **{
                            "at.gte": step["at"]}) == [step]
    assert auditor.list("audit-logs", subject_id=item["id"], **{
        "at.lt": step["at"]}) == [made]
    for method in ("patch", "delete", "put", "post"):
        getattr(auditor, method)(f"/v1/audit-logs/{made['id']}", status=405)
