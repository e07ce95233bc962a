"""Files: hashed and typed by their bytes, stored once, served in ranges."""

import hashlib
import json
import os
import socket
import urllib.parse
import uuid

import pytest

from support import ledger
from support.locks import in_thread

FILES = "/v1/attachments"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
ELF = bytes.fromhex("7f454c4602010100") + bytes(8) + bytes.fromhex(
    "02003e0001000000") + bytes(104)


@pytest.fixture(scope="module")
def office(api):
    return api.login("office_staff")


def content(size=2000, head=ledger.PNG):
    """Bytes that nobody has sent before."""
    return head + os.urandom(size - len(head))


def upload(client, data, status=201, kind="photo", file_name="现场照片.png",
           key=None, headers=None, **params):
    return client.post(FILES, data=data, status=status, key=key,
                       headers=headers, params={
                           "file_name": file_name, "kind": kind, **params})


def download(client, row, status=200, **headers):
    return client.get(
        row["content_url"], status=status,
        headers={k.replace("_", "-"): v for k, v in headers.items()})


# --- up and down --------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 1024, 65535, 65536, 3 << 20])
def test_up_and_down(office, size):
    data = os.urandom(size) if size == 1 else content(size)
    row = upload(office, data, kind="other").json()
    assert row["sha256"] == hashlib.sha256(data).hexdigest()
    assert row["size_bytes"] == size
    assert row["state"] == "kept" and row["version"] == 1
    answer = download(office, row)
    assert answer.content == data
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"] == row["mime"]
    assert "Content-Encoding" not in answer.headers
    assert office.read("attachments", row["id"]) == row


def test_location_and_etag(office):
    answer = upload(office, content())
    row = answer.json()
    assert answer.headers["Location"] == f"{FILES}/{row['id']}"
    assert answer.headers["ETag"] == '"1"'


def test_name_is_given_back(office):
    """RFC 6266, RFC 8187: in UTF-8, whatever stands in it."""
    name = '留样 "登记";整改%20照片\'.png'
    row = upload(office, content(), file_name=name).json()
    assert row["file_name"] == name
    disposition = download(office, row).headers["Content-Disposition"]
    kind, _, value = disposition.partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert urllib.parse.unquote(value) == name
    assert disposition.isascii()


def test_head(office):
    data = content(70_000)
    row = upload(office, data).json()
    answer = office.head(row["content_url"], status=200)
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content == b""


def test_conditional_download(office):
    row = upload(office, content()).json()
    etag = download(office, row).headers["ETag"]
    answer = download(office, row, status=304, If_None_Match=etag)
    assert answer.content == b"" and answer.headers["ETag"] == etag
    download(office, row, If_None_Match='"other"')


def test_parallel_downloads(office):
    """Large answers do not get mixed up or cut."""
    files = [content(1 << 20) for _ in range(3)]
    rows = [upload(office, data).json() for data in files]

    def get(i):
        mine = office.with_token(office.token)
        for _ in range(4):
            assert download(mine, rows[i % 3]).content == files[i % 3]

    for result in [in_thread(get, i) for i in range(6)]:
        result()


def test_client_that_leaves_in_the_middle(server, office):
    """The service keeps nothing of it, and goes on."""
    row = upload(office, content(8 << 20)).json()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(f"GET {row['content_url']} HTTP/1.1\r\nHost: a\r\n"
                        f"Authorization: Bearer {office.token}\r\n\r\n"
                        .encode())
            assert one.recv(100).startswith(b"HTTP/1.1 200 ")
    assert len(download(office, row).content) == 8 << 20


# --- ranges -------------------------------------------------------------------


@pytest.fixture(scope="module")
def ranged(office):
    data = content(100_000)
    return data, upload(office, data).json()


@pytest.mark.parametrize("value, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=0-9", 0, 9), ("bytes=500-", 500, 99_999),
    ("bytes=99999-", 99_999, 99_999), ("bytes=-1", 99_999, 99_999),
    ("bytes=-500", 99_500, 99_999), ("bytes=-200000", 0, 99_999),
    ("bytes=0-200000", 0, 99_999), ("bytes=70000-99998", 70_000, 99_998)])
