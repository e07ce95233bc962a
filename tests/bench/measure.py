"""Rounds over the systems, and what each has used meanwhile."""

import statistics

import drivers
import knobs
import meter

CLIENTS = (8, 4, 16)    # of pgbench: the best of these is its number


class Database:
    """The cluster of a service."""

    def __init__(self, service):
        self.url = service.database_url("dudao_api")
        self.pid = int((service.state / "pg/postmaster.pid")
                       .read_text().splitlines()[0])


class Server:
    """Something that speaks HTTP, and the database behind it."""

    def __init__(self, name, url, pid, database):
        self.name, self.url, self.pid = name, url, pid
        self.database = database
        # a process by itself, or those that it has started
        self.workers = meter.tree(pid)[1:] or [pid]

    def load(self, work, seconds, token, scratch):
        work.before()
        before = meter.cpu_seconds(self.pid)
        before_db = meter.cpu_seconds(self.database.pid)
        found = drivers.wrk(self.url, token, work, seconds, scratch)
        each = 1e6 / found["requests"]
        found["cpu_us_per_request"] = each * (
            meter.cpu_seconds(self.pid) - before)
        found["db_cpu_us_per_request"] = each * (
            meter.cpu_seconds(self.database.pid) - before_db)
        found["rss_per_worker_mb"] = max(map(meter.resident_mb, self.workers))
        work.after(found)
        return found


class Ceiling:
    """pgbench in the form and with the number of clients that suit it best."""

    name = "pgbench"

    def __init__(self, work, database, scratch):
        self.database, self.tried = database, {}

        def rate(clients, is_pipeline):
            found = drivers.pgbench(database.url, work, 1, scratch, clients,
                                    is_pipeline)
            self.tried[clients, is_pipeline] = found["requests_per_s"]
            return found["requests_per_s"]

        first, *others = CLIENTS if work.connections > 1 else (1,)
        is_pipeline = rate(first, True) > rate(first, False)
        for clients in others:
            rate(clients, is_pipeline)
        self.form = max(self.tried, key=self.tried.get)

    def load(self, work, seconds, _, scratch):
        before_db = meter.cpu_seconds(self.database.pid)
        found = drivers.pgbench(self.database.url, work, seconds, scratch,
                                *self.form)
        found["db_cpu_us_per_request"] = 1e6 / found["requests"] * (
            meter.cpu_seconds(self.database.pid) - before_db)
        return found

    def told(self):
        return {"clients": self.form[0], "is_pipeline": self.form[1],
                "tried_per_s": {
                    f"{clients} {'pipeline' if is_pipeline else 'plain'}":
                    round(rate)
                    for (clients, is_pipeline), rate in self.tried.items()}}


def measure(work, servers, database, token, scratch):
    """The rows of the table: one a system, medians of the rounds."""
    ceiling = Ceiling(work, database, scratch)
    systems = [*servers, ceiling]
    for server in servers:
        server.load(work, 1, token, scratch)    # warm, as the ceiling is
    rounds = {system.name: [] for system in systems}
    for number in range(knobs.ROUNDS):
        for system in systems:
            rounds[system.name].append(
                system.load(work, knobs.SECONDS, token, scratch))
        print(f"  {work.title} {number + 1}/{knobs.ROUNDS}: " + ", ".join(
            f"{name} {found[-1]['requests_per_s']:.0f}"
            for name, found in rounds.items()), flush=True)
    rows = []
    for system in systems:
        found = rounds[system.name]
        row = {"work": work.name, "title": work.title, "system": system.name}
        for key in found[0]:
            row[key] = round(statistics.median(r[key] for r in found), 3)
        row["ratio_to_pgbench"] = round(statistics.median(
            mine["requests_per_s"] / theirs["requests_per_s"]
            for mine, theirs in zip(found, rounds["pgbench"])), 3)
        rows.append(row)
    rows[-1].update(ceiling.told())
    return rows
