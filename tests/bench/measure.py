"""Rounds over the systems, and what each has used meanwhile."""

import statistics

import drivers
import knobs
import meter

CLIENTS = (8, 4, 16)    # of pgbench: the best of these is its number
WARM_TRIES, WARM_REQUESTS = 6, 1500
COMPILED = 10_000       # requests after which V8 has compiled a peer


class Database:
    """The cluster of a service."""

    def __init__(self, service):
        self.url = service.database_url("dudao_api")
        self.pid = int((service.state / "pg/postmaster.pid")
                       .read_text().splitlines()[0])


class Server:
    """Something that speaks HTTP, and the database behind it."""

    own = None      # a piece of work of its own in place of the common one

    def __init__(self, name, service=None, url=None, pid=None, database=None):
        self.name, self.service = name, service
        self.url = url or service.url
        self.pid = pid or service.kore_pid()
        self.database = database or Database(service)
        # a process by itself, or those that it has started
        self.workers = meter.tree(self.pid)[1:] or [self.pid]

    def used(self):
        return (meter.cpu_seconds(self.pid),
                meter.cpu_seconds(self.database.pid))

    def per_request(self, before, count):
        """What was used since then, by each of so many requests."""
        own, db = (1e6 * (now - then) / max(1, count)
                   for now, then in zip(self.used(), before))
        return {"cpu_us_per_request": own, "db_cpu_us_per_request": db,
                "rss_per_worker_mb": max(map(meter.resident_mb, self.workers)),
                # all of it, each shared page counted once
                "pss_per_worker_mb": meter.proportional_mb(
                    meter.tree(self.pid)) / len(self.workers)}

    def load(self, work, seconds, scratch):
        work = self.own or work
        work.before()
        before = self.used()
        found = drivers.wrk(self.url, work, seconds, scratch)
        found.update(self.per_request(before, found["requests"]))
        work.after(found)
        return found


class Ceiling:
    """pgbench in the form and with the number of clients that suit it best."""

    name = "pgbench"

    def __init__(self, work, database, scratch):
        self.database, self.tried = database, {}

        def rate(*form):
            found = self._run(work, 1, scratch, form)["requests_per_s"]
            self.tried[form] = found
            return found

        first, *others = CLIENTS if work.connections > 1 else (1,)
        is_pipeline = rate(first, True) > rate(first, False)
        for clients in others:
            rate(clients, is_pipeline)
        self.form = max(self.tried, key=self.tried.get)

    def load(self, work, seconds, scratch):
        return self._run(work, seconds, scratch, self.form)

    def _run(self, work, seconds, scratch, form):
        before = meter.cpu_seconds(self.database.pid)
        found = drivers.pgbench(self.database.url, work, seconds, scratch,
                                *form)
        found["db_cpu_us_per_request"] = 1e6 / max(1, found["requests"]) * (
            meter.cpu_seconds(self.database.pid) - before)
        work.check()
        return found

    def told(self):
        return {"clients": self.form[0], "is_pipeline": self.form[1],
                "tried_per_s": {
                    f"{clients} {'pipeline' if is_pipeline else 'plain'}":
                    round(rate)
                    for (clients, is_pipeline), rate in self.tried.items()}}


def warm(server, work, scratch, requests=WARM_REQUESTS):
    """Until each of its connections has its plans, as the ceiling's have."""
    count = 0
    for _ in range(WARM_TRIES):
        count += server.load(work, 1, scratch)["requests"]
        if count >= requests:
            break


def measure(work, servers, scratch, database):
    """The rows of the table: one a system, medians of the rounds.

    database: of pgbench, or None for no ceiling.
    """
    systems = list(servers)
    if database is not None:
        systems.append(Ceiling(work, database, scratch))
    for server in servers:
        warm(server, work, scratch)
    rounds = [[] for _ in systems]
    for number in range(knobs.ROUNDS):
        for system, found in zip(systems, rounds):
            found.append(system.load(work, knobs.SECONDS, scratch))
        print(f"  {work.title} {number + 1}/{knobs.ROUNDS}: " + ", ".join(
            f"{system.name} {found[-1]['requests_per_s']:.0f}"
            for system, found in zip(systems, rounds)), flush=True)
    rows = []
    for system, found in zip(systems, rounds):
        row = {"work": work.name, "title": work.title, "system": system.name,
               **medians(found), "ratio_to_first": ratio(found, rounds[0])}
        if database is not None:
            row["ratio_to_pgbench"] = ratio(found, rounds[-1])
        rows.append(row)
    if database is not None:
        rows[-1].update(systems[-1].told())
    return rows


def medians(rounds):
    return {key: round(statistics.median(one[key] for one in rounds), 3)
            for key in rounds[0]}


def ratio(mine, theirs):
    """The median of the rounds' ratios: what slows one round slows both."""
    return round(statistics.median(
        one["requests_per_s"] / max(1, other["requests_per_s"])
        for one, other in zip(mine, theirs)), 3)
