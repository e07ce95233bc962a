"""Exports: whole lists as CSV and NDJSON, in constant memory."""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import shutil
import socket
import threading
import time
import urllib.parse
import zlib

import pytest

from support.client import Client, unique
from support.service import Service

NDJSON = "application/x-ndjson"
MILLION = 1_000_000


@pytest.fixture(scope="module")
def staff(api):
    return api.login("office_staff")


def rows_of(answer):
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_csv_is_the_list(staff):
    answer = staff.get("/v1/zones?format=csv&sort=code", status=200)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"].startswith(
        'attachment; filename="zones-20')
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.content.endswith(b"\r\n")
    header, *rows = rows_of(answer)
    schema = staff.contract.document["components"]["schemas"]["Zone"]
    assert header == [name for name in schema["properties"]
                      if name in schema["required"]]
    listed = staff.list("zones", sort="code")
    assert len(rows) == len(listed)
    text = staff.get("/v1/zones?sort=code", status=200).text
    for row, zone in zip(rows, listed):
        cells = dict(zip(header, row))
        assert cells["code"] == zone["code"]
        assert cells["active_to"] == (zone["active_to"] or "")
        assert json.loads(cells["division_ids"]) == zone["division_ids"]
        assert ", " not in cells["division_ids"]
        # as PostgreSQL spelt it: 5.00, not 5.0
        assert f'"ratio" : {cells["ratio"]}' in text.replace('":', '" :') \
            .replace(" :  ", " : ").replace('"  :', '" :')
        assert cells["is_demo"] == str(zone["is_demo"]).lower()


def test_ndjson_is_the_list(staff):
    answer = staff.get("/v1/zones?sort=code", status=200,
                       headers={"Accept": NDJSON})
    assert answer.headers["Content-Type"] == NDJSON
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows == staff.list("zones", sort="code")


@pytest.mark.parametrize("accept, kind", [
    ("text/csv", "text/csv"), (NDJSON, NDJSON), ("*/*", "application/json"),
    ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
    ("application/json;q=0.5, text/csv", "text/csv"),
    ("text/*", "text/csv"), ("image/png", "application/json"),
    ("application/*;q=0.2, text/csv;q=0.1", "application/json")])
