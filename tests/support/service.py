"""The service under test: real Kore and real PostgreSQL, by conf/run.

A prepared state directory (cluster, migrations, demo county) is made once a
session with conf/migrate and copied for each service, so that a test which
needs a service of its own gets it within a second or two.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg2
import requests

HOME = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 120
STOP_SECONDS = 90

# What Kore's parent says when a worker has ended without being asked to.
CRASH = re.compile(
    r"died from sandbox violation|exited with status [1-9-]|"
    r"restarting worker|\(hdlr: .*\) gone|AddressSanitizer|runtime error")


class ServiceError(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds=10, what="condition"):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def is_alive(pid):
    """False for a process that waits for its parent to look at its end."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def environment(settings):
    """The caller's environment without its own settings of the service."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("DUDAO_")}
    env.update({k: str(v) for k, v in settings.items() if v is not None})
    return env


class Workspace:
    """A directory that the service's user can reach, with state directories."""

    def __init__(self, fsync=True):
        self.fsync = fsync
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="dudao-"))
        self.path.chmod(0o755)
        self._template = None
        self._count = 0

    def template(self):
        """State with a migrated database and the demo county; not running."""
        if self._template is None:
            state = self.path / "template"
            done = subprocess.run(
                [HOME / "conf/migrate", "--demo"], text=True,
                env=environment({"DUDAO_STATE": state}),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                raise ServiceError(done.stdout)
            if not self.fsync:
                # Processes die in tests, the machine does not.
                (state / "pg/postgresql.auto.conf").write_text("fsync = off\n")
                self._drop_spare_log(state / "pg")
            self._template = state
        return self._template

    @staticmethod
    def _drop_spare_log(pg):
        """The segments for later use: tests copy them and never need them."""
        control = subprocess.run(
            ["/usr/lib/postgresql/15/bin/pg_controldata", pg], check=True,
            text=True, stdout=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"}).stdout
        last = re.search(r"REDO WAL file:\s+(\w+)", control)[1]
        for segment in (pg / "pg_wal").glob("0*"):
            if segment.name > last:
                segment.unlink()

    def state(self, name="state"):
        """A new copy of the template."""
        self._count += 1
        state = self.path / f"{name}{self._count}"
        subprocess.run(["cp", "-a", self.template(), state], check=True)
        (state / "socket.path").unlink()
        return state

    def empty(self, name="empty"):
        """Path of a state directory that is still to be made."""
        self._count += 1
        return self.path / f"{name}{self._count}"

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Service:
    """One conf/run and what it starts."""

    home = HOME     # the tree that runs; a test may have a copy of its own

    def __init__(self, state, **settings):
        self.state = pathlib.Path(state)
        self.port = int(settings.pop("DUDAO_PORT", 0)) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "DUDAO_STATE": self.state,
            "DUDAO_PORT": self.port,
            "DUDAO_ENV": "test",
            "DUDAO_VALIDATE_RESPONSES": 1,
            "DUDAO_RATE_LIMIT": 0,
            "DUDAO_PUBLIC_RATE_LIMIT": 0,
            **settings,
        }
        self.log_path = self.state.with_name(self.state.name + ".log")
        self.process = None
        self.may_crash = False
        self.tokens = {}
        self._document = None

    # --- life ---------------------------------------------------------------

    def start(self, ready=True):
        """Starts; with ready, returns when /readyz answers 200."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.home / "conf/run"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=environment(self.settings),
                start_new_session=True)
        try:
            wait_for(lambda: self._answers("/readyz" if ready else "/livez"),
                     START_SECONDS, "service ready")
        except AssertionError as error:
            raise ServiceError(f"{error}\n{self.log_tail()}") from None
        return self

    def _answers(self, path):
        if self.process.poll() is not None:
            raise ServiceError(
                f"conf/run ended with {self.process.returncode}:\n"
                + self.log_tail())
        with contextlib.suppress(requests.RequestException):
            return requests.get(self.url + path, timeout=2).status_code == 200
        return False

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServiceError("the service did not stop:\n" + self.log_tail())
        self.process = None
        self.tokens.clear()
        return status

    def kill(self):
        """Ends everything at once: the script, Kore, and the cluster."""
        kore = self.kore_pid()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        if kore is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(kore, signal.SIGKILL)
        self.tokens.clear()

    def cluster(self, action):
        """conf/cluster start or stop beside a running service."""
        subprocess.run([HOME / "conf/cluster", action], check=True,
                       env=environment(self.settings))

    def check(self):
        """Fails when a worker crashed or an answer broke the contract."""
        text = self.log()
        crashes = [] if self.may_crash else [
            line for line in text.splitlines() if CRASH.search(line)]
        broken = [json.dumps(e, ensure_ascii=False)
                  for e in self.events("response-invalid")]
        if crashes or broken:
            raise AssertionError("\n".join(
                ["the service misbehaved:"] + crashes[:20] + broken[:20]))

    # --- processes ----------------------------------------------------------

    def kore_pid(self):
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self.state / "kore.pid").read_text())
        return None

    def worker_pids(self):
        done = subprocess.run(["pgrep", "-P", str(self.kore_pid())],
                              stdout=subprocess.PIPE, text=True)
        return [int(pid) for pid in done.stdout.split()]

    # --- log ----------------------------------------------------------------

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self, count=40):
        return "\n".join(self.log().splitlines()[-count:])

    def events(self, name=None):
        """The JSON lines of the log, those of one event if named."""
        found = []
        for line in self.log().splitlines():
            if line.startswith('{"event"'):
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if name in (None, event["event"]):
                        found.append(event)
        return found

    # --- database -----------------------------------------------------------

    def database_url(self, role="dudao_owner"):
        path = (self.state / "socket.path").read_text().strip()
        return f"postgresql://{role}@/dudao?host={path.replace('/', '%2F')}"

    def connect(self, role="dudao_owner"):
        """An autocommitting connection."""
        connection = psycopg2.connect(self.database_url(role))
        connection.autocommit = True
        return connection

    # --- contract -----------------------------------------------------------

    def document(self):
        """The contract as it is served."""
        if self._document is None:
            answer = requests.get(self.url + "/v1/openapi.json", timeout=10)
            answer.raise_for_status()
            self._document = answer.json()
        return self._document
