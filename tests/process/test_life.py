"""The life of the service: start, reload, crash, restart of the database, end.

Every service here is real and its own, but for the reads at the end of the
file, which use the shared one.
"""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
import uuid

import pytest
import requests

from support import ledger
from support.client import Client, unique
from support.locks import in_thread, row_locked
from support.service import HOME, environment, free_port, wait_for
from support.workers import one_each

ZONE = {"name": "测试督学责任区", "active_from": "2026-01-01"}


def office(service, client=Client):
    return client(service).login("office_staff", fresh=True)


def wait_until_ready(client, seconds=15):
    """A worker asks its database by itself; until it answers, it says so."""
    wait_for(lambda: client.get("/readyz", status=(200, 503))
             .status_code == 200, seconds, "ready with the database")


def create_zone(client, **members):
    return client.create("zones", {**ZONE, "code": unique("L").upper(),
                                   **members})


def start_refused(*, seconds=60, **settings):
    """conf/run that must end by itself with an error; what it printed."""
    done = subprocess.run(
        [HOME / "conf/run"], stdin=subprocess.DEVNULL, timeout=seconds,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment({"DUDAO_ENV": "test", "DUDAO_PORT": free_port(),
                         **settings}))
    assert done.returncode != 0, done.stdout
    return done.stdout


# --- the end ------------------------------------------------------------------


def test_drain(make_service):
    """What has begun is finished; nothing new is taken; exit 0."""
    service = make_service().start()
    client = office(service)
    zone = create_zone(client)
    idle = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    with row_locked(service, zone) as wait_until_blocked:
        answer = in_thread(client.change, "zones", zone, {"name": "排空后"})
        wait_until_blocked()
        service.process.send_signal(signal.SIGTERM)
        # The worker that had nothing to do ends at once.
        wait_for(lambda: service.events("worker-stopped"),
                 what="beginning of the drain")
        assert idle.recv(1) == b"", "an idle connection is closed"
        late = socket.create_connection(("127.0.0.1", service.port),
                                        timeout=10)
        late.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert service.process.poll() is None
    assert answer()["name"] == "排空后"
    assert service.process.wait(30) == 0
    with contextlib.suppress(ConnectionResetError):
        assert late.recv(1) == b"", "a new connection was served"
    assert len(service.events("worker-stopped")) == 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", service.port))


def test_drain_has_an_end(make_service):
    """A request that does not finish in time does not hold up the stop."""
    service = make_service(DUDAO_DRAIN_MS=300,
                           DUDAO_STATEMENT_TIMEOUT_MS=60000).start()
    client = office(service)
    zone = create_zone(client)
    with row_locked(service, zone) as wait_until_blocked:
        answer = in_thread(client.change, "zones", zone, {"name": "太久"})
        wait_until_blocked()
        service.process.send_signal(signal.SIGTERM)
        # PostgreSQL's fast stop ends our own connection, too.
        assert service.process.wait(20) == 0
        with pytest.raises(requests.ConnectionError):
            answer()


# --- reload -------------------------------------------------------------------


def make_key(service, name):
    """A new signing key in the service's directory, newer than the others."""
    path = service.state / "keys" / name
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "EC",
                    "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path],
                   check=True)
    path.chmod(0o600)
    owner = (service.state / "keys").stat()
    os.chown(path, owner.st_uid, owner.st_gid)
    newest = max(p.stat().st_mtime for p in path.parent.iterdir())
    os.utime(path, (newest + 1, newest + 1))


def reload(service):
    """SIGHUP, and all workers have read their keys."""
    before = len(service.events("reloaded"))
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(service.events("reloaded"))
             >= before + len(service.worker_pids()), what="reload")


def key_id(token):
    header = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


def key_ids(client):
    keys = client.get("/.well-known/jwks.json", status=200).json()["keys"]
    return [key["kid"] for key in keys]


