"""What anybody reads: 10.2, C2.3.1.c. Exactly what is published, and nothing
of the inside."""

import re
import threading

import pytest

from support.client import Client, unique
from support.contract import UUID
from support.sql import rows

PERSONS = re.compile(r"1[3-9][0-9]{9}|[0-9]{17}[0-9Xx]")
BODY = "问题：食堂留样不规范。措施：配备专用留样冰箱。"

# Members that belong to the inside.
INNER = {"state", "allowed_actions", "version", "created_by", "updated_by",
         "approved_by", "approved_at", "secrecy_review", "redaction_note",
         "subject_id", "subject_type", "publisher_org_id", "is_demo",
         "withdraw_reason", "inspector_id", "attachment_id"}


def value(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        return row and row[0]


def published(api, **members):
    """An item of the office, public."""
    office = api.login("office_staff")
    item = office.create("publications", {
        "kind": "other", "title": f"公示{unique()}", "body": BODY, **members})
    office.act("publications", item, "submit", {})
    api.login("deputy_chief_inspector").act(
        "publications", item, "secrecy-check", {"result": "pass"})
    api.login("chief_inspector").act("publications", item, "approve", {})
    channel = office.one("publication-channels", kind="gov_portal")
    return office.act("publications", item, "publish", {"placements": [
        {"channel_id": channel["id"],
         "url": f"https://portal.example/{unique()}"}]})


def members(data):
    """Names of all members, at any depth."""
    if isinstance(data, dict):
        return set(data) | set().union(*map(members, data.values()), set())
    if isinstance(data, list):
        return set().union(*map(members, data), set())
    return set()


def public_lists(api):
    return sorted(template for method, template, _ in api.contract.operations()
                  if template.startswith("/v1/public/") and method == "get"
                  and "{" not in template)


@pytest.mark.clause("10.2", "C2.3.1.c")
def test_public_reads_need_no_account(api):
    lists = public_lists(api)
    assert {"/v1/public/publications", "/v1/public/rectifications",
            "/v1/public/appointment-notices", "/v1/public/plaques",
            "/v1/public/policy-documents"} <= set(lists)
    for method, template, operation in api.contract.operations():
        if template.startswith("/v1/public/"):
            assert operation["security"] == [] and method == "get", template
    for path in lists:
        # an answer that is the same for everybody, with or without a token
        anonymous = api.get(path, status=200)
        assert anonymous.headers["Cache-Control"].startswith("public"), path
        assert "Set-Cookie" not in anonymous.headers
        known = api.login("school_account").get(path, status=200)
        assert known.json() == anonymous.json(), path


@pytest.mark.clause("10.2", "4.4")
def test_nothing_of_the_inside(api):
    published(api)
    shown = {}
    for path in public_lists(api):
        data = api.get(path, status=200).json()
        if "page" in data:
            data = api.get(path, status=200, params={"limit": 200}).json()
            data = data["data"]
        shown[path] = data
        inner = members(data) & INNER
        if path == "/v1/public/policy-documents":
            inner -= {"state"}      # in force, superseded, repealed: public
        assert not inner, (path, inner)
        if path != "/v1/public/plaques":
            # no phone but that of a plaque; random ids may look like one
            assert not PERSONS.search(UUID.sub("", str(data))), path
    assert shown["/v1/public/publications"]
    assert shown["/v1/public/plaques"]
    assert shown["/v1/public/policy-documents"]


@pytest.mark.clause("R-PUB-04", "C2.3.1.c")
def test_exactly_what_is_published(api, db):
    published(api)
    with db.cursor() as cursor:
        cursor.execute(
            "select code from dudao.publications where state in"
            " ('published', 'corrected')"
            " and coalesce(expires_at > now(), true)")
        wanted = {code for code, in cursor.fetchall()}
        cursor.execute("select code from dudao.publications where not"
                       " (state in ('published', 'corrected')"
                       " and coalesce(expires_at > now(), true))")
        hidden = {code for code, in cursor.fetchall()}
    assert {p["code"] for p in api.list("public/publications")} == wanted
    for code in wanted:
        shown = api.get(f"/v1/public/publications/{code}", status=200).json()
        assert shown["code"] == code and shown["placements"]
    for code in list(hidden)[:20]:
        api.get(f"/v1/public/publications/{code}", status=(404, 410))


@pytest.mark.clause("3.23")
def test_no_step_before_the_last_is_public(api):
    office, path = api.login("office_staff"), "/v1/public/publications/"
    item = office.create("publications", {
        "kind": "other", "title": f"公示{unique()}", "body": BODY})
    steps = [("office_staff", "submit", {}),
             ("deputy_chief_inspector", "secrecy-check", {"result": "pass"}),
             ("chief_inspector", "approve", {})]
    for login, action, body in [(None, None, None)] + steps:
        if action:
            api.login(login).act("publications", item, action, body)
        api.get(path + item["code"], status=404)
        assert api.list("public/publications", q=item["title"]) == []
    channel = office.one("publication-channels", kind="gov_portal")
    office.act("publications", item, "publish", {"placements": [
        {"channel_id": channel["id"], "url": "https://portal.example/x"}]})
    shown = api.get(path + item["code"], status=200).json()
    assert (shown["title"], shown["body"]) == (item["title"], item["body"])
    [placement] = shown["placements"]
    assert placement["url"] == "https://portal.example/x"
    assert placement["channel"] == channel["name"]
    assert api.list("public/publications", q=item["title"]) == [shown]


@pytest.mark.clause("10.2")
def test_search_and_filters(api):
    item = published(api, kind="circular", title=f"枫树坳校车整治{unique()}")

    def codes(**params):
        return {p["code"] for p in api.list("public/publications", **params)}

    for q in ("枫树坳", "楓樹坳", "校车"):
        assert item["code"] in codes(q=q)
    assert item["code"] not in codes(q="枫树湾")
    assert item["code"] in codes(kind="circular", q="枫树坳")
    assert item["code"] in codes(kind=["circular", "policy"])
    assert item["code"] not in codes(kind="policy")
    assert item["code"] not in {
        p["code"] for p in api.list("public/rectifications")}
    assert item["code"] not in {
        p["code"] for p in api.list("public/appointment-notices")}
    order = [p["published_at"] for p in api.list("public/publications")]
    assert order == sorted(order, reverse=True)
    api.get("/v1/public/publications", status=400, params={"state": "draft"})


@pytest.mark.clause("C2.3.2.g", "10.2")
def test_rectifications_of_a_unit(api, db):
    shown = api.one("public/rectifications")
    assert shown["kind"] == "rectification_disclosure"
    unit = value(
        db, "select o.code from dudao.organizations o join dudao.publications"
        " p on p.publisher_org_id = o.id where p.code = %s", shown["code"])
    assert shown["code"] in {
        p["code"] for p in api.list("public/rectifications", unit=unit)}
    assert api.list("public/rectifications", unit="ORG-OFF") == []
    assert api.list("public/rectifications", unit="nobody") == []


@pytest.mark.clause("C2.3.1.b", "10.2")
def test_what_was_published_stays_whole(api, db):
    """Who published it and where, when the unit and the channel are gone."""
    office = api.login("office_staff")
    shown = api.one("public/rectifications")
    unit = office.one("organizations", code=value(
        db, "select o.code from dudao.organizations o join dudao.publications"
        " p on p.publisher_org_id = o.id where p.code = %s", shown["code"]))
    channels = [office.read("publication-channels", id) for id, in rows(
        db, "select pl.channel_id from dudao.publication_placements pl"
        " join dudao.publications p on p.id = pl.publication_id"
        " where p.code = %s", shown["code"])]
    assert shown["publisher"] == unit["name"] and channels
    gone = office.change("organizations", unit, {"status": "suspended"})
    try:
        for channel in channels:
            office.change("publication-channels", channel, {"active": False})
        assert api.one("public/rectifications", unit=unit["code"]) == shown
    finally:
        office.change("organizations", gone, {"status": "operating"})
        for channel in channels:
            office.change("publication-channels", office.read(
                "publication-channels", channel["id"]), {"active": True})


@pytest.mark.clause("10.2")
def test_absent_items(api):
    for code in ("GK-2020-999999", "WT-2026-000001"):
        for lang in ("zh-CN", "en"):
            answer = api.get(f"/v1/public/publications/{code}", status=404,
                             lang=lang)
            assert answer.json()["code"] == "not-found"
            assert answer.headers["Content-Language"] == lang
            assert "public" not in answer.headers.get("Cache-Control", "")
    api.get("/v1/public/publications/draft", status=(400, 404))


@pytest.mark.clause("10.2")
def test_cached_copies_are_told_of_changes(api):
    item = published(api)
    path = f"/v1/public/publications/{item['code']}"
    first = api.get(path, status=200)
    assert "max-age" in first.headers["Cache-Control"]
    etag = first.headers["ETag"]
    api.get(path, status=304, headers={"If-None-Match": etag})
    # a placement more is another text, though the item has not changed
    office = api.login("office_staff")
    channel = office.one("publication-channels", kind="official_account")
    office.create("publication-placements", {
        "publication_id": item["id"], "channel_id": channel["id"],
        "url": "https://account.example/1"})
    second = api.get(path, status=200, headers={"If-None-Match": etag})
    assert len(second.json()["placements"]) == 2
    listing = api.get("/v1/public/publications", status=200)
    api.get("/v1/public/publications", status=304,
            headers={"If-None-Match": listing.headers["ETag"]})


@pytest.mark.clause("10.2", "C2.2.2.f")
def test_plaques_are_the_posted_ones(api, db):
    shown = api.list("public/plaques")
    with db.cursor() as cursor:
        cursor.execute("select id::text from dudao.plaques"
                       " where state = 'posted'")
        assert {p["id"] for p in shown} == {id for id, in cursor.fetchall()}
    for plaque in shown[:20]:
        assert plaque["school_name"] and plaque["inspector_name"]


@pytest.mark.clause("10.2")
def test_policy_documents_are_the_public_ones(api, db):
    with db.cursor() as cursor:
        cursor.execute(
            "select id::text from dudao.policy_documents where is_public and"
            " voided_at is null and state in ('in_force', 'superseded',"
            " 'repealed')")
        wanted = {id for id, in cursor.fetchall()}
    assert {d["id"] for d in api.list("public/policy-documents")} == wanted


@pytest.mark.clause("4.3")
def test_the_public_sees_no_inner_table(as_login, db):
    """The database alone, without the API's help."""
    public = as_login("public")
    with db.cursor() as cursor:
        cursor.execute("select c.relname from pg_class c where c.relnamespace"
                       " = 'dudao'::regnamespace and c.relkind in ('r', 'p')"
                       " and has_any_column_privilege('dudao_api', c.oid,"
                       " 'select')")
        tables = {name for name, in cursor.fetchall()}
    open_tables = {
        # reference and what is published
        "divisions", "code_items", "semesters", "calendar_days",
        "organizations", "schools", "persons", "leadership_terms", "zones",
        "zone_memberships", "inspectors", "inspector_appointments", "plaques",
        "policy_documents", "publications", "publication_channels",
        "publication_placements", "attachments",
        # who sits on the committee and leads its office
        "committee_members", "member_units", "office_staff",
        # by what everybody is evaluated
        "indicator_frameworks", "indicators",
        # approved budgets, published reports, awards in publicity or granted
        "budgets", "supervision_reports", "awards"}
    seen = {table for table in tables
            if value(public, f"select count(*) from dudao.{table}")}
    assert seen <= open_tables, seen - open_tables
    assert value(public, "select count(*) from dudao.publications where state"
                         " not in ('published', 'corrected')") == 0
    for statement in ("update dudao.publications set title = title",
                      "update dudao.publication_placements set url = url"):
        with public.cursor() as cursor:
            cursor.execute(statement)
            assert cursor.rowcount == 0


@pytest.mark.clause("10.2")
def test_public_reads_are_limited(make_service):
    service = make_service(DUDAO_PUBLIC_RATE_LIMIT=20,
                           DUDAO_WORKERS=1).start()
    client = Client(service)
    answers = [client.get("/v1/public/publications") for _ in range(25)]
    statuses = [a.status_code for a in answers]
    assert statuses[:15] == [200] * 15 and 429 in statuses
    refused = answers[statuses.index(429)]
    assert refused.json()["code"] == "too-many-requests"
    assert int(refused.headers["Retry-After"]) >= 1
    assert "20" in refused.headers["RateLimit-Policy"]
    assert "r=0" in refused.headers["RateLimit"]
    # who watches the service from the same address is not turned away
    for path in ("/livez", "/readyz", "/metrics", "/problems"):
        client.get(path, status=200)


@pytest.mark.clause("10.2")
def test_many_readers_at_once(api):
    """Anonymous requests share no principal with others on the connection."""
    item, wrong = published(api), []

    def read(client, path, expected):
        for _ in range(15):
            answer = client.get(path)
            if answer.status_code != expected:
                wrong.append((client.name, path, answer.status_code))

    draft = api.login("office_staff").create("publications", {
        "kind": "other", "title": "未公开", "body": BODY})
    threads = [threading.Thread(target=read, args=args) for args in (
        (api.with_token(None), f"/v1/public/publications/{item['code']}", 200),
        (api.with_token(None), f"/v1/public/publications/{draft['code']}", 404),
        (api.login("office_staff"), f"/v1/publications/{draft['id']}", 200),
        (api.login("school_account"), f"/v1/publications/{draft['id']}", 404))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
