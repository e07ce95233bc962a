"""Requests that are held in the middle: without a sleep, and for certain."""

import contextlib
import threading

import psycopg2

from support.service import wait_for


@contextlib.contextmanager
def row_locked(service, row, table="zones"):
    """Whoever changes the row waits until the block ends.

    Gives a function that returns when somebody waits.
    """
    connection = service.connect()
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"select from dudao.{table} where id = %s for update",
                (row["id"],))
        yield lambda: wait_for(lambda: waiting(connection),
                               what="a statement that waits")
    finally:
        with contextlib.suppress(psycopg2.OperationalError):
            connection.rollback()   # the cluster may have been stopped
        connection.close()


def waiting(connection):
    """How many wait for this connection's locks."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity"
                       " where pg_backend_pid() = any (pg_blocking_pids(pid))")
        return cursor.fetchone()[0]


def in_thread(call, *arguments, **options):
    """Calls beside the test; the function given back waits for the value."""
    box = {}

    def run():
        try:
            box["value"] = call(*arguments, **options)
        except BaseException as error:
            box["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result(seconds=30):
        thread.join(seconds)
        assert not thread.is_alive(), "still running"
        if "error" in box:
            raise box["error"]
        return box["value"]

    return result
