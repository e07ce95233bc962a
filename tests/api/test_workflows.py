"""Every state machine, from its own definition: what is no step is refused.

For each pair of state and action that the machine does not have, and each
pair of states that no action joins, in the database and over HTTP.
"""

import json

import psycopg2
import pytest

VISIBLE_TO_ALL = "office_staff"


def fetch(db, statement, *values):
    with db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def refused(connection, statement, *values):
    """The refusal's SQLSTATE and code; None when the statement passes."""
    with connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            cursor.execute(statement, values)
            return None
        except psycopg2.Error as error:
            detail = error.diag.message_detail
            return error.pgcode, json.loads(detail)["code"] if (
                detail or "").startswith("{") else str(error)
        finally:
            cursor.execute("rollback")


def machines(db):
    """resource -> (states, {(action, from): (to, roles)})"""
    result = {}
    for resource, state in fetch(
            db, "select resource, state from app.workflow_states"
            " order by resource, sort"):
        result.setdefault(resource, ([], {}))[0].append(state)
    for resource, action, from_state, to_state, roles in fetch(
            db, "select resource, action, from_state, to_state, roles"
            " from app.workflow_actions"):
        result[resource][1][action, from_state] = (to_state, roles)
    return result


@pytest.mark.clause("3.0")
def test_machines_are_whole(db):
    for resource, (states, steps) in machines(db).items():
        initial = {s for s, in fetch(
            db, "select state from app.workflow_states"
            " where resource = %s and is_initial", resource)}
        final = {s for s, in fetch(
            db, "select state from app.workflow_states"
            " where resource = %s and is_final", resource)}
        assert initial, resource
        reached, ends = set(initial), {f for (_, f) in steps}
        while True:
            more = {to for (_, f), (to, _) in steps.items()
                    if f in reached} - reached
            if not more:
                break
            reached |= more
        assert reached == set(states), (resource, set(states) - reached)
        assert not final & ends, (resource, final & ends)


@pytest.mark.clause("3.0")
def test_illegal_steps_are_refused_by_definition(db):
    """All pairs, also of states in which there is no row."""
    wrong = []
    for resource, (states, steps) in machines(db).items():
        actions = {action for action, _ in steps}
        joined = {(f, to) for (_, f), (to, _) in steps.items()}
        for state in states:
            for action in sorted(actions):
                if (action, state) in steps:
                    continue
                result = refused(
                    db, "select app.step_by_action(%s, %s, %s, false, false)",
                    resource, action, state)
                if result != ("DD409", "illegal-transition"):
                    wrong.append((resource, state, action, result))
            for other in states:
                if other == state or (state, other) in joined:
                    continue
                result = refused(
                    db, "select app.step_of(%s, app.uuid_v7(), %s, %s,"
                    " false)", resource, state, other)
                if result != ("DD409", "illegal-transition"):
                    wrong.append((resource, state, other, result))
    assert not wrong, wrong


def rows(db, resource):
    """One row of each state that occurs."""
    return fetch(db, f"select distinct on (state) state, id"
                     f" from dudao.{resource} order by state, id")


@pytest.mark.clause("3.0")
def test_illegal_steps_are_refused_on_rows(db):
    """Real rows, as the owner of all tables: state set by hand, and act()."""
    wrong, tried = [], 0
    for resource, (states, steps) in machines(db).items():
        actions = {action for action, _ in steps}
        joined = {(f, to) for (_, f), (to, _) in steps.items()}
        for state, id in rows(db, resource):
            for other in states:
                if other == state or (state, other) in joined:
                    continue
                tried += 1
                result = refused(
                    db, f"update dudao.{resource} set state = %s"
                    " where id = %s", other, id)
                if result is None or result[0] != "DD409":
                    wrong.append((resource, state, other, result))
            for action in sorted(actions):
                if (action, state) in steps:
                    continue
                tried += 1
                result = refused(db, "select * from app.act(%s, %s, %s)",
                                 resource, id, action)
                if result is None or result[0] != "DD409":
                    wrong.append((resource, state, action, result))
    assert tried and not wrong, wrong


@pytest.mark.clause("3.0")
def test_steps_need_a_role(db):
    """Nobody in particular makes no step, whatever the state."""
    wrong = []
    for resource, (_, steps) in machines(db).items():
        for state, id in rows(db, resource):
            for (action, from_state), _ in steps.items():
                if from_state != state:
                    continue
                result = refused(db, "select * from app.act(%s, %s, %s)",
                                 resource, id, action)
                if result is None or result[0] not in ("DD403", "DD422",
                                                       "DD409"):
                    wrong.append((resource, state, action, result))
    assert not wrong, wrong


