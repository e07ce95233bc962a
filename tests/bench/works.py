"""The pieces of work that are measured, made from the data that is there."""

import dataclasses
import json
import sys
import urllib.parse

import requests

import knobs

LOGIN = "office_staff"


@dataclasses.dataclass
class Work:
    name: str                   # as in BENCH_ONLY
    title: str
    requests: list              # of (method, path) or (method, path, body)
    token: str = ""
    headers: dict = dataclasses.field(default_factory=dict)
    status: int = 200
    connections: int = knobs.CONNECTIONS
    is_once: bool = False       # no request may be sent twice
    differs: tuple = ()         # members that differ from answer to answer
    # for pgbench: what the service sent, see recorder.script()
    transactions: list = dataclasses.field(default_factory=list)
    varying: dict = dataclasses.field(default_factory=dict)

    def sent_headers(self):
        return {"Authorization": f"Bearer {self.token}", **self.headers}

    def before(self):
        """Called before requests are sent."""

    def after(self, found):
        """Called when they have been answered, with what was measured."""

    def check(self):
        """Called after pgbench: was there enough to do?"""

    def send(self, url, number=0):
        """One of the requests by itself; the answer."""
        method, path, *body = self.requests[number]
        answer = requests.request(
            method, url + path, data=body[0].encode() if body else None,
            headers={**self.sent_headers(), "Accept-Encoding": "identity"},
            timeout=30)
        if answer.status_code != self.status:
            sys.exit(f"bench: {self.name} at {url}: {answer.status_code}, "
                     f"not {self.status}\n{answer.text}")
        return answer

    def record(self, recorder, url):
        """All that is sent again; of what is sent once, an example."""
        self.transactions = [
            recorder.record(lambda: self.send(url, number))
            for number in range(len(self.requests))]
        return self


def point(client):
    problem = client.one("problems")["id"]
    return Work("point", "point read", [("GET", f"/v1/problems/{problem}")],
                client.token)


def not_modified(client):
    work = point(client)
    etag = work.send(client.service.url).headers["ETag"]
    return dataclasses.replace(
        work, name="304", title="the same, not modified", status=304,
        headers={"If-None-Match": etag})


def filtered_list(client):
    return Work("list", "filtered, sorted list of 50", [
        ("GET", "/v1/schools?sort=ident_code&limit=50&status=operating")],
        client.token)


def search(client):
    return Work("search", "text search, two characters", [
        ("GET", "/v1/schools?limit=20&q=" + urllib.parse.quote("中心"))],
        client.token)


def small_reads(client):
    problems = client.get("/v1/problems?limit=10", status=200).json()["data"]
    schools = client.get("/v1/schools?limit=10", status=200).json()["data"]
    return Work("twenty", "20 reads, one connection", [
        ("GET", f"/v1/{resource}/{row['id']}")
        for pair in zip(problems, schools)
        for resource, row in zip(("problems", "schools"), pair)],
        client.token, connections=1)


def create(client):
    """A problem found at a visit: code, guards, audit trail."""
    visit = client.one("visits")
    body = {"organization_id": visit["organization_id"],
            "visit_id": visit["id"], "category": "P07", "severity": "moderate",
            "title": "食堂留样不规范", "description": "午餐留样量不足125克，未标注留样人",
            "requirement": "完善留样登记，配备专用留样冰箱"}
    return Work("create", "create, with its audit trail", [
        ("POST", "/v1/problems", json.dumps(body, ensure_ascii=False,
                                            separators=(",", ":")))],
        client.token, headers={"Content-Type": "application/json"}, status=201,
        differs=("id", "code", "created_at", "updated_at"))


PAGES = 10_000


def first_page(client):
    return Work("page", "page 1 of the audit trail",
                [("GET", "/v1/audit-logs?limit=50")], client.token)


def far_page(client):
    """Reached as a client does, from page to page, in larger steps."""
    cursor, step = "", 200
    for _ in range(PAGES * 50 // step):
        answer = client.get(f"/v1/audit-logs?limit={step}{cursor}",
                            status=200, validate=False).json()
        if not answer["page"]["has_more"]:
            return None
        cursor = "&cursor=" + answer["page"]["next_cursor"]
    return Work("far-page", f"page {PAGES:,} of it",
                [("GET", f"/v1/audit-logs?limit=50{cursor}")], client.token)
