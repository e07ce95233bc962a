"""An office hour: four reads to a write, at a rate that does not wait.

The mix is first driven as fast as it goes (the saturation), then at 70 % of
that for its latencies, and at 200 % for what is refused. Latencies count from
the moment at which a request was due (openload.c). Beside it pgbench sends the
same transactions, as fast as they go and at 70 % of that.
"""

import collections
import itertools
import json
import subprocess
import sys

import drivers
import knobs
import works
from measure import medians

BUILD = drivers.HERE.parents[1] / "build/bench"
# Enough that the server, not the generator, is where requests wait.
CONNECTIONS = 2400
CLIENTS = 8         # of pgbench, as many as the service's connections
RATE_MAX = 6000     # requests a second that a run is prepared for


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-std=c11", "-O2", "-D_GNU_SOURCE", "-o",
                    BUILD / "openload", drivers.HERE / "openload.c", "-lm"],
                   check=True)


def mix(client, strike_offs):
    """Ten pieces of work in their order, eight of them reads."""
    point, not_modified, listed, searched, created = (
        make(client) for make in (works.point, works.not_modified,
                                  works.filtered_list, works.search,
                                  works.create))
    ledger = works.Work("ledger", "list of problems",
                        [("GET", "/v1/problems?limit=20")], client.token)
    return (point, listed, point, searched, created, not_modified, ledger,
            point, listed, strike_offs)


def requests_of(works_in_order, strike_offs):
    """With their headers, for as long as there is something to strike off."""
    for request in strike_offs.requests:
        for work in works_in_order:
            yield (request if work is strike_offs else work.requests[0],
                   work.sent_headers())


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
        self.server, self.ledger = server, ledger
        self.mix = mix(client, ledger)
        self.path = scratch / "requests"

    def drive(self, rate, seconds, connections):
        """rate 0: as fast as it goes."""
        self.ledger.room = max(1, int((rate or RATE_MAX) * seconds / 10) + 1)
        self.ledger.before()
        write(self.path, requests_of(self.mix, self.ledger))
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
    """How many a run needs at most: one of ten requests, and twice as long
    of pgbench's transactions."""
    return RATE_MAX // 10 * (1 + knobs.ROUNDS * (
        knobs.SECONDS * 6 + 2 * (knobs.SECONDS + drivers.COLD_S)))


class Ceiling:
    """pgbench with the transactions of the mix."""

    def __init__(self, office, recorder, scratch):
        self.office, self.scratch = office, scratch
        self.shares = []
        count = collections.Counter(work.name for work in office.mix)
        for work in {work.name: work for work in office.mix}.values():
            if not work.transactions:
                work.record(recorder, office.server.url)
            self.shares.append((work, count[work.name]))

    def drive(self, rate):
        found = drivers.pgbench_mix(
            self.office.server.database.url, self.shares, rate, knobs.SECONDS,
            self.scratch, CLIENTS)
        self.office.ledger.check()
        return found


# What is measured: name, title, systems.
ROWS = (("office", "office hour, 80 % reads", "dudao"),
        ("office", "office hour, 80 % reads", "pgbench"),
        ("office-70", "office hour at 70 %", "dudao"),
        ("office-70", "office hour at 70 %", "pgbench"),
        ("office-200", "office hour at 200 %", "dudao"))


def measure(server, client, ledger, recorder, scratch):
    build()
    office = Office(server, client, ledger, scratch)
    ceiling = Ceiling(office, recorder, scratch)
    office.drive(0, 1, knobs.CONNECTIONS)
    rounds = [[] for _ in ROWS]
    for number in range(knobs.ROUNDS):
        peak = office.drive(0, knobs.SECONDS, knobs.CONNECTIONS)
        rate = peak["requests_per_s"]
        normal = office.drive(0.7 * rate, knobs.SECONDS, CONNECTIONS)
        bound = ceiling.drive(0)
        calm = ceiling.drive(0.7 * bound["requests_per_s"])
        flood = office.drive(2 * rate, 2 * knobs.SECONDS, CONNECTIONS)
        flood["share_of_peak"] = flood["requests_per_s"] / rate
        peak["ratio_to_pgbench"] = rate / bound["requests_per_s"]
        for found in normal, calm:
            found["p99_to_p50"] = found["p99_ms"] / found["p50_ms"]
        for kept, found in zip(rounds, (peak, bound, normal, calm, flood)):
            kept.append(found)
        print(f"  office hour {number + 1}/{knobs.ROUNDS}: {rate:.0f}, pgbench "
              f"{bound['requests_per_s']:.0f}; at 70 % p50 "
              f"{normal['p50_ms']:.1f} ms and p99 {normal['p99_ms']:.1f}, "
              f"pgbench {calm['p50_ms']:.1f} and {calm['p99_ms']:.1f}; at "
              f"200 % {flood['share_of_peak']:.0%} of it kept", flush=True)
    rows = []
    for (name, title, system), found in zip(ROWS, rounds):
        row = {"work": name, "title": title, "system": system}
        if system == "dudao":
            row["statuses"] = dict(sum_of([one.pop("statuses")
                                           for one in found]))
        rows.append({**row, **medians(found)})
    return rows


def sum_of(counts):
    pairs = sorted(itertools.chain.from_iterable(c.items() for c in counts))
    for status, group in itertools.groupby(pairs, lambda pair: pair[0]):
        yield status, sum(count for _, count in group)