def test_reload_reads_the_keys(make_service):
    service = make_service()
    service.may_crash = True
    service.start()
    old = office(service)
    assert len(key_ids(old)) == 2
    pids = set(service.worker_pids())

    make_key(service, "3.pem")
    reload(service)
    new = office(service)
    assert key_id(new.token) != key_id(old.token)
    for client in (old, new):
        for pid, one in one_each(client).items():
            assert pid in pids, "nothing was restarted"
            assert len(key_ids(one)) == 3
            assert key_id(one.token) in key_ids(one)
            one.get("/v1/zones", status=200)

    # A worker that starts after the reload has the contract and the keys.
    victim = min(pids)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: victim not in service.worker_pids()
             and len(service.worker_pids()) == 2, what="restart")
    for client in (old, new):
        for one in one_each(client).values():
            assert len(key_ids(one)) == 3
            one.get("/v1/zones", status=200, params={"limit": 1})

    # The old keys go: what they signed is worth nothing any more, also in
    # the workers that had verified it before.
    for name in ("1.pem", "2.pem"):
        (service.state / "keys" / name).unlink()
    reload(service)
    for one in one_each(new).values():
        assert key_ids(one) == [key_id(new.token)]
        one.get("/v1/zones", status=200)
    for one in one_each(old).values():
        assert one.get("/v1/zones", status=401).json()["code"] \
            == "token-invalid"


def test_reload_with_broken_keys_changes_nothing(make_service):
    service = make_service().start()
    client = office(service)
    (service.state / "keys" / "3.pem").write_text("-----BEGIN NONSENSE")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(service.events("reload-failed")) == 2,
             what="failed reload")
    for one in one_each(client).values():
        one.get("/v1/zones", status=200)
        assert len(key_ids(one)) == 2


# --- crash --------------------------------------------------------------------


def test_killed_worker_comes_back(make_service):
    service = make_service()
    service.may_crash = True
    service.start()
    client = office(service)
    each = one_each(client)
    victim, other = sorted(each)
    os.kill(victim, signal.SIGKILL)
    # The other goes on with the connections that it has …
    for _ in range(50):
        each[other].get("/v1/zones", status=200)
    # … and a new one takes the place of the dead one.
    wait_for(lambda: victim not in service.worker_pids()
             and len(service.worker_pids()) == 2, what="restart")
    pids = set(one_each(client))
    assert other in pids and victim not in pids
    for one in one_each(client).values():
        wait_until_ready(one)
        one.get("/v1/zones", status=200)
    metrics = client.get("/metrics", status=200).text
    assert "dudao_worker_starts_total 3\n" in metrics


# --- the database -------------------------------------------------------------


def test_database_restart_under_load(make_service):
    """Heals without a worker restart; costs only 503s with Retry-After."""
    service = make_service().start()
    client = office(service)
    workers = set(service.worker_pids())
    zones = [create_zone(client) for _ in range(2)]
    is_over = threading.Event()
    faults = []
    good = [0] * 5
    bad = [0] * 5

    def count(i, answer):
        if answer.status_code < 300:
            good[i] += 1
        elif answer.status_code == 503 and answer.headers.get("Retry-After"):
            bad[i] += 1
        else:
            faults.append(f"{answer.status_code} {answer.text}")

    def read(i):
        mine = client.with_token(client.token)
        while not is_over.is_set() and not faults:
            count(i, mine.get("/v1/zones", params={"limit": 5}))

    def write(i):
        mine = client.with_token(client.token)
        zone = zones[i]
        while not is_over.is_set() and not faults:
            answer = mine.patch(f"/v1/zones/{zone['id']}", if_match=zone,
                                key=str(uuid.uuid4()),
                                json={"office_address": unique()})
            count(i, answer)
            if answer.status_code < 300:
                zone = answer.json()
            elif answer.status_code == 503:
                # It may have taken effect: look, as the document says.
                seen = mine.get(f"/v1/zones/{zone['id']}")
                if seen.status_code == 200:
                    zone = seen.json()
            elif answer.status_code == 412:
                faults.append(f"lost its place: {answer.text}")

    def run(work, i):
        try:
            work(i)
        except BaseException as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=run, args=(work, i))
               for i, work in enumerate([write, write, read, read, read])]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: faults or all(n > 10 for n in good), what="load")
        service.cluster("stop")
        wait_for(lambda: faults or sum(bad) > 0, what="503")
        assert requests.get(service.url + "/livez").status_code == 200
        service.cluster("start")
        client.service.tokens.clear()
        wait_for(lambda: faults or requests.get(
            service.url + "/readyz").status_code == 200, what="ready again")
        before = list(good)
        wait_for(lambda: faults or all(
            n > b + 10 for n, b in zip(good, before)),
            what="all are served again")
    finally:
        is_over.set()
        for thread in threads:
            thread.join(30)
    assert not faults, faults[:3]
    assert set(service.worker_pids()) == workers