def test_what_accept_prefers(staff, accept, kind):
    answer = staff.get("/v1/semesters", status=200, headers={"Accept": accept})
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    # the parameter goes before it
    answer = staff.get("/v1/semesters?format=json", status=200,
                       headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json"


def test_filters_sort_fields_and_bom(staff):
    answer = staff.get(
        "/v1/schools?format=csv&bom=true&fields=name&fields=ident_code"
        "&stages=special&stages=senior&sort=-name", status=200)
    assert answer.content.startswith(b"\xef\xbb\xbfident_code,name\r\n")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    listed = staff.list("schools", stages=["special", "senior"], sort="-name")
    assert [row[::-1] for row in rows[1:]] == [
        [school["name"], school["ident_code"]] for school in listed]


def as_sent(client, path, **headers):
    answer = client.http.get(
        client.service.url + path, stream=True, timeout=30, headers={
            "Authorization": "Bearer " + client.token, **headers})
    assert answer.status_code == 200
    return answer, answer.raw.read(decode_content=False)


@pytest.mark.parametrize("path", [
    "/v1/schools?format=csv&bom=true&sort=-name", "/v1/schools?format=ndjson",
    "/v1/schools?format=ndjson&q=没有这样的学校",
    "/v1/schools?format=csv&q=没有这样的学校"])
def test_gzip_is_the_same(staff, path):
    plain, text = as_sent(staff, path, **{"Accept-Encoding": "identity"})
    packed, data = as_sent(staff, path, **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Transfer-Encoding"] == "chunked"
    assert gzip.decompress(data) == text
    assert len(data) < len(text) / 3 or len(text) < 1000
    head = staff.head(path, status=200, headers={"Accept-Encoding": "gzip"})
    for name in ("Content-Type", "Content-Encoding", "Content-Disposition",
                 "Cache-Control", "Vary"):
        assert packed.headers[name] == head.headers[name]
        assert name == "Content-Encoding" or \
            packed.headers[name] == plain.headers[name]
    assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize("accepted, is_packed", [
    ("br;q=1, gzip;q=0.5", True), ("*", True), ("GZIP", True),
    ("gzip;q=0.001", True), ("*;q=0, gzip", True), ("gzip;q=0", False),
    ("gzip; q=0.000", False), ("gzip;q=0, *", False), ("*;q=0", False),
    ("br", False), ("gzipped", False), ("identity", False)])
def test_who_gets_gzip(staff, accepted, is_packed):
    """RFC 9110, 12.5.3."""
    answer = staff.get("/v1/zones?format=csv", status=200,
                       headers={"Accept-Encoding": accepted})
    assert ("Content-Encoding" in answer.headers) == is_packed


def test_what_has_no_meaning_with_an_export(staff):
    page = staff.get("/v1/schools?limit=1", status=200).json()["page"]
    answer = staff.get("/v1/schools", status=400, params={
        "format": "csv", "limit": 10, "count": "exact",
        "cursor": page["next_cursor"]})
    assert {(e["parameter"], e["code"]) for e in answer.json()["errors"]} == {
        (name, "not-with-export") for name in ("limit", "count", "cursor")}
    answer = staff.get("/v1/schools?format=ndjson&bom=true", status=400)
    assert answer.json()["errors"][0]["code"] == "only-with-csv"
    staff.get("/v1/schools?format=xml", status=400)


def test_pages_may_say_that_they_are_json(staff):
    page = staff.get("/v1/schools?limit=1&format=json", status=200).json()["page"]
    staff.get("/v1/schools", status=200, params={
        "limit": 1, "cursor": page["next_cursor"]})


def test_formulas_are_disarmed(staff):
    """OWASP, CSV injection: text that a spreadsheet would calculate."""
    code = unique("RY")
    for i, name in enumerate(["=1+1", "+cmd", "-2", "@sum", "甲=乙"]):
        staff.create("persons", {"code": f"{code}-{i}", "name": name})
    staff.create("persons", {"code": code + "-q", "name": '引"号,与\n换行'})
    rows = rows_of(staff.get("/v1/persons", status=200, params={
        "format": "csv", "sort": "name", "fields": ["code", "name"]}))
    names = {row[0]: row[1] for row in rows if row[0].startswith(code)}
    assert [names[f"{code}-{i}"] for i in range(5)] == [
        "'=1+1", "'+cmd", "'-2", "'@sum", "甲=乙"]
    assert names[code + "-q"] == '引"号,与\n换行'


def test_nothing_found_is_a_header(staff):
    answer = staff.get("/v1/schools?format=csv&q=没有这样的学校", status=200)
    assert len(rows_of(answer)) == 1
    assert staff.get("/v1/schools?format=ndjson&q=没有这样的学校",
                     status=200).content == b""
    answer = staff.head("/v1/schools?format=csv", status=200)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.clause("C2.2.2.e")
@pytest.mark.parametrize("login", ["school_account", "zone_lead",
                                   "township_account", "inspector_pt"])
def test_row_security_holds(api, staff, login):
    client = api.login(login)
    listed = client.list("schools")
    rows = client.get("/v1/schools?format=ndjson", status=200).text.splitlines()
    assert {json.loads(r)["id"] for r in rows} == {s["id"] for s in listed}
    assert len(rows) < len(staff.list("schools"))


def test_public_lists(api):
    listed = api.get("/v1/public/plaques", status=200).json()["data"]
    answer = api.get("/v1/public/plaques?format=ndjson", status=200)
    assert len(answer.text.splitlines()) >= len(listed)
    api.get("/v1/schools?format=csv", status=401)


def test_every_export_is_in_the_trail(api, staff):
    before = staff.get("/v1/zones", status=200)
    answer = staff.get("/v1/zones?format=csv&q=责任区", status=200)
    auditor = api.login("auditor")
    entry = auditor.one("audit-logs", action="export", subject_type="zones",
                        request_id=answer.headers["X-Request-Id"])
    assert entry["after"] == {
        "operation": "listZones", "format": "csv", "filter": {"q": "责任区"},
        "row_count": len(rows_of(answer)) - 1}
    assert entry["result"] == "ok" and entry["role"] == "office_staff"
    assert before.headers["X-Request-Id"] != answer.headers["X-Request-Id"]


# --- one service, a million rows ----------------------------------------------


@pytest.fixture(scope="module")
def own(workspace, anonymous):
    service = Service(workspace.state("exports"), DUDAO_WORKERS=1,
                      DUDAO_EXPORT_MAX=2,
                      DUDAO_DRAIN_MS=60000)     # a busy machine is slow
    service.start()
    yield service
    service.stop()
    service.cluster("stop")
    shutil.rmtree(service.state, ignore_errors=True)


def fill(service, count, start="2026-02-01Z"):
    """Audit rows, a second apart, set-based; the trail takes no others."""
    connection = service.connect()
    with connection.cursor() as cursor:
        cursor.execute("""
            insert into dudao.audit_logs(id, at, action, subject_type,
                subject_id, after, result, database_role, hash)
            select app.uuid_v7(), %s::timestamptz + i * interval '1 second',
                'bulk', 'exports_test', app.uuid_v7(), jsonb_build_object('i', i,
                    'score', 92.35, 'text', '演示"引号"' || i), 'ok', 'test', '\\x00'
            from generate_series(1, %s) as i""", (start, count))
        cursor.execute("analyze dudao.audit_logs")
    connection.close()


def rss_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


class Sampler(threading.Thread):
    """The most that the worker held while the block ran."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.is_over = pid, 0, False

    def run(self):
        while not self.is_over:
            self.most = max(self.most, rss_kb(self.pid))
            time.sleep(0.05)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.join()


def copied(service, sort="a.at, a.id"):
    """SHA-256 and count of what COPY gives for the same query."""
    digest, connection = hashlib.sha256(), service.connect()

    class Sink:
        rest, count = b"", 0

        def write(self, data):
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.count += len(lines)
            for line in lines:
                # text format: the only escape that JSON text brings about
                digest.update(line.replace(b"\\\\", b"\\") + b"\n")

    sink = Sink()
    with connection.cursor() as cursor:
        cursor.copy_expert(
            "copy (select a.body from app.audit_logs_json a "
            "where a.subject_type = 'exports_test' "
            f"order by {sort}) to stdout", sink)
    connection.close()
    return digest.hexdigest(), sink.count


def raw_get(service, token, path, receive_buffer=None, encoding="identity"):
    url = urllib.parse.urlsplit(service.url)
    s = socket.socket()
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.connect((url.hostname, url.port))
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
              f"{token}\r\nAccept-Encoding: {encoding}\r\n\r\n".encode())
    return s


def unchunked(data):
    """The whole chunks behind a head, and whether the last one is there."""
    rest, chunks = data.partition(b"\r\n\r\n")[2], []
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not size or len(rest) < int(size, 16) + 2:
            return chunks, False
        if int(size, 16) == 0:
            return chunks, True
        chunks.append(rest[:int(size, 16)])
        rest = rest[int(size, 16) + 2:]


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


PATH = "/v1/audit-logs?format=ndjson&sort=at&subject_type=exports_test"


@pytest.mark.slow
def test_a_million_rows_in_constant_memory(own, anonymous):
    """Row for row what COPY gives; the worker grows by less than 16 MB."""
    fill(own, MILLION)
    client = Client(own, anonymous.contract).login("auditor", fresh=True)
    client.get("/v1/audit-logs?format=ndjson&action=login", status=200)
    pid, = own.worker_pids()
    before = rss_kb(pid)
    expected = copied(own)
    for encoding in ("identity", "gzip"):
        digest, count, size = hashlib.sha256(), 0, 0
        start = time.monotonic()
        with Sampler(pid) as sampler:
            answer = client.http.get(
                own.url + PATH, stream=True, timeout=300, headers={
                    "Authorization": "Bearer " + client.token,
                    "Accept-Encoding": encoding})
            assert answer.headers.get("Content-Encoding",
                                      "identity") == encoding
            for chunk in answer.iter_content(1 << 16):
                digest.update(chunk)
                count += chunk.count(b"\n")
                size += len(chunk)
        seconds = time.monotonic() - start
        print(f"{encoding}: {count} rows, {size >> 20} MiB in {seconds:.1f} s;"
              f" the worker: {before} kB before, at most {sampler.most} kB")
        assert (digest.hexdigest(), count) == expected
        assert count == MILLION
        assert sampler.most - before < 16 << 10

    # a reader that stalls, and one at the same time that is slow
    stalled = raw_get(own, client.token, PATH, 4096, "gzip")
    slow = raw_get(own, client.token, PATH, 4096)
    with Sampler(pid) as sampler:
        got = 0
        for _ in range(40):
            got += len(slow.recv(65536))
            time.sleep(0.1)
        # meanwhile others are served, but no third export
        client.get("/v1/audit-logs?limit=1", status=200)
        refused = client.get("/v1/zones?format=csv", status=503)
        assert refused.json()["code"] == "exports-busy"
        assert int(refused.headers["Retry-After"]) >= 1
    print(f"slow readers: at most {sampler.most} kB; {got} bytes taken")
    assert sampler.most - before < 16 << 10

    # they leave: their connections are given back, the trail says so
    stalled.close()
    slow.close()
    wait_for(lambda: client.get("/v1/zones?format=csv").status_code == 200)
    wait_for(lambda: len([r for r in client.list("audit-logs", action="export")
                          if r["result"] == "aborted"]) == 2)
    own.stop()
    own.start()


# Packed rows are some 65 bytes; the sockets' buffers hold a few MiB of them.
@pytest.mark.parametrize("encoding, rows", [("identity", 50_000),
                                            ("gzip", 250_000)])
def test_the_last_chunk_tells_that_it_is_all(own, anonymous, encoding, rows):
    """An error behind the head ends the connection without it."""
    client = Client(own, anonymous.contract).login("auditor", fresh=True)
    fill(own, rows)
    failed = [r["id"] for r in client.list("audit-logs", action="export")
              if r["result"] == "failed"]
    s = raw_get(own, client.token, PATH, 4096, encoding)
    data = s.recv(4096)
    assert b" 200 OK" in data and b"chunked" in data
    connection = own.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("""
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where application_name = 'dudao' and state = 'active'
                and query like '%audit_logs_json%'""")
        assert cursor.fetchone()[0] >= 1
    connection.close()
    while chunk := s.recv(1 << 20):
        data += chunk
    s.close()
    chunks, is_all = unchunked(data)
    assert chunks and not is_all
    if encoding == "gzip":
        # whole rows in every chunk, and no trailer
        unpacker = zlib.decompressobj(31)
        assert all(unpacker.decompress(chunk).endswith(b"}\n")
                   for chunk in chunks)
        assert not unpacker.eof
    wait_for(lambda: [r for r in client.list("audit-logs", action="export")
                      if r["result"] == "failed" and r["id"] not in failed])


def test_a_client_that_leaves_takes_its_stream_along(own, anonymous):
    """What zlib needs for an export, 256 KiB, is given back."""
    client = Client(own, anonymous.contract).login("auditor", fresh=True)
    fill(own, 50_000, "2026-03-01Z")
    pid, = own.worker_pids()
    # the others would have to be sorted each time
    path = PATH + "&at.gte=2026-03-01T00:00:00Z"

    def leave():
        s = raw_get(own, client.token, path, 4096, "gzip")
        head = s.recv(4096)
        s.close()
        return b" 200 OK" in head and b"gzip" in head

    def aborted():
        return len([r for r in client.list("audit-logs", action="export")
                    if r["result"] == "aborted"])

    before = aborted()
    for _ in range(5):
        wait_for(leave)
    held = rss_kb(pid)
    # 6 MiB, were they kept
    for _ in range(24):
        wait_for(leave)
    wait_for(lambda: aborted() >= before + 29)
    assert rss_kb(pid) - held < 4 << 10
    client.get("/v1/zones?format=csv", status=200)


def test_an_export_is_finished_when_the_service_stops(own, anonymous):
    client = Client(own, anonymous.contract).login("auditor", fresh=True)
    fill(own, 50_000, "2026-01-01Z")
    s = raw_get(own, client.token, PATH + "&at.lt=2026-01-01T10:00:00Z")
    data = s.recv(4096)
    stopper = threading.Thread(target=own.stop)
    stopper.start()
    while chunk := s.recv(1 << 16):
        data += chunk
    stopper.join()
    assert data.endswith(b"0\r\n\r\n")
    own.start()
