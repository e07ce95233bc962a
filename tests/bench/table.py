"""What a run prints and leaves in bench.json."""

import json
import os
import pathlib
import platform
import re
import subprocess
import time

HOME = pathlib.Path(__file__).resolve().parents[2]

COLUMNS = (
    # key, heading, width, digits
    ("requests_per_s", "req/s", 8, 0),
    ("ratio_to_pgbench", "÷ pgbench", 9, 2),
    ("ratio_to_first", "÷ first", 7, 2),
    ("cpu_us_per_request", "CPU µs", 7, 1),
    ("db_cpu_us_per_request", "db µs", 7, 1),
    ("rss_per_worker_mb", "MB", 6, 1),
    ("pss_per_worker_mb", "shared once", 11, 1),
    ("p50_ms", "p50 ms", 8, 2),
    ("p99_ms", "p99 ms", 8, 2),
    ("p999_ms", "p99.9 ms", 8, 2),
)

STARTED = time.monotonic()


def _first_line(*command):
    try:
        return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT).stdout.split("\n")[0]
    except FileNotFoundError:
        return f"{command[0]}: none"


def machine():
    """Where the numbers come from."""
    model = re.search(r"model name\s*: (.*)",
                      pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    print(f"{os.cpu_count()} × {model[1] if model else platform.machine()}, "
          f"{memory / 2**30:.0f} GiB, Linux {platform.release()}")
    kore = _first_line("dpkg-query", "-W", "-f=${Version}", "kore")
    print(" · ".join((f"Kore {kore}", _first_line("pgbench", "--version"),
                      _first_line("wrk", "-v"))))
    settings = [f"{name}={value}" for name, value in sorted(os.environ.items())
                if name.startswith("BENCH_")]
    print("$ " + " ".join([*settings, "make bench"]), flush=True)


def part(name):
    """The time of the run so far stands in front of each part."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"{minutes:2}:{seconds:02} {name}", flush=True)


def write(rows):
    """bench.json and bench.md in the state directory, and the table here."""
    # makes the directory as the service will want to find it
    subprocess.run([HOME / "conf/cluster", "url"], check=True,
                   stdout=subprocess.DEVNULL)
    state = HOME / (os.environ.get("DUDAO_STATE") or "var")
    (state / "bench.json").write_text(
        json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    (state / "bench.md").write_text(_markdown(rows))
    print("\n" + f"{'work':36} {'system':22}" + "".join(
        f" {heading:>{width}}" for _, heading, width, _ in COLUMNS))
    last = None
    for row in rows:
        title = "" if row["title"] == last else row["title"]
        last = row["title"]
        cells = (f"{row[key]:.{digits}f}" if key in row else ""
                 for key, _, _, digits in COLUMNS)
        print(f"{title:36} {row['system']:22}" + "".join(
            f" {cell:>{width}}" for cell, (_, _, width, _)
            in zip(cells, COLUMNS)) + _rest(row))
    print()
    part("the end")


def _rest(row):
    """What only some rows have."""
    said = []
    if "clients" in row:
        said.append(f"{row['clients']} clients"
                    + (", pipeline" if row["is_pipeline"] else ""))
    if "p99_to_p50" in row:
        said.append(f"p99 is {row['p99_to_p50']:.1f} times p50")
    if "share_of_peak" in row:
        said.append(f"{row['share_of_peak']:.0%} of the peak kept")
    if "statuses" in row:
        said.append(", ".join(f"{status}: {count}" for status, count
                              in row["statuses"].items()))
        said.append(f"lost: {row['lost']:.0f}")
    if "start_ms" in row:
        said.append(f"{row['start_ms']} ms")
    if "idle_mb" in row:
        said.append(f"{row['idle_mb']} MB more, {row['memory_mb']} MB in all")
    return "  " + " · ".join(said) if said else ""


def _markdown(rows):
    """The README's table: a line a piece of work, a column a system."""
    by_work, others = {}, []
    for row in rows:
        if "requests_per_s" in row:
            by_work.setdefault(row["work"], {})[row["system"]] = row
            if row["system"] not in ("dudao", "pgbench", *others):
                others.append(row["system"])
    others = [name for name in others if not name.startswith("page")]
    lines = [["work", "dudao, a second", "÷ pgbench", "CPU µs + database's",
              "p99 ms", *(f"{name} ÷ dudao" for name in others)]]
    lines.append(["---"] + ["---:"] * (len(lines[0]) - 1))
    for systems in by_work.values():
        mine = systems.get("dudao")
        if mine is None:
            continue
        lines.append([
            mine["title"], f"{mine['requests_per_s']:,.0f}",
            f"{mine['ratio_to_pgbench']:.2f}"
            if "ratio_to_pgbench" in mine else "",
            f"{mine['cpu_us_per_request']:.0f} + "
            f"{mine['db_cpu_us_per_request']:.0f}", f"{mine['p99_ms']:.1f}",
            *(f"{systems[name]['ratio_to_first']:.2f}"
              if name in systems else "" for name in others)])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
