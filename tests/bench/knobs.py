"""What a run can be told from outside; the environment decides."""

import os

SECONDS = int(os.environ.get("BENCH_SECONDS") or 3)
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 3)
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS") or 64)
EVENTS = int(float(os.environ.get("BENCH_EVENTS") or 10e6))
ONLY = set(filter(None, os.environ.get("BENCH_ONLY", "").split(",")))
PEERS = os.environ.get("BENCH_PEERS", "1") != "0"


def is_wanted(*names):
    """Was one of the names asked for, or nothing in particular?"""
    return not ONLY or bool(ONLY.intersection(names))
