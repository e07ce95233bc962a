"""The database as the second wall: what holds whoever connects.

A table of this file's own (`things`) stands for all of them; it lives in a
transaction that is rolled back.
"""

import contextlib
import hashlib
import json
import select
import threading
import uuid

import psycopg2
import pytest

OFFICE = "select id from dudao.organizations where code = 'ORG-OFF'"

THINGS = """
create table dudao.things (
    like app.record including all,
    like app.legal including all,
    code text unique,
    title text not null,
    organization_id uuid not null,
    parent_id uuid references dudao.things,
    from_on date,
    to_on date,
    data jsonb not null default '{}',
    tags text[] not null default '{}',
    search text[],
    doc_no text unique,
    state text not null default 'draft');
select app.register('things', permission_group => 'things', machine => true,
    legal => true, read_only => '{code,doc_no}', editable_in => '{draft}',
    searched => '{title,code}');
insert into app.permissions(permission_group, role, operations, scope) values
    ('things', 'office_staff', 'RWT', 'a'),
    ('things', 'chief_inspector', 'RT', 'a'),
    ('things', 'school_account', 'RT', 'o');
insert into app.scope_predicates(resource, scope, predicate) values
    ('things', 'o', 'organization_id = (select app.organization_id())');
insert into app.row_rules(resource, name, expression, pointer, code, rule_id,
        clause_id, params) values
    ('things', 'order', 'new.to_on >= new.from_on', '/to_on',
     'date-before-start', 'R-1', 'C1', 'jsonb_build_object(''min'', new.from_on)'),
    ('things', 'title', 'length(new.title) >= 2', '/title', 'too-short',
     null, null, null);
select app.begin_machine('things', '事项', 'Thing', '3.0');
insert into app.workflow_states(resource, state, label_zh, label_en, is_initial) values
    ('things', 'draft', '草拟', 'Draft', true),
    ('things', 'submitted', '已提交', 'Submitted', false),
    ('things', 'issued', '已印发', 'Issued', false),
    ('things', 'arrived', '已送达', 'Arrived', false);
insert into app.workflow_actions(resource, action, from_state, to_state, roles,
        label_zh, label_en, rule_id, clause_id, needs_reason, is_system, sort) values
    ('things', 'submit', 'draft', 'submitted', '{office_staff}',
     '提交', 'Submit', null, null, false, false, 1),
    ('things', 'return', 'submitted', 'draft', '{chief_inspector}',
     '退回', 'Return', null, null, true, false, 2),
    ('things', 'issue', 'submitted', 'issued', '{chief_inspector,office_staff}',
     '印发', 'Issue', 'R-2', 'C2', false, false, 3),
    ('things', 'arrive', 'issued', 'arrived', '{}',
     '送达', 'Arrive', null, null, false, true, 4),
    ('things', 'note', 'arrived', 'arrived', '{school_account}',
     '备注', 'Note', null, null, false, false, 5),
    ('things', 'void', 'arrived', 'arrived', '{chief_inspector}',
     '作废', 'Void', null, null, true, false, 6);
create function app.before_create_things(r dudao.things, body jsonb)
returns dudao.things language plpgsql as $$
begin
    r.code := app.next_code('SX');
    return r;
end $$;
create function app.before_things(action text, r dudao.things, data jsonb)
returns dudao.things language plpgsql as $$
begin
    if action = 'issue' then
        r.doc_no := app.next_doc_no('试');
    end if;
    return r;
end $$;
create function app.guard_things(action text, old dudao.things, new dudao.things, data jsonb)
returns app.fault[] language plpgsql as $$
begin
    if action = 'issue' and app.last_actor('things', old.id, 'submit') = app.user_id() then
        return array[app.fault('separation-of-duties', null, null, 'R-3', '3.0')];
    end if;
    if action = 'issue' and new.to_on is null then
        return array[app.fault('required', '/to_on'), app.fault('required', '/from_on')];
    end if;
    return '{}';
end $$;
create function app.effect_things(action text, old dudao.things, new dudao.things, data jsonb)
returns void language plpgsql as $$
begin
    if action = 'issue' then
        perform app.dispatch('things', new.id, 'serve', new.organization_id,
            'supervised_unit', app.add_workdays(app.today(), 5), 'sent');
        perform app.dispatch('things', new.id, 'serve', new.organization_id,
            'supervised_unit');
        perform app.notify('things', new.id, 'issued', '已印发', '请签收',
            app.users_of_organization(new.organization_id));
        perform app.deadline('things', new.id, 'reply', app.today() + 15);
        perform app.deadline('things', new.id, 'reply', app.today() + 20);
        perform app.enqueue('X-07', 'upsert', 'things', new.id,
            'thing:' || new.code, jsonb_build_object('title', new.title));
        perform app.system_step('things', new.id, 'arrive');
    elsif action = 'arrive' then
        update dudao.things set tags = tags || '{arrived}'::text[] where id = new.id;
    end if;
end $$;
create view app.things_json with (security_invoker = true) as
select t.*, json_build_object('id', t.id, 'version', t.version, 'title', t.title,
    'doc_no', t.doc_no, 'tags', t.tags, 'data', t.data, 'state', t.state,
    'allowed_actions', app.allowed_actions('things',
        case when t.voided_at is null then t.state end)) as body
from dudao.things t;
select app.refresh_resource('things');
select app.generate_interface();
select app.generate_allowed_actions();
"""


