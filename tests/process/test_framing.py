"""Where requests begin and end, on raw sockets, against the running service.

Kore's own parser gets most of these wrong (it takes bodies for requests, drops
pipelined requests, and can be stalled by one byte too many); every case here
is one that the guard in front of it has to hold.
"""

import json
import os
import re
import select
import socket
import struct
import threading
import time

import pytest

HOST = "127.0.0.1"
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
LOGIN = {"login": "nobody", "password": "wrong"}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def problem(self):
        assert self.headers["content-type"] == "application/problem+json"
        document = json.loads(self.body)
        assert document["status"] == self.status
        assert document["type"] == "/problems/" + document["code"]
        return document


class Client:
    """A socket that reads one answer at a time."""

    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection((HOST, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def drip(self, data, pause=0.002):
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])
            time.sleep(pause)

    def fill(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return len(data) > 0

    def answer(self, method="GET"):
        while b"\r\n\r\n" not in self.buffer:
            assert self.fill(), "closed before the head: %r" % self.buffer
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", lines[0])
        assert match, lines[0]
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, name
            headers[name.lower()] = value
        status = int(match.group(1))
        body = b""
        if status >= 200 and status not in (204, 304) and method != "HEAD":
            length = int(headers["content-length"])
            while len(self.buffer) < length:
                assert self.fill(), "closed within the body"
            body = self.buffer[:length]
            self.buffer = self.buffer[length:]
        return Answer(status, headers, body)

    def closed(self):
        """True if the server closes now; RST counts as a failure."""
        while True:
            if not self.fill():
                return self.buffer == b""

    def is_quiet(self, seconds=0.3):
        readable, _, _ = select.select([self.socket], [], [], seconds)
        return not readable and self.buffer == b""


def short(value):
    """Names of cases: some are 600 KB."""
    return repr(value[:40]) if isinstance(value, bytes) else str(value)


@pytest.fixture
def client(server):
    with Client(server.port) as one:
        yield one


def login(extra=b"", body=None):
    body = json.dumps(LOGIN).encode() if body is None else body
    return (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
            b"Content-Type: application/json\r\n" + extra +
            b"Content-Length: %d\r\n\r\n" % len(body) + body)


def refused(client, status, code):
    """A refusal: a problem document, then the end of the connection."""
    answer = client.answer()
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"] == answer.problem["request_id"]
    assert answer.headers["server"] == "dudao"
    assert answer.problem["code"] == code
    assert client.closed()


def alive(server):
    """The service answers somebody else, at once."""
    for _ in range(8):
        with Client(server.port, timeout=2) as other:
            other.send(GET)
            assert other.answer().status == 200


def worker_pids(port):
    """The processes that hold the listening socket."""
    inode = None
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            field = line.split()
            if field[1].endswith(":%04X" % port) and field[3] == "0A":
                inode = "socket:[%s]" % field[9]
    pids = []
    assert inode is not None
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir("/proc/%s/fd" % pid):
                if os.readlink("/proc/%s/fd/%s" % (pid, fd)) == inode:
                    pids.append(int(pid))
                    break
        except OSError:
            continue
    return sorted(pids)


@pytest.fixture(autouse=True)
def nobody_dies(server):
    """A crashed worker is replaced at once: only its id tells."""
    before = worker_pids(server.port)
    yield
    assert before == worker_pids(server.port)


def memory(port):
    """Resident kilobytes of all processes of the service."""
    total = 0
    for pid in worker_pids(port):
        with open("/proc/%d/status" % pid) as text:
            total += int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1))
    return total


# --- what is well-formed ------------------------------------------------------