def test_range(office, ranged, value, first, last):
    data, row = ranged
    answer = download(office, row, status=206, Range=value)
    assert answer.content == data[first:last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/100000"
    assert answer.headers["ETag"] == download(office, row).headers["ETag"]


@pytest.mark.parametrize("value", ["bytes=100000-", "bytes=200000-300000",
                                   "bytes=-0"])
def test_range_outside(office, ranged, value):
    answer = download(office, ranged[1], status=416, Range=value)
    assert answer.headers["Content-Range"] == "bytes */100000"
    assert answer.json()["code"] == "range-not-satisfiable"


@pytest.mark.parametrize("value", [
    "bytes=5-4", "bytes=a-b", "bytes=", "bytes=-", "lines=1-2", "bytes=1",
    "bytes=0-1,5-6", "bytes=0x1-2", "bytes=99999999999999999999-",
    "bytes=- 5"])
def test_range_that_is_ignored(office, ranged, value):
    """RFC 9110 section 14.2: what cannot be read asks for nothing."""
    data, row = ranged
    assert download(office, row, Range=value).content == data


def test_if_range(office, ranged):
    data, row = ranged
    etag = download(office, row).headers["ETag"]
    answer = download(office, row, status=206, Range="bytes=0-9",
                      If_Range=etag)
    assert answer.content == data[:10]
    for other in ('"other"', "W/" + etag, 'Mon, 23 Nov 2026 01:02:03 GMT'):
        assert download(office, row, status=200, Range="bytes=0-9",
                        If_Range=other).content == data


# --- one content, one blob ----------------------------------------------------


def count_blobs(db, data):
    with db.cursor() as cursor:
        cursor.execute("select count(*) from dudao.attachment_blobs"
                       " where sha256 = %s",
                       (hashlib.sha256(data).hexdigest(),))
        return cursor.fetchone()[0]


def test_same_content_is_kept_once(api, office, db):
    data = content()
    first = upload(office, data).json()
    second = upload(api.login("school_account"), data,
                    file_name="另一份.png").json()
    assert first["id"] != second["id"]
    assert first["sha256"] == second["sha256"]
    assert count_blobs(db, data) == 1
    # To know the bytes opens nobody else's record of them.
    other = api.login("school_account_2")
    other.read("attachments", first["id"], status=404)
    download(other, first, status=404)


def test_two_at_once_are_kept_once(office, db):
    data = content(200_000)
    results = [in_thread(lambda: upload(office.with_token(office.token), data))
               for _ in range(4)]
    assert len({result().json()["id"] for result in results}) == 4
    assert count_blobs(db, data) == 1


# --- what the bytes are -------------------------------------------------------


@pytest.mark.parametrize("data, name, mime", [
    (ledger.PNG, "报告.pdf", "image/png"), (PDF, "照片.jpg", "application/pdf"),
    (JPEG, "x", "image/jpeg"), ("督导报告\n".encode(), "a.exe", "text/plain")])
def test_type_comes_from_the_bytes(office, data, name, mime):
    row = upload(office, data, kind="other", file_name=name,
                 headers={"Content-Type": "application/x-anything"}).json()
    assert row["mime"] == mime
    assert download(office, row).headers["Content-Type"] == mime
    assert download(office, row).headers["X-Content-Type-Options"] \
        == "nosniff"


@pytest.mark.parametrize("data", [
    ELF, b"#!/bin/sh\necho hi\n",
    b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>'])
def test_programs_and_pages_are_refused(office, db, data):
    answer = upload(office, data, status=415, file_name="照片.png")
    assert answer.json()["code"] == "file-type-refused"
    assert count_blobs(db, data) == 0


# --- bounds -------------------------------------------------------------------


def test_empty_file(office):
    assert upload(office, b"", status=422).json()["code"] == "empty-upload"


def test_size_limit(server, office):
    """20 MiB; what is larger is refused before a byte of it is read."""
    limit = 20 << 20
    row = upload(office, content(limit)).json()
    assert row["size_bytes"] == limit
    with socket.create_connection(("127.0.0.1", server.port),
                                  timeout=10) as one:
        one.sendall(
            f"POST {FILES}?file_name=a&kind=other HTTP/1.1\r\nHost: a\r\n"
            f"Authorization: Bearer {office.token}\r\n"
            f"Content-Length: {limit + 1}\r\n\r\n".encode())
        text = one.makefile("rb").read().decode()
    head, _, body = text.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 413 ")
    assert json.loads(body)["code"] == "content-too-large"


def test_json_has_its_own_limit(office):
    """1 MiB, unless the operation says more."""
    office.post("/v1/persons", status=413, json={"name": "x" * (1 << 20)},
                validate=True)


@pytest.mark.parametrize("params, parameter", [
    ({"file_name": "a/b.png"}, "file_name"),
    ({"file_name": "..\\b.png"}, "file_name"),
    ({"file_name": ""}, "file_name"), ({"file_name": "x" * 256}, "file_name"),
    ({"kind": "virus"}, "kind"), ({"classification": "secret"},
                                  "classification"),
    ({"subject_id": "1"}, "subject_id"), ({"captured_lat": "91"},
                                          "captured_lat"),
    ({"captured_at": "yesterday"}, "captured_at"), ({"name": "x"}, "name")])
def test_wrong_parameters(office, params, parameter):
    answer = upload(office, content(), status=400, **params)
    assert [e["parameter"] for e in answer.json()["errors"]] == [parameter]


def test_all_parameters(office):
    row = upload(office, content(), classification="sensitive",
                 captured_at="2026-11-20T08:09:10+08:00",
                 captured_lat="28.701912", captured_lng="113.581234").json()
    assert row["captured_at"] == "2026-11-20T00:09:10.000000Z"
    assert (row["captured_lat"], row["captured_lng"]) \
        == (28.701912, 113.581234)
    assert row["classification"] == "sensitive"


# --- keys ---------------------------------------------------------------------


def test_upload_with_a_key(office, db):
    data, key = content(), str(uuid.uuid4())
    first = upload(office, data, key=key)
    again = upload(office, data, key=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    answer = upload(office, content(), key=key, status=422)
    assert answer.json()["code"] == "idempotency-key-reused"
    answer = upload(office, data, key=key, status=422, kind="other")
    assert answer.json()["code"] == "idempotency-key-reused"
    with db.cursor() as cursor:
        cursor.execute("select count(*) from dudao.attachments"
                       " where sha256 = %s", (first.json()["sha256"],))
        assert cursor.fetchone()[0] == 1


# --- the end of a file --------------------------------------------------------


def test_voided_file_gives_no_bytes(api, office):
    row = upload(office, content()).json()
    reason = {"void_reason": "误传了含学生姓名的照片"}
    office.act("attachments", row, "void", reason, status=403)
    chief = api.login("chief_inspector")
    chief.act("attachments", row, "void", {}, status=422)
    voided = chief.act("attachments", row, "void", reason, if_match=row)
    assert voided["voided_at"] and voided["allowed_actions"] == []
    assert voided["void_reason"] == reason["void_reason"]
    assert download(office, row, status=404).json()["code"] == "not-found"
    assert office.read("attachments", row["id"])["state"] == "voided"
    chief.act("attachments", row, "void", reason, status=409)


def test_list(office):
    row = upload(office, content(), kind="record").json()
    assert row == office.one("attachments", sort="-created_at",
                             kind="record")
    assert row["id"] not in [r["id"] for r in office.list(
        "attachments", kind="audio")]


def test_nobody_without_a_token(api, office):
    row = upload(office, content()).json()
    upload(api, content(), status=401)
    download(api, row, status=401)