class Refused(Exception):
    """What app.refuse raised: status and the problem's members."""

    def __init__(self, error):
        self.status = int(error.pgcode[2:])
        self.problem = json.loads(error.diag.message_detail)
        self.code = self.problem["code"]
        super().__init__(f"{self.status} {self.problem}")

    @property
    def faults(self):
        return {(fault.get("pointer"), fault["code"])
                for fault in self.problem.get("errors", [])}


class Session:
    """Statements on a connection, each undone when it is refused."""

    def __init__(self, connection):
        self.connection = connection
        self.cursor = connection.cursor()

    def run(self, sql, *args):
        self.cursor.execute("savepoint here") if self.in_transaction else None
        try:
            self.cursor.execute(sql, args)
        except psycopg2.Error as error:
            if self.in_transaction:
                self.cursor.execute("rollback to here")
            if (error.pgcode or "").startswith("DD"):
                raise Refused(error) from None
            raise
        return self.cursor.fetchall() if self.cursor.description else []

    def value(self, sql, *args):
        rows = self.run(sql, *args)
        return rows[0][0] if rows else None

    @property
    def in_transaction(self):
        return (self.connection.get_transaction_status()
                != psycopg2.extensions.TRANSACTION_STATUS_IDLE)

    def act_as(self, login):
        return self.value("select app.act_as(%s, true)", login)

    def answer(self, sql, *args):
        rows = self.run(sql, *args)
        if not rows:
            return None
        status, location, etag, body = rows[0]
        return {"status": status, "location": location, "etag": etag,
                "body": json.loads(body) if body else None}

    def create(self, body, resource="things"):
        return self.answer("select * from app.create(%s, %s)", resource,
                           json.dumps(body))

    def patch(self, id_, if_match, patch, resource="things"):
        return self.answer("select * from app.patch(%s, %s, %s, %s)", resource,
                           id_, if_match, json.dumps(patch))

    def act(self, id_, action, if_match=None, data=None, resource="things"):
        return self.answer("select * from app.act(%s, %s, %s, %s, %s)", resource,
                           id_, action, if_match, json.dumps(data or {}))


def refusal(call, *args, **more):
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value


@pytest.fixture
def owner(db):
    session = Session(db)
    session.run("begin")
    yield session
    session.run("rollback")


@pytest.fixture
def things(owner):
    owner.run(THINGS)
    owner.unit = owner.value("select organization_id::text from dudao.users"
                             " where login = 'school_account'")
    return owner


@pytest.fixture
def thing(things):
    """One of the office's, as office_staff."""
    things.act_as("office_staff")
    things.id = things.create({"title": "关于整改的通知",
                               "organization_id": things.unit})["body"]["id"]
    return things


@pytest.fixture
def issued(thing):
    thing.patch(thing.id, 1, {"from_on": "2026-01-01", "to_on": "2026-02-01"})
    thing.act(thing.id, "submit", 2, {"comment": "请审"})
    thing.act_as("chief_inspector")
    thing.answer_of_issue = thing.act(thing.id, "issue", 3, {})
    return thing


@pytest.fixture
def api(as_login):
    return lambda login: Session(as_login(login))


# --- writes -------------------------------------------------------------------


def test_create_answers_with_location_and_version(things):
    things.act_as("office_staff")
    answer = things.create({"title": "关于整改", "organization_id": things.unit})
    assert answer["status"] == 201
    assert answer["location"] == "/v1/things/" + answer["body"]["id"]
    assert answer["etag"] == "1"
    assert answer["body"]["allowed_actions"] == ["submit"]


def test_create_with_the_same_id_and_body_is_no_error(things):
    things.act_as("office_staff")
    body = {"id": str(uuid.uuid4()), "title": "关于整改",
            "organization_id": things.unit}
    assert things.create(body)["status"] == 201
    assert things.create(body)["status"] == 200
    refused = refusal(things.create, body | {"title": "另一件"})
    assert (refused.status, refused.code) == (409, "duplicate")
    assert refused.faults == {("/id", "duplicate")}


def test_all_faults_at_once(things):
    refused = refusal(things.create, {
        "title": "关", "parent_id": str(uuid.uuid4()),
        "from_on": "2026-02-02", "to_on": "2026-01-01"})
    assert (refused.status, refused.code) == (422, "validation-failed")
    assert refused.faults == {
        ("/organization_id", "required"), ("/parent_id", "unknown-reference"),
        ("/to_on", "date-before-start"), ("/title", "too-short")}
    [dated] = [fault for fault in refused.problem["errors"]
               if fault["pointer"] == "/to_on"]
    assert dated["params"] == {"min": "2026-02-02"}
    assert (dated["rule_id"], dated["clause_id"]) == ("R-1", "C1")


def test_read_only_columns_are_refused_on_create_and_patch(thing):
    for column, value in {"state": "issued", "version": 7, "code": "x",
                          "created_at": "2020-01-01", "search": []}.items():
        for call in (lambda body: thing.create(body | {"title": "关于"}),
                     lambda body: thing.patch(thing.id, 1, body)):
            refused = refusal(call, {column: value})
            assert ("/" + column, "read-only-field") in refused.faults
    refused = refusal(thing.patch, thing.id, 1, {"id": str(uuid.uuid4())})
    assert refused.faults == {("/id", "read-only-field")}


def test_patch_merges_objects_and_replaces_the_rest(thing):
    thing.patch(thing.id, 1, {"data": {"a": {"b": 1, "c": 2}}, "tags": ["x", "y"]})
    answer = thing.patch(thing.id, 2, {"data": {"a": {"b": None, "d": 4}},
                                       "tags": ["z"]})
    assert answer["etag"] == "3"
    assert answer["body"]["data"] == {"a": {"c": 2, "d": 4}}
    assert answer["body"]["tags"] == ["z"]


