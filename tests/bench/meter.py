"""What processes have used: CPU seconds and memory, from /proc."""

import contextlib
import os
import pathlib
import re

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """Fields of proc(5) stat from the third on; [] when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return text.rpartition(")")[2].split()
    return []


def tree(root):
    """The process and all below it."""
    children = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            fields = _stat(entry.name)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root):
    """Of the process, all below it, and those of them that have ended."""
    ticks = 0
    for pid in tree(root):
        fields = _stat(pid)
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def resident_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+)", text, re.M)[1]) / 1024


def proportional_mb(pids):
    """Together, with each shared page counted once."""
    total = 0
    for pid in pids:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total / 1024
