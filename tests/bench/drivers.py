"""The load generators: wrk for HTTP, pgbench for the database alone."""

import os
import pathlib
import re
import subprocess
import sys

import recorder

HERE = pathlib.Path(__file__).resolve().parent
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}


def wrk(url, work, seconds, scratch):
    """Closed loop; a wrong answer ends the benchmark."""
    command = ["wrk", "--latency", "--timeout", "10s", "-t1", f"-c{work.connections}",
               f"-d{seconds}s"]
    for name, value in work.sent_headers().items():
        command += ["-H", f"{name}: {value}"]
    if len(work.requests) == 1 and work.requests[0][0] == "GET":
        command.append(url + work.requests[0][1])
    else:
        lines = scratch / "requests"
        lines.write_text("".join(" ".join(request).rstrip() + "\n"
                                 for request in work.requests))
        command += ["-s", HERE / "requests.lua", url, "--", lines,
                    "once" if work.is_once else "again"]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0 or re.search(
            r"Non-2xx|Socket errors|used up", done.stdout):
        sys.exit(f"bench: {work.name} at {url}:\n{done.stdout}")

    def percentile(which):
        number, unit = re.search(
            rf"^ +{which}% +([\d.]+)(us|ms|s|m) *$", done.stdout, re.M).groups()
        return float(number) * MILLISECONDS[unit]

    return {
        "requests": int(re.search(r"(\d+) requests in", done.stdout)[1]),
        "requests_per_s": float(
            re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]),
        "p50_ms": percentile(50),
        "p99_ms": percentile(99)}


def pgbench(database_url, work, seconds, scratch, clients, is_pipeline):
    """The same transactions by PostgreSQL's own generator.

    A new connection has plans and catalogues to learn, which the service's
    did long ago: the first second does not count.
    """
    transactions = work.transactions
    text, variables = recorder.script(transactions, is_pipeline, work.varying)
    path = scratch / "script.sql"
    path.write_text(work.prologue + text)
    options = " ".join(
        f"-c {name}={value}" for name, value in
        recorder.settings(transactions[0]).items() if name.startswith("dudao"))
    command = [PGBENCH, "-n", "-M", "prepared", f"-c{clients}", "-j1", "-P1",
               f"-T{seconds + 1}", "-f", path]
    for name, value in {**variables, **work.variables}.items():
        command.append(f"-D{name}={value}")
    done = subprocess.run(
        [*command, database_url], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PGOPTIONS": options})
    if done.returncode != 0 or "failed transactions: 0 " not in done.stdout:
        sys.exit(f"bench: {work.name}: pgbench:\n{done.stdout}{done.stderr}")
    first = re.search(r"progress: ([\d.]+) s, ([\d.]+) tps", done.stderr)
    warm_s, cold_rate = (float(text) for text in first.groups())
    if warm_s > seconds:    # a machine under foreign load
        warm_s = cold_rate = 0
    count = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
    rate = max(0, count - cold_rate * warm_s) / (seconds + 1 - warm_s)
    return {"requests": count * len(transactions),
            "requests_per_s": rate * len(transactions)}