def test_patch_without_a_change_keeps_the_version(thing):
    assert thing.patch(thing.id, 1, {"title": "关于整改的通知"})["etag"] == "1"


def test_stale_version_names_the_current_one(thing):
    thing.patch(thing.id, 1, {"tags": ["x"]})
    for call in (lambda: thing.patch(thing.id, 1, {"tags": []}),
                 lambda: thing.act(thing.id, "submit", 1)):
        refused = refusal(call)
        assert (refused.status, refused.code) == (412, "version-conflict")
        assert refused.problem["version"] == 2


def test_patch_is_bound_to_states(thing):
    thing.act(thing.id, "submit")
    refused = refusal(thing.patch, thing.id, 2, {"title": "别的"})
    assert (refused.status, refused.code) == (409, "not-editable")
    assert refused.problem["state"] == "submitted"


def test_absent_record_gives_no_row(things):
    things.act_as("office_staff")
    assert things.patch(str(uuid.uuid4()), 1, {}) is None
    assert things.act(str(uuid.uuid4()), "submit") is None


def test_remove_asks_for_the_version_and_takes_deletable_tables_only(owner):
    id_, version = owner.run("insert into dudao.calendar_days(day, is_workday)"
                             " values ('2055-01-01', false) returning id, version")[0]
    refused = refusal(owner.answer, "select * from app.remove('calendar_days', %s, 9)", id_)
    assert refused.status == 412
    answer = owner.answer("select * from app.remove('calendar_days', %s, %s)",
                          id_, version)
    assert answer["status"] == 204
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        owner.run("select * from app.remove('organizations', %s, 1)", id_)


# --- steps --------------------------------------------------------------------


def test_illegal_step_names_state_and_allowed_actions(thing):
    refused = refusal(thing.act, thing.id, "issue")
    assert (refused.status, refused.code) == (409, "illegal-transition")
    assert refused.problem["state"] == "draft"
    assert refused.problem["allowed_actions"] == ["submit"]


def test_step_of_another_role_names_the_rule(thing):
    thing.act(thing.id, "submit")
    thing.act_as("school_account")
    refused = refusal(thing.act, thing.id, "issue")
    assert (refused.status, refused.code) == (403, "role-not-permitted")
    assert refused.problem["rule_id"] == "R-2"
    assert refused.problem["clause_id"] == "C2"


def test_step_needs_its_reason(thing):
    thing.act(thing.id, "submit")
    thing.act_as("chief_inspector")
    refused = refusal(thing.act, thing.id, "return", data={"reason": "  "})
    assert refused.faults == {("/reason", "reason-required")}
    answer = thing.act(thing.id, "return", data={"reason": "缺附件"})
    assert answer["body"]["state"] == "draft"


def test_who_submits_does_not_issue(thing):
    thing.act(thing.id, "submit")
    refused = refusal(thing.act, thing.id, "issue")
    assert (refused.status, refused.code) == (422, "separation-of-duties")
    assert refused.problem["rule_id"] == "R-3"


def test_guard_faults_come_together_under_the_rule_of_the_action(thing):
    thing.act(thing.id, "submit")
    thing.act_as("chief_inspector")
    refused = refusal(thing.act, thing.id, "issue")
    assert (refused.status, refused.code) == (422, "precondition-failed")
    assert refused.faults == {("/to_on", "required"), ("/from_on", "required")}
    assert refused.problem["rule_id"] == "R-2"


def test_step_leaves_its_effects_in_one_transaction(issued):
    body = issued.answer_of_issue["body"]
    assert body["state"] == "arrived" and body["tags"] == ["arrived"]
    assert body["doc_no"].startswith("试〔")
    assert issued.answer_of_issue["etag"] == str(body["version"])
    assert issued.run("select purpose, state, sent_at is not null from dudao.dispatches"
                      " where subject_id = %s", issued.id) == [("serve", "sent", True)]
    assert issued.value("select count(*) from dudao.notifications"
                        " where subject_id = %s", issued.id) == 1
    assert issued.value("select due_on - app.today() from dudao.deadlines"
                        " where subject_id = %s", issued.id) == 20
    assert issued.run("select type, op, revision, state from dudao.exchange_messages"
                      " where subject_id = %s", issued.id) == [
                          ("X-07", "upsert", 1, "pending")]


def test_history_has_actor_role_comment_and_data(issued):
    staff, chief = (issued.value("select id from dudao.users where login = %s", login)
                    for login in ("office_staff", "chief_inspector"))
    assert issued.run(
        "select action, from_state, to_state, actor, role, comment, data"
        " from dudao.transitions where subject_id = %s order by at, id",
        issued.id) == [
            ("submit", "draft", "submitted", staff, "office_staff", "请审",
             {"comment": "请审"}),
            ("issue", "submitted", "issued", chief, "chief_inspector", None, {}),
            ("arrive", "issued", "arrived", chief, "system", None, {})]


def test_a_later_revision_supersedes_what_has_not_left(issued):
    issued.run("select app.enqueue('X-07', 'upsert', 'things', %s,"
               " (select business_key from dudao.exchange_messages where subject_id = %s),"
               " '{}')", issued.id, issued.id)
    assert issued.run("select revision, state from dudao.exchange_messages"
                      " where subject_id = %s order by revision", issued.id) == [
                          (1, "superseded"), (2, "pending")]


