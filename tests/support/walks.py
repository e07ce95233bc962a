"""Walks: every legal step of a state machine, from its own definition.

What the steps are stands in the database; how a record is made and what a
step needs stands in a recipe, one file a machine in tests/walks:

    class RuleParameterChanges(Recipe):
        resource = "rule_parameter_changes"

        def make(self, state):
            return self.api.login("sys_admin").create(
                "rule-parameter-changes", {...})

        def body(self, action, row, from_state):
            return {"reason": "…"} if action == "reject" else {}

tests/api/test_walks.py then leads one new record along the shortest way to
each step and makes the step: over HTTP, and again in SQL as the API's role.
"""

import importlib
import json
import pathlib

from support.client import unique

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "walks"


class Recipe:
    """One machine. Override make(), and what else its guards ask for."""

    resource = ""       # the table
    initial = None      # states that make() can make; None: all initial ones
    avoid = ()          # (action, from_state) that is no way to other steps
    onward = {}         # (action, from_state) -> state, where effects lead on

    def __init__(self, api, db, superuser):
        self.api = api              # anonymous: api.login(login)
        self.db = db                # the owner of all tables
        self.superuser = superuser

    # --- the machine's own ----------------------------------------------------

    def make(self, state):
        """A new record in the initial state, as the API answers it."""
        raise NotImplementedError

    def ready(self, action, row, from_state):
        """What must have happened before the step: others' parts, time."""

    def body(self, action, row, from_state):
        """The step's JSON. row is the table's row, a dict, before the step."""
        return {}

    def actor(self, action, row, roles):
        """Login of who makes the step: the demo account of one of the roles."""
        return roles[0]

    def system(self, action, row, body):
        """A step that only the system makes."""
        self.sql("select app.system_step(%s, %s, %s, %s)", self.resource,
                 row["id"], action, json.dumps(body))

    # --- at hand ---------------------------------------------------------------

    def sql(self, statement, *values):
        with self.db.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else None

    def value(self, statement, *values):
        return self.sql(statement, *values)[0][0]

    def row(self, id, table=None):
        return self.value(f"select to_jsonb(t) from dudao."
                          f"{table or self.resource} t where id = %s", id)

    def alter(self, id, table=None, **columns):
        """Time passes: columns set beyond all rules, without triggers."""
        with self.superuser.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(
                f"update dudao.{table or self.resource} set "
                + ", ".join(f"{name} = %s" for name in columns)
                + " where id = %s", (*columns.values(), id))
            cursor.execute("set session_replication_role = origin")

    def published(self, kind, subject_id):
        """A publication of the record with its place, beyond the steps of its
        own."""
        id = self.value(
            "insert into dudao.publications(code, kind, subject_type,"
            "     subject_id, publisher_org_id, title, body)"
            " select %s, %s, %s, %s, o.id, '公开', '公开'"
            " from dudao.organizations o where o.kind = 'supervision_office'"
            " returning id", unique("GK"), kind, self.resource, subject_id)
        self.alter(id, table="publications", state="approved")
        self.sql("insert into dudao.publication_placements(publication_id,"
                 " channel_id, url, placed_at) select %s, c.id,"
                 " 'https://portal.example', now()"
                 " from dudao.publication_channels c where c.active limit 1",
                 id)
        self.alter(id, table="publications", state="published",
                   published_at=self.value("select now()"))


def recipes():
    """resource -> class"""
    found = {}
    for file in sorted(FOLDER.glob("*.py")):
        if file.stem == "__init__":
            continue
        module = importlib.import_module(f"walks.{file.stem}")
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Recipe) \
                    and thing.resource:
                found[thing.resource] = thing
    return found


class Machine:
    """States and steps as the database has them."""

    def __init__(self, recipe):
        self.recipe = recipe
        self.initial = recipe.initial or [state for state, in recipe.sql(
            "select state from app.workflow_states where resource = %s"
            " and is_initial order by sort", recipe.resource)]
        self.steps = {(action, from_state): (to_state, roles)
                      for action, from_state, to_state, roles in recipe.sql(
                          "select action, from_state, to_state, roles"
                          " from app.workflow_actions where resource = %s"
                          " order by sort, action, from_state",
                          recipe.resource)}
        self.ways = self._ways()

    def _ways(self):
        """state -> (initial state, [(action, from_state), …])"""
        ways = {state: (state, []) for state in self.initial}
        queue = list(self.initial)
        while queue:
            state = queue.pop(0)
            start, way = ways[state]
            for (action, from_state), (to_state, _) in self.steps.items():
                if from_state == state and to_state not in ways \
                        and (action, from_state) not in self.recipe.avoid:
                    ways[to_state] = (start, way + [(action, from_state)])
                    queue.append(to_state)
        return ways


def walk(machine, step, make_step):
    """A new record led to the step's state and through the step.

    make_step(recipe, action, row, roles, body) does it; returns the history.
    """
    recipe = machine.recipe
    start, way = machine.ways[step[1]]
    made = recipe.make(start)
    id = made["id"]
    assert recipe.row(id)["state"] == start, (recipe.resource, start)
    for action, from_state in way + [step]:
        to_state, roles = machine.steps[action, from_state]
        recipe.ready(action, recipe.row(id), from_state)
        row = recipe.row(id)
        assert row["state"] == from_state, (
            f"{recipe.resource} on the way to {step}: ready({action!r}) "
            f"left {row['state']}")
        body = recipe.body(action, row, from_state)
        if list(roles) == ["system"]:
            recipe.system(action, row, body)
        else:
            make_step(recipe, action, row,
                      [role for role in roles if role != "system"], body)
        row = recipe.row(id)
        expected = recipe.onward.get((action, from_state), to_state)
        assert row["state"] == expected, (
            f"{action} from {from_state} led to {row['state']}")
    return recipe.sql(
        "select action, from_state, to_state from dudao.transitions"
        " where subject_type = %s and subject_id = %s", recipe.resource, id)