def test_database_away_at_the_start(make_service, workspace):
    """Alive at once; ready when the database comes."""
    keeper = make_service()     # its cluster, without a service
    keeper.cluster("start")
    keeper.cluster("stop")
    service = make_service(
        state=workspace.empty(),
        DUDAO_DATABASE_URL=keeper.database_url("dudao_api"))
    service.start(ready=False)
    client = Client(service)
    assert client.get("/livez", status=200).json()["status"] == "alive"
    answer = client.get("/readyz", status=503)
    assert int(answer.headers["Retry-After"]) > 0
    answer = client.post("/v1/auth/login", status=503, json={
        "login": "office_staff", "password": "dudao-demo"})
    assert answer.json()["code"] == "database-unavailable"
    workers = set(service.worker_pids())
    keeper.cluster("start")
    each = one_each(client).values()
    for one in each:
        wait_until_ready(one)
    # A token's client has a connection of its own, to any worker.
    token = client.login("office_staff", fresh=True).token
    for one in each:
        one.token = token
        one.get("/v1/zones", status=200)
    assert set(service.worker_pids()) == workers


def test_not_ready_without_a_schema(make_service, workspace):
    keeper = make_service()
    keeper.cluster("start")
    connection = keeper.connect()
    with connection.cursor() as cursor:
        cursor.execute("delete from dudao_meta.code")
    connection.close()
    service = make_service(
        state=workspace.empty(),
        DUDAO_DATABASE_URL=keeper.database_url("dudao_api"))
    service.start(ready=False)
    wait_for(lambda: service.events("database-connected"), what="connection")
    assert Client(service).get("/readyz", status=503).json()["code"] \
        == "service-unavailable"


# --- refused starts (more in test_run.py) ----------------------------------------


def test_wrong_settings_are_all_named(workspace):
    state = workspace.empty()
    text = start_refused(
        DUDAO_STATE=state,
        DUDAO_DATABASE_URL="postgresql://dudao_api@/dudao?host=/nowhere",
        DUDAO_POOL_SIZE="0", DUDAO_LOG_LEVEL="loud",
        DUDAO_ACCESS_TOKEN_S="soon", DUDAO_PIPELINE_DEPHT="4")
    for name in ("DUDAO_POOL_SIZE", "DUDAO_LOG_LEVEL", "DUDAO_ACCESS_TOKEN_S",
                 "DUDAO_PIPELINE_DEPHT"):
        assert name in text
    assert "1 to 64" in text, "the allowed range is told"


def test_a_short_secret_is_refused(workspace):
    state = workspace.empty()
    short = state.with_name(state.name + ".secret")
    short.write_text("too short")
    short.chmod(0o644)
    text = start_refused(
        DUDAO_STATE=state, DUDAO_SECRET_FILE=short,
        DUDAO_DATABASE_URL="postgresql://dudao_api@/dudao?host=/nowhere")
    assert "DUDAO_SECRET_FILE" in text and str(short) in text


def test_production_refuses_a_given_database_with_demo_accounts(
        server, workspace):
    """Also when it may not migrate it."""
    text = start_refused(
        DUDAO_STATE=workspace.empty(), DUDAO_ENV="production",
        DUDAO_DATABASE_URL=server.database_url("dudao_api"))
    assert "DUDAO_ENV=production" in text and "demo accounts" in text


# --- the running service ------------------------------------------------------


def resident_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status
                    if line.startswith("VmRSS"))


def test_workers_stay_small(server, api):
    """40 MB each, also after uploads and under parallel load."""
    client = api.login("office_staff")
    large = ledger.PNG + os.urandom(4 << 20)
    for _ in range(4):
        client.post("/v1/attachments", data=large, status=201, params={
            "file_name": "大图.png", "kind": "photo"})
    del large

    def load():
        mine = client.with_token(client.token)
        for _ in range(40):
            mine.get("/v1/schools", status=200, validate=False,
                     params={"limit": 50})

    for result in [in_thread(load) for _ in range(8)]:
        result()
    # The buffers of the uploads are given back after a moment of rest.
    for pid in server.worker_pids():
        wait_for(lambda: resident_kb(pid) < 40 << 10,
                 what=f"less than 40 MB in worker {pid}")


def contract_kb(pid):
    """What the worker holds of the contract's text, which is over 2 MB."""
    with open(f"/proc/{pid}/smaps") as maps:
        text = maps.read().partition("memfd:contract")[2]
    return int(text.partition("Rss:")[2].split()[0])


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_contract_is_put_back(server, api, encoding):
    """No worker keeps the pages of a text that is seldom asked for."""
    for client in one_each(api).values():
        answer = client.get("/v1/openapi.json", status=200, headers={
            "Accept-Encoding": encoding})
        assert len(answer.content) > 1 << 20
        assert answer.json()["openapi"].startswith("3.1")
    for pid in server.worker_pids():
        wait_for(lambda: contract_kb(pid) < 64,
                 what=f"no contract in worker {pid}")


