"""Which worker answers: for tests that have to reach every one."""

import time
import uuid

from support.service import wait_for


def answering_pid(client, **options):
    """The worker at the other end of this client's connection."""
    mark = f"worker-{uuid.uuid4().hex}"
    client.get("/livez", status=200, headers={"X-Request-Id": mark},
               **options)
    return wait_for(lambda: next(
        (event["pid"] for event in client.service.events("request")
         if event["request_id"] == mark), None), what="line of the log")


def one_each(client, seconds=10):
    """{pid: client}: a connection of its own to every worker.

    A keep-alive connection stays with its worker, so that each of these
    clients speaks to one worker as long as it lives.
    """
    pids = set(client.service.worker_pids())
    found, spare = {}, []
    end = time.monotonic() + seconds
    while set(found) != pids:
        assert time.monotonic() < end, f"reached {set(found)} of {pids}"
        other = client.with_token(client.token, client.name)
        pid = answering_pid(other)
        assert pid in pids
        if pid in found:
            spare.append(other)     # kept open: the next goes elsewhere
        else:
            found[pid] = other
    for other in spare:
        other.http.close()
    return found
