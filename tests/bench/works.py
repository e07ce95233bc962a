"""The pieces of work that are measured, made from the data that is there."""

import dataclasses
import urllib.parse

import knobs

LOGIN = "office_staff"


@dataclasses.dataclass
class Work:
    name: str                   # as in BENCH_ONLY
    title: str
    requests: list              # of (method, path) or (method, path, body)
    headers: dict = dataclasses.field(default_factory=dict)
    status: int = 200
    connections: int = knobs.CONNECTIONS
    is_once: bool = False       # no request may be sent twice
    # for pgbench: what the service sent, see recorder.script()
    transactions: list = dataclasses.field(default_factory=list)
    varying: dict = dataclasses.field(default_factory=dict)
    variables: dict = dataclasses.field(default_factory=dict)
    prologue: str = ""

    def send(self, client, number=0, base=None):
        """One of the requests by itself; the answer."""
        method, path, *body = self.requests[number]
        headers = dict(self.headers)
        if body:
            headers["Content-Type"] = "application/json"
        return client.request(method, path, status=self.status,
                              headers=headers, validate=False,
                              data=body[0].encode() if body else None)

    def record(self, recorder, client, count=1):
        self.send(client)       # what is read once is read now
        self.transactions = [
            recorder.record(lambda: self.send(client, number))
            for number in range(count)]
        return self


def point(client):
    problem = client.one("problems")["id"]
    return Work("point", "point read", [("GET", f"/v1/problems/{problem}")])


def not_modified(client):
    work = point(client)
    etag = work.send(client).headers["ETag"]
    return dataclasses.replace(
        work, name="304", title="the same, not modified", status=304,
        headers={"If-None-Match": etag})


def filtered_list(client):
    return Work("list", "filtered, sorted list of 50", [
        ("GET", "/v1/schools?sort=ident_code&limit=50&status=operating")])


def search(client):
    return Work("search", "text search, two characters", [
        ("GET", "/v1/schools?limit=20&q=" + urllib.parse.quote("中心"))])


def small_reads(client):
    problems = client.get("/v1/problems?limit=10", status=200).json()["data"]
    schools = client.get("/v1/schools?limit=10", status=200).json()["data"]
    return Work("twenty", "20 reads, one connection", [
        ("GET", f"/v1/{resource}/{row['id']}")
        for pair in zip(problems, schools)
        for resource, row in zip(("problems", "schools"), pair)],
        connections=1)
