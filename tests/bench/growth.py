"""A province beside the county: the same tables a hundred times as large.

Schools and events are made by SQL, the same at every run, past triggers and
policies, with the secondary indexes made afterwards. Loading stops when its
time is over; the table says how far it came.
"""

import concurrent.futures
import contextlib
import threading
import time

import knobs

SCHOOLS = 30_000
SECONDS = 100           # for rows; indexes come on top
BATCH = 100_000

# What becomes of a copied row; n is its number.
ORGANIZATION = {
    "id": "md5('school' || n)::uuid", "code": "'X' || n", "uscc": "null",
    "name": "t.name || n", "short_name": "t.short_name || n",
    "search": "app.bigrams(concat_ws(' ', t.name || n, t.short_name || n))"}
SCHOOL = {
    "id": "md5('school' || n)::uuid",
    "organization_id": "md5('school' || n)::uuid",
    "ident_code": "'5143' || lpad(n::text, 6, '0')",
    "parent_school_id": "null"}

# Shares of the events, and a row of each.
TABLES = {
    "audit_logs": (0.5, """
        insert into dudao.audit_logs(id, at, user_id, role, ip, action,
            subject_type, subject_id, after, request_id, database_role, hash)
        select ('017f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
            '2023-01-01'::timestamptz + n * interval '20 s',
            u.ids[1 + n % cardinality(u.ids)], 'inspector_ft', '10.0.0.1',
            'update', 'visits', md5('visit' || n % 500000)::uuid,
            jsonb_build_object('state', 'submitted', 'version', n % 9,
                'summary', '查看食堂留样与晨检记录'),
            md5(n::text), 'dudao_api', sha256(n::text::bytea)"""),
    "transitions": (0.3, """
        insert into dudao.transitions(id, subject_type, subject_id, action,
            from_state, to_state, actor, role, at, comment)
        select ('017f0000-0000-7000-8001-' || lpad(to_hex(n), 12, '0'))::uuid,
            'visits', md5('visit' || n % 500000)::uuid, 'submit', 'draft',
            'submitted', u.ids[1 + n % cardinality(u.ids)], 'inspector_ft',
            '2023-01-01'::timestamptz + n * interval '30 s', '已提交'"""),
    "notifications": (0.2, """
        insert into dudao.notifications(id, recipient_user_id, kind, title,
            body, subject_type, subject_id, created_at, updated_at, read_at,
            dedupe_key)
        select ('017f0000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid,
            u.ids[1 + n % cardinality(u.ids)], 'visit_submitted',
            '督导记录待审阅', '查看食堂留样与晨检记录', 'visits',
            md5('visit' || n % 500000)::uuid, x.at, x.at, x.at, 'grown' || n""")}
EACH = """
        from generate_series({first}, {last}) n,
            (select array_agg(id order by id) as ids from dudao.users) u,
            lateral (select '2023-01-01'::timestamptz
                + n * interval '50 s' as at) x"""


@contextlib.contextmanager
def superuser(service):
    with contextlib.closing(service.connect("postgres")) as db, \
            db.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute("set synchronous_commit = off")
        cursor.execute("set maintenance_work_mem = '512MB'")
        yield cursor


def copy(cursor, table, replaced, source):
    """Rows of the table, some of their columns replaced."""
    cursor.execute(
        "select attname from pg_attribute where attrelid = %s::regclass"
        " and attnum > 0 and not attisdropped and attgenerated = ''"
        " and attidentity = ''", ("dudao." + table,))
    names = [name for name, in cursor.fetchall()]
    cursor.execute(
        f"insert into dudao.{table} ({', '.join(names)}) select "
        + ", ".join(replaced.get(name, "t." + name) for name in names)
        + f" from {source}")


def _load(service, table, end, is_over):
    """How many rows there was time for."""
    share, text = TABLES[table]
    wanted, made = int(knobs.EVENTS * share), 0
    with superuser(service) as cursor:
        cursor.execute(
            "select format('drop index %%s', i.indexrelid::regclass),"
            " pg_get_indexdef(i.indexrelid) from pg_index i"
            " where i.indrelid = %s::regclass and not exists (select"
            "  from pg_constraint c where c.conindid = i.indexrelid)",
            ("dudao." + table,))
        indexes = cursor.fetchall()
        for drop, _ in indexes:
            cursor.execute(drop)
        while made < wanted and time.monotonic() < end \
                and not is_over.is_set():
            count = min(BATCH, wanted - made)
            cursor.execute(text + EACH.format(
                first=made + 1, last=made + count))
            made += count
        for _, create in indexes:
            if not is_over.is_set():
                cursor.execute(create)
        cursor.execute(f"vacuum (analyze) dudao.{table}")
    return made


def grow(service):
    """Loads; what it was, in words."""
    started = time.monotonic()
    with superuser(service) as cursor:
        cursor.execute("alter system set fsync = off")
        cursor.execute("select pg_reload_conf()")
        cursor.execute("select count(*) from dudao.schools")
        [present] = cursor.fetchone()
        copies = (f"(select s.id, row_number() over (order by s.id) as place"
                  f" from dudao.schools s) s, lateral generate_series(s.place,"
                  f" {SCHOOLS - present}, {present}) n")
        for table, replaced in ("organizations", ORGANIZATION), (
                "schools", SCHOOL):
            copy(cursor, table, replaced,
                 f"dudao.{table} t, {copies} where t.id = s.id")
        cursor.execute("vacuum (analyze) dudao.schools, dudao.organizations")
    is_over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        try:
            made = sum(threads.map(
                lambda table: _load(service, table, started + SECONDS,
                                    is_over), TABLES))
        finally:
            is_over.set()       # when interrupted: no more of it
    with superuser(service) as cursor:
        cursor.execute("alter system reset fsync")
        cursor.execute("select pg_reload_conf()")
        cursor.execute("checkpoint")
    said = (f"{SCHOOLS} schools, {made / 1e6:.1f} million events "
            f"in {time.monotonic() - started:.0f} s")
    print(f"  province: {said}", flush=True)
    return said
