"""Small servers as other stacks' users write them, in front of the same rows.

Each verifies the same ES256 tokens and, as dudao does, keeps a verified token
with its principal until it expires (the peers do not learn of revocations).
Each sets the principal of row security in the transaction of the statement.
They leave JSON as PostgreSQL made it, which is their best case.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import requests

from measure import Server
from support.service import environment, free_port

HERE = pathlib.Path(__file__).resolve().parent / "peers"
BUILD = HERE.parents[2] / "build/bench"
WORKS = ("point", "304", "list", "create")      # what they serve
START_SECONDS = 30


def _quietly(command, **options):
    """Raises with the end of what the command said."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout.strip()[-300:]}")


def _fastify(driver):
    place = HERE / "fastify"
    installed = place / "node_modules/.package-lock.json"
    lock = place / "package-lock.json"
    if not installed.exists() \
            or installed.stat().st_mtime < lock.stat().st_mtime:
        _quietly(["npm", "ci", "--silent", "--no-progress"], cwd=place)
    return ["node", place / "server.js", driver]


def _fastapi():
    return ["/usr/bin/python3", "-m", "uvicorn", "--app-dir", HERE / "fastapi",
            "--workers", "2", "--port", "{port}", "server:app"]


def _go():
    BUILD.mkdir(parents=True, exist_ok=True)
    _quietly(["go", "build", "-o", BUILD / "go-peer", "."], cwd=HERE / "go",
             env={**os.environ, "GO111MODULE": "off", "GOPROXY": "off",
                  "GOPATH": "/usr/share/gocode",
                  "GOCACHE": str(BUILD / "go-cache")})
    return [BUILD / "go-peer"]


ALL = {"Fastify, node-postgres": lambda: _fastify("pg"),
       "Fastify, postgres.js": lambda: _fastify("postgres"),
       "FastAPI, asyncpg": _fastapi,
       "Go net/http, pgx": _go}


class Peers:
    """Those that can be had; the others are named with the reason."""

    def __init__(self, service, database, scratch):
        self.processes, self.servers = [], []
        self.database, self.scratch = database, scratch
        key = scratch / "public.pem"
        subprocess.run(["openssl", "pkey", "-in", _signing_key(service),
                        "-pubout", "-out", key], check=True)
        self.settings = {
            "PUBLIC_KEY": key, "STATEMENTS": HERE / "statements.json",
            "ISSUER": "https://dudao.example", "PGUSER": "dudao_api",
            "PGHOST": (service.state / "socket.path").read_text().strip(),
            "PGDATABASE": "dudao", "GOMAXPROCS": 2}

    def start(self):
        for name, prepare in ALL.items():
            try:
                self._start(name, prepare())
            except (RuntimeError, OSError) as error:
                print(f"  left out: {name}: {error}", flush=True)
        return self

    def _start(self, name, command):
        port = free_port()
        log = self.scratch / f"peer{len(self.processes)}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [str(word).format(port=port) for word in command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=environment({**self.settings, "PORT": port}),
                start_new_session=True)
        self.processes.append(process)
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("did not start: "
                                   + log.read_text().strip()[-300:])
            time.sleep(0.1)
        self.servers.append(Server(
            name, url=url, pid=process.pid, database=self.database))

    def of(self, work, dudao):
        """Those that serve it; a wrong answer ends the benchmark."""
        if work.name not in WORKS:
            return []
        expected = _essence(work, work.send(dudao.url))
        for server in self.servers:
            found = _essence(work, work.send(server.url))
            if found != expected:
                sys.exit(f"bench: {work.name}: {server.name} answers\n{found}"
                         f"\nand dudao\n{expected}")
        return self.servers

    def close(self):
        for sig in signal.SIGTERM, signal.SIGKILL:
            for process in self.processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sig)
            for process in self.processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)


def _answers(url):
    with contextlib.suppress(requests.RequestException):
        return requests.get(url + "/v1/schools", timeout=5) is not None
    return False


def _essence(work, answer):
    """What has to be the same: not the opaque cursor, nor what is new."""
    if answer.status_code == 304:
        return 304, answer.headers["ETag"], answer.content
    body = answer.json()
    if "page" in body:
        body["page"]["next_cursor"] = body["page"]["next_cursor"] is not None
    for member in work.differs:
        body.pop(member, None)
    return answer.status_code, body


def _signing_key(service):
    """The newest; the service verifies with the others, too."""
    return max((service.state / "keys").glob("*.pem"),
               key=lambda path: path.stat().st_mtime_ns)
