"""Every role at every operation, and every row of every list (4.2, 4.3).

The matrix is matrix.yaml, the scopes are those of support/matrix.py; what the
service and the database do is held against both.
"""

import functools
import uuid

import psycopg2
import pytest

from support.matrix import MATRIX, Scopes

LIST_PAGES = 10

# Whose demo account has a second role, as inspectors that they are too: these
# accounts have only the one.
PURE = {"zone_lead": "Z4", "chief_inspector": None,
        "deputy_chief_inspector": None}

# Operations that take no id of a row although their path has a parameter.
VALUES = {"/v1/workflows/{resource}": "problems",
          "/problems/{code}": "not-found"}

# Path of a part -> table and the column that names the whole.
PARTS = {
    "/v1/problems/{problem_id}/plans": ("rectification_plans", "problem_id"),
    "/v1/problems/{problem_id}/reports":
        ("rectification_reports", "problem_id"),
    "/v1/problems/{problem_id}/reviews": ("problem_reviews", "problem_id"),
    "/v1/supervision-tasks/{task_id}/targets":
        ("supervision_targets", "task_id"),
    "/v1/supervision-tasks/{task_id}/team": ("team_members", "task_id"),
    "/v1/meetings/{meeting_id}/agenda":
        ("meeting_agenda_items", "meeting_id"),
    "/v1/meetings/{meeting_id}/attendances":
        ("meeting_attendances", "meeting_id"),
    "/v1/meetings/{meeting_id}/resolutions":
        ("meeting_resolutions", "meeting_id"),
    "/v1/training-sessions/{training_session_id}/records":
        ("training_records", "session_id"),
}

# Changes of drafts, of which the demo has none that the role may write: the
# tests of these resources make their own.
DRAFTS = {"updateAward", "updateAwardDecision", "updateEvaluationCampaign",
          "updateIndicatorFramework", "updateMeeting", "updateRankApplication",
          "updatePublication", "updatePublicationPlacement",
          "updateSupervisionTask", "updateVisit"}

# Rows that belong to whoever makes them.
OF_WHO_WRITES = {"attachments", "exchange_activities",
                 "policy_recommendations", "research_projects"}

# Members that some readers of a row see masked, or not before a decision.
HIDDEN = {
    "awards": {"objections"},
    "evaluations": {"verified_onsite", "verify_note", "verified_score",
                    "veto_indicator_ids"},
    "inspector_appointments": {"objections"},
    "inspectors": {"public_phone"}, "liaisons": {"phone"},
    "meetings": {"minutes", "minutes_attachment_id"},
    "organizations": {"contact_phone"}, "persons": {"phone"},
    "supervision_reports": {"body", "findings", "statistics"},
    "zones": {"phone"}}

# Filters by rows that a reader of the list may not see himself: who has no
# business with them does not learn of them by asking.
BY_HIDDEN_ROWS = {("major_matters", "meeting_id"),
                  ("supervision_tasks", "organization_id"),
                  ("supervision_tasks", "zone_id")}

# Reads that do not show rows of one table.
NO_ROWS = {"getMe", "listWorkflows", "getWorkflow", "listEnumerations",
           "listInspectorWorkloads", "listComplianceChecks",
           "listComplianceDimensions", "getMeetingParticipation",
           "getMeetingPeriods", "getPaperlessShare", "listTrainingHours",
           "getResearchStrength", "getInspectorRatios",
           "getImportTemplate"}


def login_of(role):
    return f"matrix_{role}" if role in PURE else role


@pytest.fixture(scope="module")
def owner(server):
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute("set search_path = dudao, app, ext")
        for role, zone in PURE.items():
            cursor.execute("""
                with account as (
                    insert into users(login, display_name, organization_id,
                        password_hash, password_changed_at)
                    select 'matrix_' || login, display_name, organization_id,
                        password_hash, now()
                    from users
                    where login = %(role)s
                    on conflict do nothing
                    returning id
                )
                select app.grant_role(account.id, %(role)s, 'matrix',
                    scope_zone_id => (select id from zones
                        where code = %(zone)s))
                from account""", {"role": role, "zone": zone})
        # nothing falls due between two looks at the contents
        cursor.execute("select app.run_due()")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def scopes(owner):
    """scopes(role): the rows within reach of the role's account."""
    made = {}

    def of(role):
        if role not in made:
            made[role] = Scopes(owner, MATRIX, role, login_of(role))
        return made[role]

    return of