def operations(api):
    """(resource, action) -> (path, example of the body)"""
    found = {}
    for method, path, operation in api.contract.operations():
        parts = path.strip("/").split("/")
        if method.lower() != "post" or len(parts) != 4 \
                or not parts[2].startswith("{"):
            continue
        content = operation.get("requestBody", {}).get("content", {})
        example = next((c.get("example", {}) for c in content.values()), None)
        found[parts[1].replace("-", "_"), parts[3].replace("-", "_")] = (
            path.replace(parts[2], "{}"), example)
    return found


@pytest.fixture
def put_in_state(server):
    """put_in_state(resource, id, state): by no rule; undone at the end."""
    connection = server.connect("postgres")
    original = {}

    def put(resource, id, state):
        with connection.cursor() as cursor:
            # neither triggers nor foreign keys
            cursor.execute("set session_replication_role = replica")
            cursor.execute(f"select state from dudao.{resource}"
                           " where id = %s", (id,))
            original.setdefault((resource, id), cursor.fetchone()[0])
            cursor.execute(f"update dudao.{resource} set state = %s"
                           " where id = %s", (state, id))

    yield put
    for (resource, id), state in original.items():
        put(resource, id, state)
    connection.close()


def sample(db, resource, state=None):
    """A row that the demo's school or inspector sees as well, if any does."""
    found = fetch(db, f"""
        select t.id from dudao.{resource} t
        cross join lateral (select to_jsonb(t) as data) as j
        where data ->> 'voided_at' is null
            and coalesce(state = %s, true)
        order by coalesce(coalesce(data ->> 'recipient_organization_id',
                data ->> 'organization_id') = (
                select o.id::text from dudao.organizations o
                where o.name = '安定镇示例中心小学'), false) desc,
            coalesce(data ->> 'inspector_id' = (
                select i.id::text from dudao.inspectors i
                join dudao.users u using (person_id)
                where u.login = 'inspector_ft'), false) desc, t.id
        limit 1""", state)
    return found[0][0] if found else None


@pytest.fixture
def proposal(api):
    """A change of a parameter: the demo has none."""
    row = api.login("sys_admin").one("rule-parameters",
                                     key="training_hours_year")
    return api.login("sys_admin").create("rule-parameter-changes", {
        "rule_parameter_id": row["id"], "value": row["value"] + 1,
        "reason": "结合本县实际调整"})


@pytest.mark.slow
@pytest.mark.clause("3.0")
def test_illegal_steps_are_refused_over_http(api, db, put_in_state, proposal):
    """Every action from every state that has no such step.

    Tried by each role that may do the action elsewhere, until one sees the
    row: 409 with the state and what is allowed in it, and nothing changes.
    """
    logins = {login for login, in fetch(
        db, "select login from dudao.users where password_hash is not null")}
    known = operations(api)
    wrong, tried, hidden = [], set(), set()
    for resource, (states, steps) in machines(db).items():
        actions = {}
        for (action, _), (_, roles) in steps.items():
            actions.setdefault(action, set()).update(roles)
        actions = {a: sorted(r & logins) for a, r in actions.items()
                   if (resource, a) in known}
        if not actions:
            continue
        id = sample(db, resource)
        assert id, f"no row of {resource}"
        for state in states:
            try:
                put_in_state(resource, id, state)
            except psycopg2.errors.CheckViolation:
                # the state asks for columns that the row has not
                id = sample(db, resource, state)
                assert id, f"no row of {resource} in {state}"
            row = fetch(db, f"select to_jsonb(t) from dudao.{resource} t"
                            " where id = %s", id)
            for action, roles in sorted(actions.items()):
                if (action, state) in steps:
                    continue
                path, example = known[resource, action]
                options = {} if example is None else {"json": example}
                for login in roles:
                    answer = api.login(login).post(path.format(id), **options)
                    if answer.status_code != 404 and answer.json()[
                            "code"] != "insufficient-scope":
                        break
                else:
                    hidden.add((resource, state, action))
                    continue
                tried.add((resource, state, action))
                problem = answer.json()
                if answer.status_code != 409 \
                        or problem["code"] != "illegal-transition" \
                        or problem["state"] != state \
                        or action in problem["allowed_actions"]:
                    wrong.append((resource, state, action, login,
                                  answer.status_code, answer.text[:300]))
            assert fetch(db, f"select to_jsonb(t) from dudao.{resource} t"
                             " where id = %s", id) == row
    assert not wrong, f"{len(wrong)} of {len(tried)}: {wrong}"
    # a unit does not see the drafts about it
    assert len(hidden) < len(tried) / 10, hidden