def test_log_is_json_lines(server, api):
    """One line a request, each a JSON object that begins with its event."""
    client = api.login("office_staff")
    mark = f"log-{uuid.uuid4().hex}"
    # What a client says must not be able to forge a line.
    client.get("/v1/zones", params={"q": 'a"}{"event":"forged"}'},
               headers={"X-Request-Id": mark,
                        "User-Agent": 'x"y\\z\t{"event":"forged"}'})
    requests.get(server.url + '/no/"such"%0A{"event":"forged"}')
    line = wait_for(lambda: next((e for e in server.events("request")
                                  if e["request_id"] == mark), None))
    assert line["operation"] == "listZones" and line["status"] == 200
    assert line["bytes"] > 0 and line["duration_us"] > 0
    assert line["pid"] in server.worker_pids()
    text = server.log()
    ours = [one for one in text.splitlines() if one.startswith("{")]
    for one in ours:
        event = json.loads(one)
        assert list(event)[:4] == ["event", "at", "level", "pid"]
        assert event["event"] != "forged"
    assert text.count(mark) == 1


def samples(text):
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if not line.startswith("#")}


def test_metrics_are_summed_over_workers(server, api):
    each = one_each(api.login("office_staff"))
    name = 'dudao_http_requests_total{class="2xx"}'
    refused = 'dudao_http_requests_total{class="4xx"}'
    before = samples(api.get("/metrics", status=200).text)
    assert name in before, sorted(before)
    for one in each.values():
        for _ in range(10):
            one.get("/v1/zones", status=200, params={"limit": 1})
        one.get("/v1/zones", status=400, params={"limit": 0})
    # Each answers for all.
    for i, one in enumerate(each.values()):
        after = samples(one.get("/metrics", status=200).text)
        assert after[name] == before[name] + 10 * len(each) + 1 + i
        assert after[refused] == before[refused] + len(each)
    assert after["dudao_db_connections"] >= len(each)
    count = "dudao_http_request_duration_seconds_count"
    assert after[count] - before[count] == sum(
        after[k] - before[k] for k in after
        if k.startswith("dudao_http_requests_total"))


@pytest.mark.parametrize("sent, is_kept", [
    ("0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e", True), ("abcdefgh", True),
    ("A.b_c-9" * 9, True), ("short", False), ("x" * 65, False),
    ("has blank in it", False), ("semi;colon-1", False)])
def test_request_id(api, sent, is_kept):
    for path in ("/livez", "/v1/nowhere", "/v1/zones"):
        answer = api.get(path, headers={"X-Request-Id": sent})
        got = answer.headers["X-Request-Id"]
        assert (got == sent) is is_kept
        assert is_kept or uuid.UUID(got).version == 7
        if answer.status_code >= 400:
            assert answer.json()["request_id"] == got


@pytest.mark.parametrize("path", [
    "/", "/v1", "/v1/", "/v1/nowhere", "/v1/zones/", "/v2/zones", "/V1/zones",
    "/v1//zones", "/v1/zones/../zones", "/livez/x",
    "/v1/problems/x/no-such-action"])
def test_not_found(server, path):
    # Not by requests, which would normalise the path.
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n"
                  "Connection: close\r\n\r\n".encode())
        text = s.makefile("rb").read().decode()
    head, _, body = text.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 404 ")
    assert json.loads(body)["code"] == "not-found"


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/v1/zones", "GET, HEAD, OPTIONS, POST"),
    ("PUT", "/v1/auth/login", "OPTIONS, POST"),
    ("GET", "/v1/auth/login", "OPTIONS, POST"),
    ("POST", "/livez", "GET, HEAD, OPTIONS"),
    ("POST", f"/v1/zones/{uuid.UUID(int=1)}", "GET, HEAD, OPTIONS, PATCH")])
def test_method_not_allowed(api, method, path, allow):
    answer = api.request(method, path, status=405)
    assert answer.json()["code"] == "method-not-allowed"
    assert sorted(answer.headers["Allow"].split(", ")) \
        == sorted(allow.split(", "))
    # OPTIONS tells the same, without a token.
    options = api.request("OPTIONS", path, status=204)
    assert options.headers["Allow"] == answer.headers["Allow"]
    assert options.content == b""


def test_options_of_nothing(api):
    api.request("OPTIONS", "/v1/nowhere", status=404, validate=False)


