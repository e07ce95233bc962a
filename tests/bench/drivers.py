"""The load generators: wrk for HTTP, pgbench for the database alone."""

import os
import pathlib
import re
import subprocess
import sys

import recorder

HERE = pathlib.Path(__file__).resolve().parent
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
COLD_S = 2
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


def _pgbench(database_url, seconds, clients, scripts, variables, principal,
             *options):
    """scripts: as after -f. principal: of the session, if any."""
    command = [PGBENCH, "-n", "-M", "prepared", f"-c{clients}", "-j1",
               f"-T{seconds}", *options]
    for path in scripts:
        command += ["-f", path]
    for name, value in variables.items():
        command.append(f"-D{name}={value}")
    settings = " ".join(f"-c {name}={value}"
                        for name, value in principal.items())
    done = subprocess.run(
        [*command, database_url], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PGOPTIONS": settings})
    if done.returncode != 0 or "failed transactions: 0 " not in done.stdout:
        sys.exit(f"bench: pgbench:\n{done.stdout}{done.stderr}")
    return done


def pgbench(database_url, work, seconds, scratch, clients, is_pipeline):
    """The same transactions by PostgreSQL's own generator.

    A new connection has plans and catalogues to learn, which the service's
    did long ago: the first second does not count.
    """
    transactions = work.transactions
    text, variables = recorder.script(transactions, is_pipeline, work.varying)
    path = scratch / "script.sql"
    path.write_text(text)
    principal = {name: value for name, value in
                 recorder.settings(transactions[0]).items()
                 if name.startswith("dudao")}
    done = _pgbench(database_url, seconds + 1, clients, [path],
                    variables, principal, "-P1")
    first = re.search(r"progress: ([\d.]+) s, ([\d.]+) tps", done.stderr)
    warm_s, cold_rate = (float(text) for text in first.groups())
    if warm_s > seconds:    # a machine under foreign load
        warm_s = cold_rate = 0
    count = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
    rate = max(0, count - cold_rate * warm_s) / (seconds + 1 - warm_s)
    return {"requests": count * len(transactions),
            "requests_per_s": rate * len(transactions)}


def pgbench_mix(database_url, shares, rate, seconds, scratch, clients):
    """Several pieces of work at once, each as the service sends it.

    shares: pairs of a piece of work and its weight. rate: transactions a
    second, or 0 for as many as go; latencies count from when one was due. The
    connections learn their plans in the first COLD_S, which do not count.
    """
    scripts, variables = [], {}
    for number, (work, weight) in enumerate(shares):
        text, found = recorder.script(work.transactions, True, work.varying,
                                      prefix=f"w{number}_")
        path = scratch / f"script{number}.sql"
        path.write_text(text)
        scripts.append(f"{path}@{weight}")
        variables.update(found)
    for old in scratch.glob("latencies.*"):
        old.unlink()
    _pgbench(database_url, seconds + COLD_S, clients, scripts, variables, {},
             "--log", f"--log-prefix={scratch}/latencies",
             *([f"--rate={rate}"] if rate else []))
    # client, number, latency in µs, script, second, microsecond of the end
    ends = []
    for log in scratch.glob("latencies.*"):
        for line in log.read_text().splitlines():
            fields = [int(field) for field in line.split()]
            ends.append((fields[4] + fields[5] / 1e6, fields[2] / 1000))
    began = min(ends)[0] + COLD_S
    latencies = sorted(latency for end, latency in ends if end >= began)
    return {"requests_per_s": len(latencies) / (max(ends)[0] - began),
            **{f"p{name}_ms": latencies[int(share * (len(latencies) - 1))]
               for name, share in (("50", 0.5), ("99", 0.99), ("999", 0.999))}}
