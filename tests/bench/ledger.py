"""Problems that wait to be struck off, many thousands of them.

One is brought there through the API, step by step, with its report and its
review; the others are copies of its rows, numbered, each used once.
"""

import contextlib
import sys

import knobs
import works
from growth import copy, superuser
from support import ledger

TABLES = (("problems", "id"), ("rectification_reports", "problem_id"),
          ("problem_reviews", "problem_id"), ("deadlines", "subject_id"))
NUMBER = "lpad(to_hex(n), 12, '0')"
PROBLEM = f"('b0000000-0000-7000-8000-' || {NUMBER})::uuid"
RATE_MAX = 2000     # strike-offs a second that a run is prepared for
REPORT = f"('b1000000-0000-7000-8000-' || {NUMBER})::uuid"

NEXT_PROBLEM = ("('b0000000-0000-7000-8000-' ||"
                " lpad(to_hex(nextval('public.bench_ledger')), 12, '0'))")


def problem_id(number):
    return f"b0000000-0000-7000-8000-{number:012x}"


def fill(service, api, count):
    """Makes the copies, past triggers and policies, as a superuser only can."""
    with contextlib.closing(service.connect()) as db:
        original = ledger.verifying(api, db)["id"]
        ledger.review(api, db, {"id": original})
    with superuser(service) as cursor:
        for table, key in TABLES:
            replaced = {"id": REPORT if table == "rectification_reports"
                        else "app.uuid_v7()", "report_id": REPORT,
                        key: PROBLEM, "code": "'WT-0000-' || n"}
            copy(cursor, table, replaced,
                 f"dudao.{table} t, generate_series(1, {count}) n"
                 f" where t.{key} = '{original}'")
        cursor.execute("create sequence public.bench_ledger")
        cursor.execute("grant usage on schema public to dudao_api")
        cursor.execute("grant usage on public.bench_ledger to dudao_api")
        cursor.execute("vacuum (analyze) dudao.problems,"
                       " dudao.rectification_reports, dudao.problem_reviews")
        # The log's segments are used again from here on, as after any
        # checkpoint: making a new one stops all commits for 50 ms.
        cursor.execute("checkpoint")
    return original


class StrikeOff(works.Work):
    """Each transaction takes the next number, over HTTP and in pgbench."""

    count = used = room = 0
    service = None
    body = '{"comment": "现场复核，整改到位"}'

    def sequence(self, call, *values):
        with contextlib.closing(self.service.connect("postgres")) as db, \
                db.cursor() as cursor:
            cursor.execute(f"select {call}", values)
            return cursor.fetchone()[0]

    def next_requests(self, count):
        self.used = self.sequence("nextval('public.bench_ledger')")
        if self.used + count > self.count:
            sys.exit("bench: the ledger's problems are used up")
        return [self.request(self.used + n) for n in range(count)]

    def request(self, number):
        return ("POST", f"/v1/problems/{problem_id(number)}/strike-off",
                self.body)

    def record(self, recorder, url):
        def strike_next():
            self.requests = self.next_requests(1)
            self.send(url)

        self.transactions = [recorder.record(strike_next)]
        self.varying = {problem_id(self.used): NEXT_PROBLEM}
        return self

    def before(self):
        self.requests = self.next_requests(self.room)

    def check(self):
        self.next_requests(1)   # without a problem there is less to do

    def after(self, found):
        """What was sent is used up, also what was under way at the end."""
        self.sequence("setval('public.bench_ledger', %s)",
                      self.used + found["requests"] + self.connections)


def strike_offs():
    """How many a run needs at most: two systems' rounds, and warming up."""
    return RATE_MAX * (2 * knobs.ROUNDS * (knobs.SECONDS + 1) + 16)


def strike_off(service, client, count):
    work = StrikeOff("strike-off", "strike-off: guards, history, outbox", [],
                     client.token, headers={"Content-Type": "application/json"},
                     is_once=True)
    work.service, work.count = service, count
    work.room = RATE_MAX * knobs.SECONDS
    return work