def test_plain(client):
    client.send(GET)
    answer = client.answer()
    assert answer.status == 200
    assert answer.headers["server"] == "dudao"
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} "
                        r"\d{4} \d\d:\d\d:\d\d GMT", answer.headers["date"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "connection" not in answer.headers


def test_date_is_now(client):
    from email.utils import parsedate_to_datetime
    client.send(GET)
    date = parsedate_to_datetime(client.answer().headers["date"])
    assert abs(date.timestamp() - time.time()) < 3


def test_keep_alive(client):
    for _ in range(20):
        client.send(GET)
        assert client.answer().status == 200


def test_one_byte_at_a_time(client):
    client.drip(login(), pause=0.001)
    first = client.answer()
    assert first.status in (400, 401, 422, 429, 503)
    client.drip(GET)
    assert client.answer().status == 200


@pytest.mark.parametrize("at", [1, 10, 30, -60, -20, -5, -1])
def test_two_segments(client, at):
    whole = login()
    client.send(whole[:at])
    time.sleep(0.05)
    client.send(whole[at:])
    assert 400 <= client.answer().status < 500
    client.send(GET)
    assert client.answer().status == 200


def test_head_has_no_body(client):
    client.send(b"HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    answer = client.answer("HEAD")
    assert answer.status == 200
    assert int(answer.headers["content-length"]) > 0
    assert client.answer().status == 200


def test_empty_post(client):
    empty = (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
             b"Content-Type: application/json\r\n")
    for extra in (b"Content-Length: 0\r\n\r\n", b"\r\n"):
        client.send(empty + extra)
        assert 400 <= client.answer().status < 500
    client.send(GET)
    assert client.answer().status == 200


def test_hundred_header_lines(client):
    noise = b"".join(b"X-Noise-%d: %s\r\n" % (i, b"n" * 80)
                     for i in range(100))
    client.send(b"GET /livez HTTP/1.1\r\n" + noise + b"Host: a\r\n"
                b"X-Request-Id: framing-test-0001\r\n\r\n")
    answer = client.answer()
    assert answer.status == 200
    assert answer.headers["x-request-id"] == "framing-test-0001"


def test_odd_but_legal_values(client):
    client.send(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Tab: a\tb\r\n"
                b"X-Name: \xe7\x9d\xa3\xe5\xaf\xbc\r\nUser-Agent: \xe7\r\n"
                b"Accept: */*\r\nAccept: text/plain\r\n\r\n")
    assert client.answer().status == 200


def test_absolute_form_and_leading_empty_line(client):
    client.send(b"\r\nGET http://b/livez HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.answer().status == 200


def test_http10_closes(client):
    client.send(b"GET /livez HTTP/1.0\r\n\r\n")
    answer = client.answer()
    assert answer.status == 200
    assert answer.headers["connection"] == "close"
    assert client.closed()


@pytest.mark.parametrize("value", [b"close", b"Close", b"TE, close"])
def test_connection_close(client, value):
    client.send(GET[:-2] + b"Connection: " + value + b"\r\n\r\n" + GET)
    answer = client.answer()
    assert answer.headers["connection"] == "close"
    assert client.closed()          # the second one is not answered


def test_half_close(client):
    client.send(GET + GET)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.answer().status == 200
    assert client.answer().status == 200
    assert client.closed()


# --- pipelining ---------------------------------------------------------------

def test_pipelining_in_one_segment(client):
    ids = [b"framing-%04d" % i for i in range(50)]
    client.send(b"".join(GET[:-2] + b"X-Request-Id: " + i + b"\r\n\r\n"
                         for i in ids))
    began = time.monotonic()
    for i in ids:
        answer = client.answer()
        assert answer.status == 200
        assert answer.headers["x-request-id"].encode() == i
    assert time.monotonic() - began < 2      # no waiting for a timer each


def test_pipelining_with_bodies(client):
    client.send(login(b"X-Request-Id: framing-a\r\n") +
                GET[:-2] + b"X-Request-Id: framing-b\r\n\r\n" +
                login(b"X-Request-Id: framing-c\r\n") +
                GET[:-2] + b"X-Request-Id: framing-d\r\n\r\n")
    got = [client.answer().headers["x-request-id"] for _ in range(4)]
    assert got == ["framing-a", "framing-b", "framing-c", "framing-d"]


def test_pipelining_while_busy(client):
    """The second comes in pieces while the first is at the database."""
    client.send(login() + GET[:10])
    time.sleep(0.02)
    client.send(GET[10:])
    assert client.answer().status != 200
    assert client.answer().status == 200


def test_pipelining_more_than_a_head_full(client):
    count = 3000                             # 100 KB, head_max is 16 KiB
    sender = threading.Thread(target=client.send, args=(GET * count,))
    sender.start()
    for _ in range(count):
        assert client.answer().status == 200
    sender.join()


# --- smuggling ----------------------------------------------------------------

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n"


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE", b"OPTIONS"])
def test_body_where_none_belongs(client, method):
    client.send(method + b" /livez HTTP/1.1\r\nHost: a\r\n"
                b"Content-Length: %d\r\n\r\n" % len(SMUGGLED))
    time.sleep(0.05)
    try:
        client.send(SMUGGLED)
    except OSError:
        pass
    refused(client, 400, "body-not-allowed")


@pytest.mark.parametrize("extra", [
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"transfer-encoding: identity\r\n",
    b"Transfer-Encoding: xchunked\r\n",
])
def test_transfer_encoding(client, extra):
    client.send(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n" + extra +
                b"\r\n0\r\n\r\n" + SMUGGLED)
    refused(client, 501, "transfer-encoding-not-supported")


@pytest.mark.parametrize("lines", [
    b"Host: a\r\nContent-Length: +2\r\n",
    b"Host: a\r\nContent-Length: -2\r\n",
    b"Host: a\r\nContent-Length: 0x2\r\n",
    b"Host: a\r\nContent-Length: 2, 2\r\n",
    b"Host: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n",
    b"Host: a\r\nContent-Length : 2\r\n",
    b"Host: a\r\nContent-Length:\r\n",
    b"Host: a\r\n Content-Length: 2\r\n",
    b"Host: a\r\nX: a\r\n folded\r\n",
    b"Host: a\r\nX: a\rb\r\n",
    b"Host: a\r\nX: a\nContent-Length: 2\r\n",
    b"Host: a\r\nX: a\x00b\r\n",
    b"Host: a\r\nTransfer-Encoding\t: chunked\r\n",
    b"Host: a\r\nHost: b\r\n",
    b"Hostile: a\r\n",
    b"Host:\r\n",
    b"Host: a b\r\n",
    b"Host: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n",
    b"Host: a\r\nIdempotency-Key: \xe7\r\n",
    b"",
], ids=short)
def test_ambiguous_heads(client, lines):
    client.send(b"POST /v1/auth/login HTTP/1.1\r\n" + lines + b"\r\n{}" +
                SMUGGLED)
    refused(client, 400, "malformed-request")


def test_same_length_twice_is_one(client):
    client.send(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
                b"Content-Type: application/json\r\nContent-Length: 2\r\n"
                b"Content-Length: 2\r\n\r\n{}" + GET)
    assert 400 <= client.answer().status < 500
    assert client.answer().status == 200


@pytest.mark.parametrize("text, status, code", [
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "http-version-not-supported"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http-version-not-supported"),
    (b"get /livez HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-not-supported"),
    (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-not-supported"),
    (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-not-supported"),
    (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed-request"),
    (b"GET livez HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed-request"),
    (b"GET /livez\r\n\r\n", 400, "malformed-request"),
    (b"GET /livez HTTP/1.1\nHost: a\n\n", 400, "malformed-request"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400,
     "malformed-request"),
    (b"\x00" * 100, 400, "malformed-request"),
    (b"GET /" + b"a" * 1950 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414,
     "uri-too-long"),
    (b"GET /" + b"a" * 100000, 414, "uri-too-long"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 431,
     "header-fields-too-large"),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100000, 431,
     "header-fields-too-large"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417,
     "expectation-failed"),
], ids=short)
def test_refusals(client, server, text, status, code):
    try:
        client.send(text)
    except OSError:
        pass
    refused(client, status, code)
    alive(server)


# --- bodies -------------------------------------------------------------------

@pytest.mark.parametrize("length", [b"10000000", b"9" * 30])
def test_too_large_is_told_before_it_is_read(client, length):
    client.send(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
                b"Content-Length: " + length + b"\r\n\r\n")
    refused(client, 413, "content-too-large")


def test_too_large_is_told_to_one_who_sends_first(server):
    """The whole body goes out before the answer is read: no RST takes it."""
    with Client(server.port) as client:
        client.send(login(body=b"x" * 3000000))
        refused(client, 413, "content-too-large")


def test_expect_continue(client):
    body = json.dumps(LOGIN).encode()
    client.send(login(b"Expect: 100-continue\r\n", body)[:-len(body)])
    assert client.answer().status == 100
    client.send(body)
    assert client.answer().status >= 400
    client.send(GET)
    assert client.answer().status == 200


def test_expect_continue_not_needed(client):
    client.send(login(b"Expect: 100-continue\r\n"))
    assert client.answer().status >= 400
    assert client.is_quiet()


def test_expect_continue_too_large(client):
    client.send(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
                b"Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n")
    refused(client, 413, "content-too-large")


def test_one_byte_more_than_announced(client, server):
    """Kore 4.1 runs wild on this (http.c:897): a length of 2^64 - 1."""
    client.send(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
                b"Content-Type: application/json\r\n"
                b"Content-Length: 1\r\n\r\n{}")
    assert 400 <= client.answer().status < 500
    before = memory(server.port)
    try:
        for _ in range(200):
            client.send(b"x" * 65536)
    except OSError:
        pass                # the second byte was no request: closed
    alive(server)
    assert memory(server.port) - before < 8192


def test_body_of_another_request_is_not_kept(client):
    client.send(login(body=b"{" * 100))
    assert 400 <= client.answer().status < 500
    client.send(GET)
    assert client.answer().status == 200


# --- memory and patience ------------------------------------------------------

def test_sender_is_pushed_back(server):
    """Who sends without reading is stopped by the kernel, not by our heap."""
    before = memory(server.port)
    clients = [Client(server.port) for _ in range(20)]
    sent = 0
    for one in clients:
        one.socket.setblocking(False)
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(200):
            try:
                sent += one.socket.send(GET * 500)
            except BlockingIOError:
                time.sleep(0.001)
    assert sent > 1000000
    time.sleep(0.5)
    assert memory(server.port) - before < 30000
    alive(server)
    for one in clients:
        one.socket.close()


def test_announced_lengths_take_no_memory(server):
    before = memory(server.port)
    head = (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n"
            b"Content-Length: 1000000\r\n\r\n{")
    clients = [Client(server.port) for _ in range(50)]
    for one in clients:
        one.send(head)
    time.sleep(0.3)
    assert memory(server.port) - before < 30000
    alive(server)
    for one in clients:
        one.socket.close()


def test_reset_in_the_middle(server):
    """Clients that vanish at every stage leave nothing behind."""
    pieces = [GET[:20], GET, login()[:60], login()[:-5], login(), GET * 30,
              login() * 3, b"x", b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"]
    for _ in range(20):
        for piece in pieces:
            one = Client(server.port)
            one.send(piece)
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
            one.socket.close()
    alive(server)


HEAD_S, BODY_S, IDLE_S = 2, 2, 4


@pytest.fixture
def impatient(make_service):
    return make_service(DUDAO_HEADER_TIMEOUT_S=HEAD_S,
                        DUDAO_BODY_TIMEOUT_S=BODY_S,
                        DUDAO_KEEPALIVE_S=IDLE_S).start()


def test_clocks(impatient):
    """One for the head, one for the body, and one for silence."""
    with Client(impatient.port) as client:
        time.sleep(HEAD_S + 0.7)        # the head's begins with its first byte
        began = time.monotonic()
        client.send(GET[:10])
        time.sleep(0.2)
        client.send(GET[10:15])
        refused(client, 408, "request-timeout")
        assert HEAD_S - 0.3 < time.monotonic() - began < HEAD_S + 2

    with Client(impatient.port) as client:
        client.send(login()[:-3])
        refused(client, 408, "request-timeout")

    with Client(impatient.port) as client:
        client.send(GET)
        assert client.answer().status == 200
        began = time.monotonic()
        assert client.closed()          # in silence: it may be about to send
        assert IDLE_S - 1 < time.monotonic() - began < IDLE_S + 2


def test_many_slow_clients_stop_nobody(server):
    clients = [Client(server.port) for _ in range(100)]
    for one in clients:
        one.send(GET[:-4])
    alive(server)
    for one in clients:
        one.send(GET[-4:])
        assert one.answer().status == 200
        one.socket.close()
