"""Every legal step of every machine is made: over HTTP, and in SQL.

The illegal ones are in test_workflows.py. See support/walks.py.
"""

import json

import pytest

from support.walks import Machine, recipes, walk

RECIPES = recipes()

# Machines whose steps are made one by one in the tests of their resources.
WALKED_ELSEWHERE = {
    "attachments", "problems", "publications", "rectification_plans",
    "supervision_targets", "supervision_tasks", "visits",
}


@pytest.fixture
def superuser(server):
    connection = server.connect("postgres")
    yield connection
    connection.close()


@pytest.fixture
def machine(request, api, db, superuser):
    return Machine(RECIPES[request.param](api, db, superuser))


each_machine = pytest.mark.parametrize("machine", sorted(RECIPES),
                                       indirect=True)


def over_http(recipe, action, row, roles, body):
    client = recipe.api.login(recipe.actor(action, row, roles))
    path = f"/v1/{recipe.resource.replace('_', '-')}/{row['id']}"
    seen = client.get(path)
    if seen.status_code == 200:
        assert action in seen.json()["allowed_actions"], (
            f"{action} by {client.name}: {seen.json()['allowed_actions']}")
    client.post(f"{path}/{action.replace('_', '-')}", json=body,
                status=(200, 201))


def make_all(machine, make_step):
    wrong = []
    for step, (to_state, _) in machine.steps.items():
        if step[1] not in machine.ways:
            wrong.append((step, "no way there"))
            continue
        try:
            history = walk(machine, step, make_step)
            assert (*step, to_state) in history, history
        except Exception as error:      # the next steps are told as well
            wrong.append((step, f"{type(error).__name__}: {error}"[:600]))
    assert machine.steps and not wrong, "\n".join(
        f"{machine.recipe.resource} {step}: {why}" for step, why in wrong)


@pytest.mark.clause("3.0")
@each_machine
def test_legal_steps_over_http(machine):
    make_all(machine, over_http)


@pytest.mark.clause("3.0")
@each_machine
def test_legal_steps_in_sql(machine, as_login):
    def in_sql(recipe, action, row, roles, body):
        connection = as_login(recipe.actor(action, row, roles))
        with connection.cursor() as cursor:
            cursor.execute("select status from app.act(%s, %s, %s, null, %s)",
                           (recipe.resource, row["id"], action,
                            json.dumps(body)))
            assert cursor.fetchone(), f"{action}: the row is hidden"
        connection.close()

    make_all(machine, in_sql)


@pytest.mark.clause("3.0")
def test_every_machine_is_walked(db):
    with db.cursor() as cursor:
        cursor.execute("select distinct resource from app.workflow_states")
        machines = {resource for resource, in cursor.fetchall()}
    assert machines - WALKED_ELSEWHERE == set(RECIPES)
