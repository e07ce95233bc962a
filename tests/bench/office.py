"""An office hour: four reads to a write, at a rate that does not wait.

The mix is first driven as fast as it goes (the saturation), then at 70 % of
that for its latencies, and at 200 % for what is refused. Latencies count from
the moment at which a request was due (openload.c).
"""

import itertools
import json
import subprocess
import sys

import knobs
import works
from drivers import HERE
from measure import medians

BUILD = HERE.parents[1] / "build/bench"
# Enough that the server, not the generator, is where requests wait.
CONNECTIONS = 2400
RATE_MAX = 3000     # requests a second that a run is prepared for


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-std=c11", "-O2", "-D_GNU_SOURCE", "-o",
                    BUILD / "openload", HERE / "openload.c"], check=True)


def mix(client, strike_offs):
    """Of ten: three point reads, a 304, two lists, a search, a list of
    problems, a create, a strike-off."""
    point, not_modified, listed, searched, created = (
        make(client) for make in (works.point, works.not_modified,
                                  works.filtered_list, works.search,
                                  works.create))
    ledger = works.Work("", "", [("GET", "/v1/problems?limit=20")], client.token)
    reads = (point, listed, point, searched, not_modified, ledger, point,
             listed)
    for request in strike_offs.requests:
        for work in (*reads[:4], created, *reads[4:]):
            yield work.requests[0], work.sent_headers()
        yield request, strike_offs.sent_headers()


def write(path, requests):
    """As openload reads them: length, line feed, the request's bytes."""
    with open(path, "wb") as file:
        for (method, target, *body), headers in requests:
            content = body[0].encode() if body else b""
            lines = [f"{method} {target} HTTP/1.1", "Host: localhost",
                     *(f"{name}: {value}" for name, value in headers.items())]
            if content:
                lines.append(f"Content-Length: {len(content)}")
            text = "\r\n".join([*lines, "", ""]).encode() + content
            file.write(b"%d\n%s" % (len(text), text))


class Office:
    def __init__(self, server, client, ledger, scratch):
        self.server, self.client = server, client
        self.ledger, self.path = ledger, scratch / "requests"

    def drive(self, rate, seconds, connections):
        """rate 0: as fast as it goes."""
        self.ledger.room = max(1, int((rate or RATE_MAX) * seconds / 10) + 1)
        self.ledger.before()
        write(self.path, mix(self.client, self.ledger))
        with subprocess.Popen(
                [BUILD / "openload", self.server.url.rpartition(":")[2],
                 str(rate), str(seconds), str(connections), self.path],
                text=True, stdout=subprocess.PIPE) as generator:
            generator.stdout.readline()     # all connections are made
            before = self.server.used()
            said, _ = generator.communicate()
        if generator.returncode:
            sys.exit("bench: openload failed")
        found = json.loads(said)
        self.ledger.after({"requests": found["due"] // 10 + 1})
        found.update(self.server.per_request(before, found["answered"]))
        wrong = {status for status in found["statuses"]
                 if status not in ("200", "201", "304", "503")}
        if wrong or found["broken"] or found["with_retry_after"] \
                != found["statuses"].get("503", 0):
            sys.exit(f"bench: office hour: {found}")
        return found


def strike_offs():
    """How many a run needs at most: one of ten requests."""
    return RATE_MAX // 10 * (1 + knobs.ROUNDS * knobs.SECONDS * 6)


def measure(server, client, ledger, scratch):
    build()
    office = Office(server, client, ledger, scratch)
    office.drive(0, 1, knobs.CONNECTIONS)
    rows, rounds = [], ([], [], [])
    for number in range(knobs.ROUNDS):
        peak = office.drive(0, knobs.SECONDS, knobs.CONNECTIONS)
        rate = peak["requests_per_s"]
        normal = office.drive(0.7 * rate, knobs.SECONDS, CONNECTIONS)
        flood = office.drive(2 * rate, 2 * knobs.SECONDS, CONNECTIONS)
        flood["share_of_peak"] = flood["requests_per_s"] / rate
        for kept, found in zip(rounds, (peak, normal, flood)):
            kept.append(found)
        print(f"  office hour {number + 1}/{knobs.ROUNDS}: {rate:.0f}, at 70 % "
              f"p99 {normal['p99_ms']:.1f} ms, at 200 % "
              f"{flood['share_of_peak']:.0%} of it kept", flush=True)
    for name, title, found in zip(
            ("office", "office-70", "office-200"),
            ("office hour, 80 % reads", "office hour at 70 %",
             "office hour at 200 %"), rounds):
        statuses = dict(sum_of([one.pop("statuses") for one in found]))
        rows.append({"work": name, "title": title, "system": "dudao",
                     **medians(found), "statuses": statuses})
    return rows


def sum_of(counts):
    pairs = sorted(itertools.chain.from_iterable(c.items() for c in counts))
    for status, group in itertools.groupby(pairs, lambda pair: pair[0]):
        yield status, sum(count for _, count in group)
