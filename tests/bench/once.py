"""What is measured once: the cold start, and memory for idle connections."""

import os
import pathlib
import socket
import statistics
import time

import requests

import meter
from support.service import Service

IDLE = 10_000


def _age_ms(pid):
    """Since the process was made; /proc counts in hundredths."""
    started = int(pathlib.Path(f"/proc/{pid}/stat").read_text()
                  .rpartition(")")[2].split()[19])
    return (time.clock_gettime(time.CLOCK_BOOTTIME)
            - started / os.sysconf("SC_CLK_TCK")) * 1000


class Beside(Service):
    """A Kore of its own on the database of a service that runs."""

    def __init__(self, workspace, service, **settings):
        super().__init__(
            workspace.empty(), DUDAO_ENV="demo", DUDAO_VALIDATE_RESPONSES=None,
            DUDAO_DATABASE_URL=service.database_url("dudao_api"), **settings)


def cold_start(workspace, service, database, rounds):
    """From Kore's first instant to 200 of /readyz, on a migrated database
    that has nothing else to do: a stopped Kore's backends end after it."""
    ages, processes = [], len(meter.tree(database.pid))
    for _ in range(rounds):
        while len(meter.tree(database.pid)) > processes:
            time.sleep(0.002)
        kore = Beside(workspace, service)
        try:
            kore.start(ready=False)
            while requests.get(kore.url + "/readyz").status_code != 200:
                time.sleep(0.002)
            ages.append(_age_ms(kore.kore_pid()))
        finally:
            kore.stop()
    return {"work": "start", "title": "cold start to /readyz",
            "system": "dudao", "start_ms": round(statistics.median(ages))}


def idle_connections(workspace, service):
    """Memory of all of Kore with 10,000 connections that were used once."""
    kore = Beside(workspace, service, DUDAO_WORKER_CONNECTIONS=IDLE,
                  DUDAO_KEEPALIVE_S=600)
    connections = []
    try:
        kore.start()
        pids = meter.tree(kore.kore_pid())
        before = meter.proportional_mb(pids)
        for _ in range(IDLE):
            connection = socket.create_connection(("127.0.0.1", kore.port))
            connections.append(connection)
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: idle\r\n\r\n")
            if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                raise SystemExit("bench: an idle connection was refused")
        after = meter.proportional_mb(pids)
    finally:
        for connection in connections:
            connection.close()
        kore.stop()
    return {"work": "idle", "title": f"{IDLE} idle connections",
            "system": "dudao", "idle_mb": round(after - before, 1),
            "memory_mb": round(after, 1)}
