"""Which worker answers: for tests that have to reach every one."""

import json
import time
import uuid

from support.service import wait_for


def answering_pid(client):
    """The worker at the other end of this client's connection."""
    mark = f"worker-{uuid.uuid4().hex}"
    with open(client.service.log_path, encoding="utf-8",
              errors="replace") as log:
        log.seek(0, 2)
        client.get("/livez", status=200, headers={"X-Request-Id": mark})

        def line():
            return next((one for one in log if mark in one), None)

        return json.loads(wait_for(line, what="line of the log"))["pid"]


def one_each(client, seconds=20):
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