@pytest.mark.parametrize("accept, lang", [
    (None, "zh-CN"), ("zh-CN", "zh-CN"), ("en", "en"), ("en-GB", "en"),
    ("EN", "en"), ("fr", "zh-CN"), ("*", "zh-CN"), ("zh;q=0.8, en;q=0.9", "en"),
    ("en;q=0.1,zh-TW;q=0.2", "zh-CN"), ("fr, en;q=0.5", "en"),
    ("en;q=0", "zh-CN"), (",,;q=,en;q=nan", "zh-CN")])
def test_accept_language(api, accept, lang):
    headers = {} if accept is None else {"Accept-Language": accept}
    answer = api.get("/v1/zones", status=401, headers=headers)
    assert answer.headers["Content-Language"] == lang
    has_chinese = any("\u4e00" <= c <= "\u9fff"
                      for c in answer.json()["title"])
    assert has_chinese is (lang == "zh-CN")


def test_conditional_read(api):
    client = api.login("office_staff")
    zone = create_zone(client)
    path = f"/v1/zones/{zone['id']}"
    first = client.get(path, status=200)
    etag = first.headers["ETag"]
    assert etag.startswith(f'"{zone["version"]}')
    for sent in (etag, "W/" + etag, f'"0", {etag}', "*"):
        answer = client.get(path, status=304,
                            headers={"If-None-Match": sent})
        assert answer.content == b"" and answer.headers["ETag"] == etag
    for sent in ('"0"', etag[:-2] + '"', '"1'):
        client.get(path, status=200, headers={"If-None-Match": sent})
    head = client.head(path, status=200)
    assert head.headers["ETag"] == etag and head.content == b""
    assert head.headers["Content-Length"] == first.headers["Content-Length"]
    client.head(path, status=304, headers={"If-None-Match": etag})
    client.change("zones", zone, {"name": "改名"})
    answer = client.get(path, status=200, headers={"If-None-Match": etag})
    assert answer.headers["ETag"] != etag


def test_conditional_read_sees_what_is_expanded(api):
    """The zone is the same, what is shown with it is not."""
    client = api.login("office_staff")
    person = client.create("persons", {"name": unique("条件")})
    organization = client.one("organizations", kind="school")
    person = client.change("persons", person, {
        "organization_id": organization["id"]})
    path = f"/v1/persons/{person['id']}?expand=organization"
    etag = client.get(path, status=200).headers["ETag"]
    client.get(path, status=304, headers={"If-None-Match": etag})
    client.get(path + "&fields=name", status=200,
               headers={"If-None-Match": etag})
    client.change("organizations", organization, {"short_name": "改过的简称"})
    answer = client.get(path, status=200, headers={"If-None-Match": etag})
    assert answer.json()["organization"]["short_name"] == "改过的简称"
    # Its If-Match is the version, whatever stands behind it.
    client.patch(f"/v1/persons/{person['id']}", status=200,
                 json={"position_title": "校长"}, headers={"If-Match": etag})


def test_packed_etag_is_taken_back(api):
    client = api.login("office_staff")
    zone = create_zone(client, office_address="平" * 200,
                       name="示" * 100)
    path = f"/v1/zones/{zone['id']}"
    packed = client.get(path, status=200,
                        headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    etag = packed.headers["ETag"]
    assert etag.endswith('-gzip"')
    client.get(path, status=304, headers={"If-None-Match": etag})
    client.patch(path, status=200, json={"name": "甲"},
                 headers={"If-Match": etag})
    stale = client.patch(path, status=412, json={"name": "乙"},
                         headers={"If-Match": etag})
    current = client.get(path, status=200)
    version = current.json()["version"]
    assert stale.headers["ETag"] == f'"{version}"'


def test_preconditions(api):
    client = api.login("office_staff")
    zone = create_zone(client)
    path = f"/v1/zones/{zone['id']}"
    assert client.patch(path, status=428, json={"name": "甲"}).json()[
        "code"] == "precondition-required"
    # Whatever it is, it has to exist first.
    nowhere = f"/v1/zones/{uuid.uuid4()}"
    client.patch(nowhere, status=404, json={"name": "甲"})
    client.patch(nowhere, status=404, json={"name": "甲"}, if_match=1)
    client.patch(nowhere, status=404, json={"nonsense": 1}, if_match=1)
    for wrong in ('"abc"', '""', '"0"', '"99999999999999999999"'):
        client.patch(path, status=(400, 412), json={"name": "甲"},
                     headers={"If-Match": wrong})
    client.patch(path, status=200, json={"name": "甲"},
                 headers={"If-Match": "*"})