def test_same_state_action_is_a_step(issued):
    issued.act_as("school_account")
    answer = issued.act(issued.id, "note", data={"comment": "已收到"})
    assert answer["body"]["state"] == "arrived"
    assert issued.value("select comment from dudao.transitions where subject_id = %s"
                        " and action = 'note'", issued.id) == "已收到"


def test_voided_record_takes_nothing(issued):
    answer = issued.act(issued.id, "void", data={"void_reason": "重复"})
    assert answer["body"]["allowed_actions"] == []
    assert issued.run("select void_reason, voided_by is not null from dudao.things"
                      " where id = %s", issued.id) == [("重复", True)]
    issued.act_as("school_account")
    refused = refusal(issued.act, issued.id, "note")
    assert (refused.status, refused.problem["allowed_actions"]) == (409, [])
    assert refusal(issued.run, "update dudao.things set title = '改了' where id = %s",
                   issued.id).status == 409


# --- by hand --------------------------------------------------------------------


def test_state_by_hand_needs_a_principal_and_a_role(thing):
    thing.act_as("")
    refused = refusal(thing.run, "update dudao.things set state = 'submitted'"
                                 " where id = %s", thing.id)
    assert (refused.status, refused.code) == (403, "role-not-permitted")
    thing.act_as("chief_inspector")
    assert refusal(thing.run, "update dudao.things set state = 'submitted'"
                              " where id = %s", thing.id).status == 403
    thing.act_as("office_staff")
    assert refusal(thing.run, "update dudao.things set state = 'arrived'"
                              " where id = %s", thing.id).code == "illegal-transition"
    thing.run("update dudao.things set state = 'submitted' where id = %s", thing.id)
    assert thing.run("select action, role from dudao.transitions where subject_id = %s",
                     thing.id) == [("submit", "office_staff")]


def test_row_begins_in_an_initial_state(things):
    things.act_as("office_staff")
    refused = refusal(things.run, "insert into dudao.things(title, organization_id, state)"
                                  " values ('通知', %s, 'issued')", things.unit)
    assert (refused.status, refused.code) == (409, "illegal-transition")


def test_row_rules_hold_by_hand(thing):
    refused = refusal(thing.run, "update dudao.things set title = '关', parent_id = %s"
                                 " where id = %s", str(uuid.uuid4()), thing.id)
    assert refused.faults == {("/title", "too-short"),
                              ("/parent_id", "unknown-reference")}


def test_stamps_cannot_be_forged(thing):
    before = thing.run("select id, version, created_at, created_by from dudao.things")
    thing.act_as("chief_inspector")
    thing.run("update dudao.things set id = app.uuid_v7(), version = 40,"
              " created_at = '2000-01-01', created_by = null, tags = '{x}'")
    (id_, version, created_at, created_by), = thing.run(
        "select id, version, created_at, created_by from dudao.things")
    assert [(id_, version - 1, created_at, created_by)] == before


# --- audit ----------------------------------------------------------------------


def test_audit_holds_changed_members_of_every_change(thing):
    thing.patch(thing.id, 1, {"tags": ["x"]})
    thing.act(thing.id, "submit")
    thing.act_as("")
    thing.run("update dudao.things set tags = '{}' where id = %s", thing.id)
    rows = thing.run("select action, before, after, role, user_id is not null"
                     " from dudao.audit_logs where subject_id = %s order by seq", thing.id)
    assert [row[0] for row in rows] == ["create", "update", "submit", "update"]
    assert rows[1][1:3] == ({"tags": [], "version": 1}, {"tags": ["x"], "version": 2})
    assert rows[2][1:3] == ({"state": "draft", "version": 2},
                            {"state": "submitted", "version": 3})
    assert rows[3][3:] == ("", False)


def test_audit_and_history_are_append_only_for_their_owner(thing):
    thing.act(thing.id, "submit")
    for statement in ("update dudao.audit_logs set role = 'x'",
                      "delete from dudao.audit_logs",
                      "truncate dudao.audit_logs",
                      "update dudao.transitions set role = 'x'",
                      "delete from dudao.transitions",
                      "truncate dudao.transitions"):
        assert refusal(thing.run, statement).code == "append-only"


def test_broken_chain_shows(thing):
    thing.patch(thing.id, 1, {"tags": ["x"]})
    thing.patch(thing.id, 2, {"tags": ["y"]})
    assert thing.run("select * from app.verify_audit('things', %s)", thing.id) == []
    thing.run("alter table dudao.audit_logs disable trigger append_only")
    thing.run("update dudao.audit_logs set after = '{}' where subject_id = %s"
              " and after ->> 'version' = '2'", thing.id)
    assert len(thing.run("select * from app.verify_audit('things', %s)", thing.id)) == 1


def test_the_whole_trail_is_unbroken(db):
    assert Session(db).run("select * from app.verify_audit()") == []


def test_secrets_do_not_reach_the_trail(owner):
    owner.run("update dudao.users set password_hash = 'other' where login = 'auditor'")
    before, after = owner.run(
        "select before, after from dudao.audit_logs where subject_type = 'users'"
        " order by seq desc limit 1")[0]
    assert before["password_hash"] == after["password_hash"] == "***"


# --- rows -----------------------------------------------------------------------


def test_tables_have_forced_row_security_or_no_grant(db):
    open_tables = Session(db).run("""
        select c.relname
        from pg_class c
        where c.relnamespace = 'dudao'::regnamespace and c.relkind = 'r'
            and not (c.relrowsecurity and c.relforcerowsecurity)
            and (has_any_column_privilege('dudao_api', c.oid, 'select')
                or has_table_privilege('dudao_api', c.oid, 'insert,update,delete'))""")
    assert open_tables == []