@pytest.fixture(scope="module")
def client_of(api, owner):
    def client(role):
        return api if role == "public" else api.login(login_of(role))

    return client


def fetch(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def contents(connection):
    """What a request must not have changed: rows and versions of all tables.

    Not users: a log-in leaves its time there.
    """
    return {table: fetch(connection, f"select count(*), sum(version),"
                                     f" max(updated_at) from dudao.{table}")
            for table in MATRIX.tables
            if table not in ("audit_logs", "users")}


# --- the matrix ---------------------------------------------------------------


@pytest.mark.clause("4.3")
def test_permissions_are_the_matrix(owner):
    stored = {}
    for group, role, operations, scope in fetch(
            owner, "select permission_group, role, operations, scope"
            " from app.permissions"):
        stored.setdefault((group, role), set()).update(
            (letter, scope) for letter in operations)
    assert {role for _, role in stored} == set(MATRIX.roles)
    assert {group for group, _ in stored} == MATRIX.groups
    wrong = {
        (group, role): (stored.get((group, role), set()),
                        MATRIX.rights(group, role))
        for group in MATRIX.groups for role in MATRIX.roles
        if stored.get((group, role), set()) != MATRIX.rights(group, role)}
    assert not wrong


@pytest.mark.clause("4.3")
def test_tables_belong_to_their_groups(owner):
    stored = dict(fetch(owner, "select resource, permission_group"
                               " from app.resources"))
    assert {**stored, "audit_logs": "audit_logs"} == MATRIX.tables


@pytest.mark.clause("4.1", "4.3")
def test_steps_are_open_to_their_roles(owner):
    """A role that a machine names may call the step's operation.

    Not so where a person holds a second role for it: leads of zones are
    full-time inspectors, and lead teams as such; who confirms a visit is the
    unit that was visited, which is a school.
    """
    by_other_role = {
        ("supervision_tasks", "zone_lead"), ("visits", "township_account"),
        ("visits", "department_account")}
    closed = {
        (resource, role)
        for resource, role in fetch(
            owner, "select distinct resource, unnest(roles)"
            " from app.workflow_actions")
        if role != "system"
        and not MATRIX.scopes(MATRIX.tables[resource], role, "WT")}
    assert closed <= by_other_role


# --- every role at every operation --------------------------------------------


def operations(api):
    return list(api.contract.operations())


def table_of(template):
    """The table whose rows a path names first."""
    parts = template.strip("/").split("/")
    table = parts[1].replace("-", "_") if len(parts) > 1 else ""
    return table if parts[0] == "v1" and table in MATRIX.tables else None


def fill(template, value):
    """The path with every parameter replaced."""
    return "/".join(
        (VALUES.get(template) or value) if part.startswith("{") else part
        for part in template.split("/"))


def body_of(api, operation, example):
    """Options of a request: the contract's example, or what nobody takes."""
    content = api.contract.resolve(
        operation.get("requestBody", {})).get("content", {})
    for media_type, entry in content.items():
        if not media_type.endswith("json"):
            return {"data": b"", "headers": {"Content-Type": media_type}}
        body = {"no_such_member": True}
        if example:
            body = entry.get("example") or next(
                (api.contract.resolve(e)["value"]
                 for e in entry.get("examples", {}).values()), {})
        return {"json": body, "headers": {"Content-Type": media_type}}
    return {}


def parameters_of(api, template, operation):
    item = api.contract.document["paths"][template]
    return [api.contract.resolve(p) for p in item.get("parameters", [])
            + operation.get("parameters", [])]


def takes(api, template, operation, name):
    return any(parameter["name"] == name for parameter
               in parameters_of(api, template, operation))


def send(api, client, method, template, operation, id):
    options = body_of(api, operation, example="{" in template)
    if method == "get" and takes(api, template, operation, "limit"):
        options["params"] = {"limit": 2}
    return client.request(method.upper(), fill(template, id), **options)


@pytest.mark.clause("4.3")
@pytest.mark.parametrize("role", MATRIX.roles)
def test_every_operation(api, client_of, owner, scopes, server, role):
    """Denied: 403, and 401 without an account. Allowed: anything else.

    Reads answer with a row of the role's scope where there is one; writes
    aim at a row that is not there, or carry a member that nobody takes.
    """
    client = client_of(role)
    before = contents(owner)
    seen, wrong = set(), []
    for method, template, operation in operations(api):
        name = operation["operationId"]
        table = table_of(template)
        id = str(uuid.uuid4())
        if method == "get" and "{" in template and table in MATRIX.tables:
            id = next(iter(sorted(scopes(role).ids(table))), id)
        if name == "logout" and role != "public":
            kept = server.tokens[client.name]
            client = api.login(client.name, fresh=True)
            server.tokens[client.name] = kept
        answer = send(api, client, method, template, operation, id)
        if name == "logout":
            client = client_of(role)
        code = answer.json().get("code") if "problem+json" in \
            answer.headers.get("Content-Type", "") else None
        if MATRIX.allows(role, operation):
            good = answer.status_code in (
                (200, 204, 206, 404) if method == "get"
                else (204, 400, 401, 404, 409, 415, 422, 428)) \
                and code != "unauthenticated"
        elif role == "public":
            good = (answer.status_code, code) == (401, "unauthenticated")
        else:
            good = (answer.status_code, code) == (403, "insufficient-scope")
        if not good:
            wrong.append((name, answer.status_code, answer.text[:200]))
        seen.add(name)
    assert not wrong, f"{len(wrong)} cells: {wrong}"
    assert seen == {o["operationId"] for _, _, o in operations(api)}
    assert contents(owner) == before


# --- lists and rows -----------------------------------------------------------


def listed_ids(client, path, pages=LIST_PAGES, **filters):
    """The ids of the first pages, and whether these were all."""
    ids, cursor = set(), {}
    for _ in range(pages):
        answer = client.get(path, status=200, validate=False,
                            params={"limit": 200, "fields": "id", **filters,
                                    **cursor})
        page = answer.json()
        ids |= {row["id"] for row in page["data"]}
        if not page["page"]["has_more"]:
            return ids, True
        cursor = {"cursor": page["page"]["next_cursor"]}
    return ids, False


def kind_of(template, operation):
    """What a read shows: list, row, part, history, content, value."""
    parts = template.strip("/").split("/")
    if operation["operationId"] in NO_ROWS or not operation["security"] \
            or {} in operation["security"]:
        return None
    if template in PARTS:
        return "part"
    assert table_of(template), template
    if len(parts) == 2:
        return "list"
    if len(parts) == 3:
        return "row"
    return {"transitions": "history"}.get(parts[3], "side")


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", [r for r in MATRIX.roles if r != "public"])
def test_lists_show_the_scope(api, client_of, scopes, role):
    """No row of a list lies outside, and none inside is missing."""
    client, wrong, tried = client_of(role), [], 0
    for method, template, operation in operations(api):
        if method != "get" or not MATRIX.allows(role, operation) \
                or kind_of(template, operation) != "list":
            continue
        table = table_of(template)
        inside = scopes(role).ids(table)
        ids, is_all = listed_ids(client, template)
        tried += 1
        if ids - inside or (is_all and inside - ids):
            wrong.append((template, "outside", len(ids - inside),
                          "missing", len(inside - ids), is_all))
    assert tried and not wrong, wrong


@pytest.mark.clause("4.2")
def test_a_row_is_the_same_for_all_its_readers(api, client_of):
    """What is derived from other rows does not depend on who may see those."""
    clients = {role: client_of(role) for role in MATRIX.roles
               if role != "public"}
    wrong = set()
    for method, template, operation in operations(api):
        if method != "get" or kind_of(template, operation) != "list":
            continue
        table, said = table_of(template), {}
        for role, client in clients.items():
            if not MATRIX.allows(role, operation):
                continue
            page = client.get(template, status=200, validate=False,
                              params={"limit": 200}).json()
            for row in page["data"]:
                for member in row.keys() - HIDDEN.get(table, set()) \
                        - {"allowed_actions"}:
                    first = said.setdefault((row["id"], member),
                                            (row[member], role))
                    if row[member] != first[0]:
                        wrong.add((table, member, first[1], role))
    assert not wrong


def derived_filters(api, template, operation, rows):
    """Names and schemas of filters that no member of the rows answers."""
    for parameter in parameters_of(api, template, operation):
        schema = api.contract.resolve(parameter["schema"])
        if parameter["in"] == "query" and rows \
                and parameter["name"] not in {"bom", *rows[0]}:
            yield parameter["name"], api.contract.resolve(
                schema.get("items", schema))


@pytest.mark.clause("4.2")
def test_a_filter_picks_the_same_rows_for_all_its_readers(
        api, client_of, owner):
    """What is looked up in other rows does not depend on who may see those."""
    values = {
        name: [str(id) for id, in fetch(owner, f"select id from {table}"
                                               " order by id limit 4")]
        for name, table in {"zone_id": "zones", "meeting_id": "meetings",
                            "task_id": "supervision_tasks",
                            "organization_id": "schools"}.items()}
    whole, tried, wrong = client_of("auditor"), set(), set()
    all_of = functools.cache(
        lambda role, template: listed_ids(client_of(role), template)[0])
    for method, template, operation in operations(api):
        if method != "get" or kind_of(template, operation) != "list" \
                or not MATRIX.allows("auditor", operation):
            continue
        rows = whole.get(template, status=200, validate=False,
                         params={"limit": 1}).json()["data"]
        for name, schema in derived_filters(api, template, operation, rows):
            for value in ("true", "false") if schema.get("type") == "boolean" \
                    else values.get(name, ()):
                found, is_all = listed_ids(whole, template, **{name: value})
                for role in MATRIX.roles:
                    if role in ("public", "auditor") or not is_all \
                            or not MATRIX.allows(role, operation):
                        continue
                    mine, _ = listed_ids(client_of(role), template,
                                         **{name: value})
                    tried.add(name)
                    if mine & all_of("auditor", template) \
                            != found & all_of(role, template):
                        wrong.add((table_of(template), name, role))
    assert {"zone_id", "meeting_id", "has_plaque"} <= tried
    assert {(table, name) for table, name, _ in wrong} <= BY_HIDDEN_ROWS, wrong


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", [r for r in MATRIX.roles if r != "public"])
def test_rows_outside_the_scope_are_not_there(api, client_of, owner, scopes,
                                              role):
    """404 for every read and every write, also of their parts."""
    client, wrong = client_of(role), []
    before = contents(owner)
    for method, template, operation in operations(api):
        table = table_of(template)
        if "{" not in template or table is None \
                or not MATRIX.allows(role, operation) \
                or not operation["security"] or {} in operation["security"]:
            continue
        inside = scopes(role).ids(table)
        outside = sorted(scopes(role).all_ids(table) - inside)
        for id in outside[:1] + outside[1:][-1:]:
            answer = send(api, client, method, template, operation, id)
            if answer.status_code != 404:
                wrong.append((method, template, id, answer.status_code,
                              answer.text[:200]))
    assert not wrong, wrong
    assert contents(owner) == before


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", [r for r in MATRIX.roles if r != "public"])
def test_rows_inside_the_scope_are_shown(api, client_of, owner, scopes, role):
    """A single row with its parts and its history."""
    client, wrong = client_of(role), []
    for method, template, operation in operations(api):
        if method != "get" or "{" not in template \
                or not MATRIX.allows(role, operation) \
                or kind_of(template, operation) is None:
            continue
        inside = sorted(scopes(role).ids(table_of(template)))
        for id in inside[:1] + inside[1:][-1:]:
            answer = client.get(fill(template, id))
            if answer.status_code != 200:
                wrong.append((template, id, answer.status_code,
                              answer.text[:200]))
            elif template in PARTS:
                part, column = PARTS[template]
                expected = scopes(role).ids(part) & {row for row, in fetch(
                    owner, f"select id::text from {part}"
                    f" where {column} = %s", id)}
                shown = {row["id"] for row in answer.json()["data"]}
                if shown != expected:
                    wrong.append((template, id, shown ^ expected))
    assert not wrong, wrong


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", [r for r in MATRIX.roles if r != "public"])
def test_rows_that_are_only_read_stay_as_they_are(api, client_of, owner,
                                                  scopes, role):
    """In the scope of R, outside that of W and T: no write succeeds."""
    client, wrong = client_of(role), []
    before = contents(owner)
    for method, template, operation in operations(api):
        table = table_of(template)
        if method == "get" or "{" not in template or table is None \
                or not MATRIX.allows(role, operation):
            continue
        only_read = sorted(scopes(role).ids(table)
                           - scopes(role).ids(table, "WT"))
        for id in only_read[:1] + only_read[1:][-1:]:
            options = body_of(api, operation, example=True)
            if method in ("patch", "delete"):
                version = fetch(owner, f"select version from {table}"
                                f" where id = %s", id)[0][0]
                options["headers"] = {**options.get("headers", {}),
                                      "If-Match": f'"{version}"'}
            answer = client.request(method.upper(), fill(template, id),
                                    **options)
            if answer.status_code not in (403, 404, 409, 422):
                wrong.append((method, template, id, answer.status_code,
                              answer.text[:200]))
    assert not wrong, wrong
    assert contents(owner) == before


@pytest.mark.clause("4.3")
def test_changes_inside_the_scope_succeed(api, client_of, scopes):
    """A row of the scope of W is told what it says already.

    Each role is let through to the row, and for each operation there is a
    role whose change is made; what the row's rules refuse is 409 or 422.
    """
    wrong, done, every = [], set(), set()
    for method, template, operation in operations(api):
        table = table_of(template)
        if method != "patch" or table is None:
            continue
        every.add(operation["operationId"])
        schema = api.contract.resolve(operation["requestBody"]["content"][
            "application/merge-patch+json"]["schema"])
        for role in MATRIX.roles:
            if role == "public" or not MATRIX.allows(role, operation):
                continue
            inside = sorted(scopes(role).ids(table, "W")
                            & scopes(role).ids(table))
            for id in inside[:1] + inside[1:][-1:]:
                status = change_nothing(client_of(role),
                                        fill(template, id), schema)
                if status == 200:
                    done.add(operation["operationId"])
                elif status not in (409, 422):
                    wrong.append((role, template, id, status))
    assert not wrong, wrong
    assert every - done <= DRAFTS, every - done


def change_nothing(client, path, schema):
    """PATCH of members with their own values, until one is taken."""
    row = client.get(path, status=200).json()
    status = None
    for name in schema["properties"]:
        if row.get(name) is not None:
            answer = client.patch(path, json={name: row[name]}, if_match=row)
            status = answer.status_code
            if status == 200:
                break
    return status


@pytest.mark.clause("4.1")
def test_acting_in_one_role_shows_its_scope(api, owner):
    """zone_lead is an inspector as well: together, or as one of both."""
    client = api.login("zone_lead")
    reach = {}
    for role in ("zone_lead", "inspector_ft"):
        reach[role] = Scopes(owner, MATRIX, role, "zone_lead").ids("schools")
        rows = client.get("/v1/schools", status=200, validate=False, params={
            "limit": 200, "fields": "id"}, headers={"X-Acting-Role": role})
        assert {r["id"] for r in rows.json()["data"]} == reach[role]
    assert reach["inspector_ft"] != reach["zone_lead"]
    ids, is_all = listed_ids(client, "/v1/schools")
    assert is_all and ids == set().union(*reach.values())
    client.get("/v1/schools", status=403,
               headers={"X-Acting-Role": "office_staff"})


# --- the same in the database -------------------------------------------------


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", MATRIX.roles)
def test_selects_show_the_scope(as_login, owner, scopes, role):
    connection = as_login(login_of(role))
    wrong = []
    for table in MATRIX.tables:
        ids = {row for row, in fetch(
            connection, f"select id::text from dudao.{table}")}
        inside = scopes(role).ids(table)
        if ids != inside:
            wrong.append((table, "outside", len(ids - inside),
                          "missing", len(inside - ids)))
    assert not wrong, wrong


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", MATRIX.roles)
def test_writes_outside_the_scope_are_refused(as_login, owner, scopes, role):
    """Without the service: an update reaches no row, an insert is refused."""
    connection = as_login(login_of(role))
    wrong = []
    for table in MATRIX.tables:
        outside = sorted(scopes(role).all_ids(table)
                         - scopes(role).ids(table, "WT"))
        if not outside:
            continue
        for statement, values in (
                (f"update dudao.{table} set id = id"
                 " where id = any (%s::uuid[])", (outside,)),
                (f"delete from dudao.{table} where id = any (%s::uuid[])",
                 (outside,))):
            result = attempt(connection, statement, values)
            if result not in (0, "42501"):
                wrong.append((table, statement.split()[0], result))
        # each insert is within the scope of who may write the own
        if table in OF_WHO_WRITES and MATRIX.scopes(
                MATRIX.tables[table], role, "W"):
            continue
        result = attempt(connection, *copy_of(owner, table, outside[0]))
        if result != "42501" and not str(result).startswith("DD"):
            wrong.append((table, "insert", result))
    assert not wrong, wrong


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("role", [r for r in MATRIX.roles if r != "public"])
def test_writes_inside_the_scope_reach_the_row(as_login, scopes, role):
    """What a rule of the table refuses then is another matter."""
    connection = as_login(login_of(role))
    wrong = []
    for table in MATRIX.tables:
        # an update sees only what a select shows
        inside = sorted(scopes(role).ids(table, "WT")
                        & scopes(role).ids(table))
        for id in inside[:1] + inside[1:][-1:]:
            result = attempt(connection, f"update dudao.{table} set id = id"
                                         " where id = %s", (id,))
            if result != 1 and not str(result).startswith("DD"):
                wrong.append((table, id, result))
    assert not wrong, wrong


@pytest.mark.clause("4.2", "L-TL-10")
def test_a_granted_recusal_takes_the_unit_away(server):
    """Neither the plaque nor the team shows the unit any more."""
    role = "inspector_ft"

    def shown(table):
        cursor.execute("select app.act_as(%s, true)", (role,))
        cursor.execute("set local role dudao_api")
        cursor.execute(f"select id::text from dudao.{table}")
        ids = {row for row, in cursor.fetchall()}
        cursor.execute("set local role dudao_owner")
        return ids

    # all in one transaction, so that nothing of it stays
    connection = server.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            cursor.execute("set local role dudao_owner;"
                           " set local search_path = dudao, app, ext")
            before = Scopes(connection, MATRIX, role, role)
            cursor.execute("""
                insert into recusals(inspector_id, organization_id, reason)
                select %s, organization_id, 'near_relative'
                from supervision_targets
                where organization_id = any (%s::uuid[])
                    and organization_id in (
                        select s.organization_id from schools s)
                limit 1
                returning id""", (before.facts["inspector"][0],
                                  before.facts["assigned"]))
            recusal = cursor.fetchone()[0]
            cursor.execute("select app.act_as('chief_inspector', true)")
            # whom the inspector led, somebody of the zone leads from now on
            cursor.execute("""
                select * from app.act('recusals', %s, 'grant', null,
                    jsonb_build_object('replaced_by_inspector_id', (
                        select i.id from inspectors i
                        join persons p on p.id = i.person_id
                        where p.name = '演示督学03')))""", (recusal,))
            after = Scopes(connection, MATRIX, role, role)
            for table in ("schools", "persons", "supervision_targets"):
                assert after.ids(table) < before.ids(table), table
                assert shown(table) == after.ids(table), table
        finally:
            cursor.execute("rollback")
            connection.close()


def attempt(connection, statement, values):
    """Rows that a statement changed, or its SQLSTATE; then rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            cursor.execute(statement, values)
            return cursor.rowcount
        except psycopg2.Error as error:
            return error.pgcode
        finally:
            cursor.execute("rollback")


def copy_of(owner, table, id):
    """An insert of the same row under a new id, in its initial state."""
    names = [name for name, in fetch(owner, """
        select quote_ident(attname) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
            and attgenerated = '' and attidentity = ''
            and attname <> all ('{id,state,version,created_at,updated_at}')
            and attname !~ '^voided_|^void_|_hash$|^hash$|^prev_hash$'
        order by attnum""", "dudao." + table)]
    row = fetch(owner, f"select to_jsonb(t)::text from dudao.{table} t"
                       " where id = %s", id)[0][0]
    columns = ", ".join(names)
    return (f"insert into dudao.{table}({columns}) select {columns}"
            f" from jsonb_populate_record(null::dudao.{table}, %s::jsonb)",
            (row,))
