"""SQL in tests, and what the database and the service refuse."""

import json

import psycopg2
import pytest


def rows(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def value(connection, statement, *values):
    return rows(connection, statement, *values)[0][0]


def refusal(connection, statement, *values):
    """What the database refuses: status and detail, or the constraint."""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as raised:
            cursor.execute(statement, values)
    error = raised.value
    assert (error.pgcode or "").startswith("DD"), str(error)
    return int(error.pgcode[2:]), json.loads(error.diag.message_detail)


def faults(problem):
    return {(e.get("pointer"), e["code"]) for e in problem.get("errors", [])}


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


def rules(problem):
    return {(e.get("rule_id"), e.get("clause_id"))
            for e in problem.get("errors", [])}