def test_api_role_owns_nothing_and_bypasses_nothing(db):
    session = Session(db)
    assert session.run("select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole"
                       " from pg_roles where rolname = 'dudao_api'") == [(False,) * 4]
    assert session.value("select count(*) from pg_class where relowner ="
                         " 'dudao_api'::regrole") == 0
    assert not session.value("select has_database_privilege('dudao_api',"
                             " current_database(), 'temporary')")


def test_forgotten_where_changes_no_other_row(api):
    school = api("school_account")
    school.run("begin")
    school.run("update dudao.organizations set contact_name = '改'")
    assert school.cursor.rowcount <= 1
    school.run("rollback")
    assert school.run("select login from dudao.users") == [("school_account",)]
    assert {row[0] for row in school.run("select distinct user_id from dudao.role_grants")} \
        == {school.value("select app.user_id()")}


def test_nobody_and_the_public_see_no_accounts(api):
    for login in ("public", ""):
        session = api(login)
        for table in ("users", "role_grants", "audit_logs", "notifications",
                      "dispatches", "transitions", "deadlines"):
            assert session.value(f"select count(*) from dudao.{table}") == 0


def test_password_hash_is_out_of_reach(api):
    admin = api("sys_admin")
    assert admin.value("select count(*) from dudao.users") > 20
    for statement in ("select password_hash from dudao.users",
                      "update dudao.users set password_hash = 'x'",
                      "select * from dudao.sessions",
                      "select * from dudao.refresh_tokens",
                      "select * from app.idempotency_keys"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            admin.run(statement)


def test_write_outside_the_role_is_403_not_a_database_error(api):
    body = {"day": "2055-01-02", "is_workday": False}
    refused = refusal(api("school_account").create, body, "calendar_days")
    assert (refused.status, refused.code) == (403, "role-not-permitted")


@pytest.mark.parametrize("login, table, whole, seen, calls", [
    ("office_staff", "problems", "problems", 3, 0),
    ("school_account", "problems", "problems", 1, 1),
    ("inspector_ft", "visit_items", "visits", 50, 1)])
def test_what_scopes_ask_of_a_caller_is_asked_once_a_statement(
        server, login, table, whole, seen, calls):
    with contextlib.closing(server.connect("postgres")) as connection:
        session = Session(connection)
        for statement in ("begin", "set local track_functions = 'all'",
                          "set local role dudao_api"):
            session.run(statement)
        session.act_as(login)
        assert session.value(f"select count(*) from dudao.{table}") >= seen
        for name in {table, whole}:
            assert session.value(
                "select coalesce(pg_stat_get_xact_function_calls("
                f"'gen.{name}_reads()'::regprocedure), 0)") == calls


def test_matrix_names_known_roles_only(db):
    assert Session(db).run("""
        select distinct p.role from app.permissions p
        where p.role <> 'public' and p.role not in (
            select e.value from app.enumerations e where e.name = 'role_grants.role')""") == []


# --- violations -------------------------------------------------------------------


@pytest.mark.parametrize("violation, status, code, faults", [
    (("23505", "users_login_key", "users", ""), 409, "duplicate",
     {("/login", "duplicate")}),
    (("23503", "role_grants_user_id_fkey", "role_grants", ""), 422,
     "validation-failed", {("/user_id", "unknown-reference")}),
    (("23502", "", "users", "login"), 422, "validation-failed",
     {("/login", "required")}),
    (("23514", "users_status_check", "users", ""), 422, "validation-failed",
     {("/status", "invalid-value")}),
    (("23P01", "role_grants_active_key", "role_grants", ""), 409, "duplicate",
     {("/role", "duplicate")}),
    (("42501", "", "users", ""), 403, "out-of-scope", set()),
])
def test_violations_are_told_without_names_of_constraints(api, violation, status, code, faults):
    row = api("public").run("select status, body from app.describe_violation(%s, %s, %s, %s)",
                            *violation)[0]
    assert row[0] == status and row[1]["code"] == code
    assert {(fault["pointer"], fault["code"]) for fault in row[1].get("errors", [])} == faults


def test_other_errors_are_not_described(api):
    assert api("public").run("select body from app.describe_violation('57014', '', '', '')"
                             " where body is not null") == []


# --- numbers ----------------------------------------------------------------------


def test_document_numbers_have_no_gaps(server):
    prefix = "试" + uuid.uuid4().hex[:8]
    first, second = Session(server.connect()), Session(server.connect())
    first.run("begin")
    assert first.value("select app.next_doc_no(%s)", prefix).endswith("〕1号")
    taken = []
    waiting = threading.Thread(target=lambda: taken.append(
        second.value("select app.next_doc_no(%s)", prefix)))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    first.run("rollback")
    waiting.join(10)
    assert taken[0].endswith("〕1号")
    assert first.value("select app.next_doc_no(%s)", prefix).endswith("〕2号")
    first.connection.close()
    second.connection.close()


def test_codes_do_not_wait_for_each_other(server):
    prefix = "T" + uuid.uuid4().hex[:6].upper()
    first, second = Session(server.connect()), Session(server.connect())
    assert first.value("select app.next_code(%s)", prefix).endswith("-000001")
    first.run("begin")
    first.value("select app.next_code(%s)", prefix)
    second.run("set statement_timeout = '2s'")
    assert second.value("select app.next_code(%s)", prefix).endswith("-000003")
    first.run("rollback")
    first.connection.close()
    second.connection.close()


def test_ids_are_version_7_and_in_order(db):
    made = [row[0] for row in Session(db).run(
        "select app.uuid_v7()::text from generate_series(1, 200)")]
    assert all(uuid.UUID(id_).version == 7 for id_ in made)
    assert all(uuid.UUID(id_).variant == uuid.RFC_4122 for id_ in made)
    stamps = [id_[:18] for id_ in made]
    assert stamps == sorted(stamps)


# --- dates, text, JSON --------------------------------------------------------------


def test_working_days_follow_the_calendar(owner):
    owner.run("insert into dudao.calendar_days(day, is_workday) values"
              " ('2055-03-02', false), ('2055-03-06', true)")
    # Monday 1 March; Tuesday is a holiday, Saturday is worked
    assert str(owner.value("select app.add_workdays('2055-03-01', 1)")) == "2055-03-03"
    assert str(owner.value("select app.add_workdays('2055-03-01', 4)")) == "2055-03-06"
    assert str(owner.value("select app.add_workdays('2055-03-01', 5)")) == "2055-03-08"
    assert str(owner.value("select app.add_workdays('2055-03-08', -1)")) == "2055-03-06"
    assert owner.value("select app.workdays_between('2055-03-01', '2055-03-08')") == 5
    assert owner.value("select app.workdays_between('2055-03-08', '2055-03-01')") == -5
    assert str(owner.value("select app.add_workdays('2055-03-01', 0)")) == "2055-03-01"


def test_search_folds_traditional_characters(db):
    session = Session(db)
    assert session.value("select app.simplified('教育督導體制機制')") == "教育督导体制机制"
    assert session.value("select app.bigrams('深化督導，A校') @> app.bigrams('督导')")
    assert session.value("select app.bigrams('督')") == ["督"]
    assert session.value("select app.bigrams('督导，导学')") == ["导学", "督导"]
    assert session.value("select app.bigrams('  ')") is None


def test_search_follows_its_text(thing):
    def found(text):
        return thing.value("select search @> app.bigrams(%s) from dudao.things"
                           " where id = %s", text, thing.id)

    assert found("整改") and found(thing.value(
        "select code from dudao.things where id = %s", thing.id))
    thing.patch(thing.id, 1, {"title": "关于督导的通知"})
    assert found("督导") and not found("整改")
    thing.patch(thing.id, 2, {"tags": ["x"]})
    assert found("督导")


@pytest.mark.parametrize("written", ["'{别的}'", "null"])
def test_search_is_what_its_text_says_whatever_is_written(thing, written):
    thing.run("reset role")
    thing.run(f"update dudao.things set search = {written} where id = %s", thing.id)
    assert thing.value("select search = app.bigrams(title || ' ' || code)"
                       " from dudao.things where id = %s", thing.id)


def test_search_of_all_tables(db):
    """The demo county's, loaded and changed by many hands."""
    session = Session(db)
    tables = session.run("select resource, searched from app.resources"
                         " where searched <> '{}'")
    assert len(tables) > 20
    for table, columns in tables:
        assert session.value(
            f"select count(*) from dudao.{table} where search is distinct from"
            f" app.bigrams(concat_ws(' ', {', '.join(columns)}))") == 0, table


def test_time_stands_with_six_decimals_and_z(db):
    assert Session(db).value("select app.ts('2026-01-02 03:04:05.6+08')") == \
        "2026-01-01T19:04:05.600000Z"


def test_members_are_added_and_picked_in_order(db):
    session = Session(db)
    text = session.value("""select app.with_members('{"z": 1}'::json,
        'a', '[1]'::json, 'b', null)""")
    assert text == '{"z": 1, "a": [1], "b": null}'
    assert session.value("""select app.with_members('{"z": 1}'::json)""") == '{"z": 1}'
    assert session.value("""select app.with_members('{}'::json, 'a', '1'::json)""") == '{"a": 1}'
    picked = session.value("""select app.pick('{"c": 1, "a": {"x": 2}, "b": 3}'::json,
        '{a,c}')""")
    assert picked == '{"c":1,"a":{"x": 2}}'


def test_merge_patch_follows_the_examples_of_rfc_7396(db):
    examples = [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ]
    for target, patch, expected in examples:
        assert Session(db).value("select app.merge_patch(%s, %s)",
                                 json.dumps(target), json.dumps(patch)) == expected


def test_parameter_waits_for_its_day(owner):
    assert owner.value("select app.parameter_int('login_max_failures')") == 5
    owner.run("update dudao.rule_parameters set value = '9', changed_reason = '试',"
              " valid_from = app.today() + 1 where key = 'login_max_failures'")
    assert owner.value("select app.parameter_int('login_max_failures')") == 5
    owner.run("update dudao.rule_parameters set valid_from = app.today()"
              " where key = 'login_max_failures'")
    assert owner.value("select app.parameter_int('login_max_failures')") == 9


# --- login and sessions ----------------------------------------------------------


def sign_in(session, login, password="dudao-demo"):
    return dict(zip(
        ("status", "retry_after", "user_id", "session_id", "refresh_token", "scope"),
        session.run("select status, retry_after, user_id, session_id, refresh_token, scope"
                    " from app.login(%s, %s, '::1', 'pytest')", login, password)[0]))


def renew(session, token):
    return session.run("select status, new_refresh_token from app.refresh_session(%s)",
                       token)[0]


def principal(session, session_id):
    rows = session.run("select login, roles, scopes, valid_until > extract(epoch from now())"
                       " from app.load_principal(%s)", session_id)
    return rows[0] if rows else None


def test_login_gives_session_scopes_and_a_stored_hash_only(api, db):
    session = api("public")
    made = sign_in(session, "school_account")
    assert made["status"] == 200
    assert "problems:read" in made["scope"].split()
    assert "users:write" not in made["scope"].split()
    token = made["refresh_token"]
    assert len(token) == 43
    assert bytes(Session(db).value(
        "select token_hash from dudao.refresh_tokens where session_id = %s",
        made["session_id"])) == hashlib.sha256(token.encode()).digest()
    login, roles, scopes, is_valid = principal(session, made["session_id"])
    assert (login, roles, is_valid) == ("school_account", ["school_account"], True)
    assert scopes == made["scope"]


def test_wrong_password_and_unknown_login_look_alike(api):
    session = api("public")
    wrong = sign_in(session, "school_account_3", "no")
    unknown = sign_in(session, "nobody-" + uuid.uuid4().hex, "no")
    assert wrong == unknown
    assert wrong["status"] == 401


def test_failures_lock_a_login_for_growing_time(api, db):
    session, login = api("public"), "nobody-" + uuid.uuid4().hex
    for _ in range(5):
        assert sign_in(session, login, "no")["status"] == 401
    locked = sign_in(session, login, "no")
    assert locked["status"] == 429 and 50 <= locked["retry_after"] <= 60
    Session(db).run("update app.login_attempts set locked_until = now() where login = %s",
                    login)
    for _ in range(5):
        assert sign_in(session, login, "no")["status"] == 401
    assert 290 <= sign_in(session, login, "no")["retry_after"] <= 300


def test_refresh_rotates_and_reuse_ends_the_family(api):
    session = api("public")
    made = sign_in(session, "auditor")
    status, second = renew(session, made["refresh_token"])
    assert status == 200 and second != made["refresh_token"]
    assert renew(session, made["refresh_token"]) == (401, None)
    assert renew(session, second) == (401, None)
    assert principal(session, made["session_id"]) is None
    assert renew(session, "nonsense") == (401, None)


def test_logout_ends_the_session(api):
    session = api("public")
    made = sign_in(session, "auditor")
    session.run("select app.logout_session(%s)", made["session_id"])
    assert principal(session, made["session_id"]) is None
    assert renew(session, made["refresh_token"])[0] == 401


@pytest.fixture
def account(db):
    """An account of this test's own, with one role."""
    session = Session(db)
    login = "t" + uuid.uuid4().hex[:12]
    session.id = session.value(
        f"insert into dudao.users(login, display_name, organization_id, password_hash)"
        f" values (%s, '试', ({OFFICE}), app.password_hash('dudao-demo')) returning id",
        login)
    session.login = login
    session.run("select app.grant_role(%s, 'office_staff', '试')", session.id)
    yield session
    session.run("update dudao.users set status = 'disabled' where id = %s", session.id)
    session.run("select app.end_grants(%s, 'office_staff', '试毕')", session.id)


def test_what_alters_a_principal_is_told(account, db):
    connection = db
    told = lambda: [(notify.channel, notify.payload) for notify in heard(connection)]
    Session(connection).run("listen dudao_principal")
    me = ("dudao_principal", str(account.id))
    made = sign_in(account, account.login)
    heard(connection)

    account.run("update dudao.users set display_name = '改' where id = %s", account.id)
    assert me in told()
    account.run("select app.grant_role(%s, 'research_center', '试')", account.id)
    assert me in told()
    account.run("select app.end_grants(%s, 'research_center', '试')", account.id)
    assert me in told()
    account.run("update dudao.users set failed_count = failed_count where id = %s", account.id)
    assert told() == []
    account.run("update dudao.users set status = 'locked' where id = %s", account.id)
    assert me in told()
    assert principal(account, made["session_id"]) is None
    assert sign_in(account, account.login)["status"] == 401
    account.run("update dudao.users set status = 'active' where id = %s", account.id)
    assert principal(account, made["session_id"]) is None


def heard(connection):
    select.select([connection], [], [], 0.2)
    connection.poll()
    found, connection.notifies[:] = list(connection.notifies), []
    return found


def test_new_password_ends_the_other_sessions(account):
    here, there = sign_in(account, account.login), sign_in(account, account.login)
    account.run("select app.act_as(%s)", account.login)
    assert not account.value("select app.change_password('no', 'new-password')")
    assert account.value("select app.change_password('dudao-demo', 'new-password', %s)",
                         here["session_id"])
    assert principal(account, here["session_id"]) is not None
    assert principal(account, there["session_id"]) is None
    assert sign_in(account, account.login, "new-password")["status"] == 200
    account.run("select app.act_as('')")


def test_grants_count_while_they_are_valid(account):
    made = sign_in(account, account.login)
    account.run("select app.grant_role(%s, 'research_center', '试',"
                " valid_from => app.today() + 1)", account.id)
    login, roles, _, _ = principal(account, made["session_id"])
    assert roles == ["office_staff"]
    assert account.value(
        "select valid_until = extract(epoch from (app.today() + 1)::timestamp"
        " at time zone 'Asia/Shanghai') from app.load_principal(%s)", made["session_id"])


# --- grants -----------------------------------------------------------------------


@pytest.mark.parametrize("login, role", [
    ("sys_admin", "chief_inspector"),
    ("chief_inspector", "finance_officer"),
    ("auditor", "office_staff"),
])
@pytest.mark.clause("4.1")
def test_incompatible_roles(owner, login, role):
    refused = refusal(owner.run, "select app.grant_role(id, %s, '试') from dudao.users"
                                 " where login = %s", role, login)
    assert ("/role", "incompatible-roles") in refused.faults


def test_a_unit_does_not_supervise_itself(owner):
    refused = refusal(owner.run, "select app.grant_role(id, 'office_staff', '试')"
                                 " from dudao.users where login = 'school_account'")
    assert ("/role", "incompatible-roles") in refused.faults


def test_grant_is_not_given_twice(owner):
    with pytest.raises(psycopg2.errors.ExclusionViolation):
        owner.run("insert into dudao.role_grants(user_id, role, reason)"
                  " select id, 'office_staff', '试' from dudao.users"
                  " where login = 'office_staff'")


def test_grants_take_two_people(owner):
    admin = owner.act_as("sys_admin")
    made = owner.create({"user_id": owner.value(
        "select id::text from dudao.users where login = 'office_staff_3'"),
        "role": "research_center", "reason": "借调"}, "role_grants")
    assert admin == ["sys_admin"] and made["body"]["state"] == "proposed"
    id_ = made["body"]["id"]
    assert refusal(owner.act, id_, "approve", resource="role_grants").status == 403
    owner.act_as("chief_inspector")
    own = owner.create({"user_id": owner.value(
        "select id::text from dudao.users where login = 'office_staff_2'"),
        "role": "research_center", "reason": "借调"}, "role_grants")["body"]["id"]
    assert refusal(owner.act, own, "approve", resource="role_grants").code == \
        "separation-of-duties"
    assert owner.act(id_, "approve", resource="role_grants")["body"]["state"] == "active"


def test_delegation_lends_the_role_and_names_both(owner):
    deputy, chief = (owner.value("select id::text from dudao.users where login = %s", login)
                     for login in ("deputy_chief_inspector", "chief_inspector"))
    owner.act_as("sys_admin")
    body = {"user_id": deputy, "role": "chief_inspector", "reason": "出差",
            "delegated_by": chief, "valid_to": "2099-12-31"}
    refused = refusal(owner.create, body | {"user_id": owner.value(
        "select id::text from dudao.users where login = 'office_staff'")}, "role_grants")
    assert ("/delegated_by", "delegation-not-permitted") in refused.faults
    id_ = owner.create(body, "role_grants")["body"]["id"]
    owner.act_as("chief_inspector")
    owner.act(id_, "approve", resource="role_grants")
    assert {"chief_inspector", "deputy_chief_inspector"} <= set(
        owner.act_as("deputy_chief_inspector"))
    assert owner.value("select app.on_behalf_of('chief_inspector')::text") == chief
    owner.run("select app.audit('look', 'users', %s)", deputy)
    assert owner.run("select user_id::text, on_behalf_of::text from dudao.audit_logs"
                     " order by seq desc limit 1") == [(deputy, chief)]


# --- idempotency -------------------------------------------------------------------

KEPT = ("select e.*, app.keep_answer(%s, e.status, e.location, e.etag, e.body)"
        " from (select * from app.create('calendar_days', %s)) as e")


def claim(session, key, operation="createCalendarDay", request="hash"):
    session.run("select app.claim_idempotency(%s, %s, %s)", key, operation, request)


def test_key_commits_with_its_effect_and_replays(api):
    session, key = api("sys_admin"), uuid.uuid4().hex
    body = json.dumps({"day": "2056-01-01", "is_workday": False})
    session.run("begin")
    claim(session, key)
    status, location, etag, kept, _ = session.run(KEPT, key, body)[0]
    session.run("commit")
    assert refusal(claim, session, key).code == "idempotency-replay"
    refused = refusal(claim, session, key, request="other")
    assert (refused.status, refused.code) == (422, "idempotency-key-reused")
    assert session.run("select * from app.replay_idempotency(%s)", key) == [
        (status, location, etag, kept)]
    # another account has keys of its own
    claim(api("chief_inspector"), key)


def test_key_is_free_after_a_failure_and_after_no_row(api):
    session, key = api("sys_admin"), uuid.uuid4().hex
    session.run("begin")
    claim(session, key)
    session.run("rollback")
    session.run("begin")
    claim(session, key)
    session.run("select e.*, app.keep_answer(%s, e.status, e.location, e.etag, e.body)"
                " from (select * from app.patch('calendar_days', app.uuid_v7(), 1, '{}')) as e",
                key)
    session.run("commit")
    claim(session, key, request="other")


def test_key_in_flight_is_refused_at_once(api):
    first, second, key = api("sys_admin"), api("sys_admin"), uuid.uuid4().hex
    first.run("begin")
    claim(first, key)
    refused = refusal(claim, second, key)
    assert (refused.status, refused.code) == (409, "idempotency-in-flight")
    assert refused.problem["retry_after"] == 1
    first.run("rollback")
    claim(second, key)


def test_key_is_free_after_a_day(api, db):
    session, key = api("sys_admin"), uuid.uuid4().hex
    session.run("begin")
    claim(session, key)
    session.run(KEPT, key, json.dumps({"day": "2056-01-02", "is_workday": False}))
    session.run("commit")
    Session(db).run("update app.idempotency_keys set created_at = now() - interval '25 hours'"
                    " where key = %s", key)
    claim(session, key, request="other")
    Session(db).run("select app.sweep()")
