"""Lists: pages, cursors, sorting, filters, counting, fields, search."""

import base64
import http.client
import json
import threading
import urllib.parse

import pytest
import requests

from support.client import Client, unique
from support.service import wait_for

SCHOOLS = "/v1/schools"


@pytest.fixture(scope="module")
def office(api):
    return api.login("office_staff")


def page(client, path=SCHOOLS, status=200, **params):
    return client.get(path, params=params, status=status).json()


def walk(client, path, backward=False, **params):
    """All pages by the cursors of the pages."""
    kind = "prev_cursor" if backward else "next_cursor"
    pages, cursor = [], params.pop("cursor", None)
    while True:
        if cursor:
            params["cursor"] = cursor
        pages.append(page(client, path, **params))
        cursor = pages[-1]["page"][kind]
        if cursor is None:
            return pages
        assert len(pages) < 500


def ids(pages):
    return [row["id"] for one in pages for row in one["data"]]


def faults(answer):
    return {(e["parameter"], e["code"]) for e in answer["errors"]}


# --- limit --------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["0", "201", "-1", "", "x", "1.5", "+5",
                                   " 5", "0x10", "99999999999999999999"])
def test_limit_out_of_bounds(office, limit):
    answer = page(office, limit=limit, status=400)
    assert [e["parameter"] for e in answer["errors"]] == ["limit"]


@pytest.mark.parametrize("limit", [1, 7, 200])
def test_limit_is_kept(office, limit):
    answer = page(office, limit=limit)
    assert len(answer["data"]) == limit == answer["page"]["limit"]
    assert answer["page"]["has_more"] is True


def test_limit_by_default(office):
    assert page(office)["page"]["limit"] == 50


# --- cursors ------------------------------------------------------------------


def test_pages_forth_and_back(office):
    """Every row once, in the same order both ways."""
    forth = walk(office, SCHOOLS, limit=37)
    seen = ids(forth)
    assert len(seen) == len(set(seen)) > 37
    assert seen == ids([page(office, limit=200)]) + ids(
        walk(office, SCHOOLS, limit=200)[1:])
    assert forth[0]["page"]["prev_cursor"] is None
    assert all(one["page"]["has_more"] for one in forth[:-1])
    assert forth[-1]["page"]["has_more"] is False

    back = walk(office, SCHOOLS, backward=True, limit=37,
                cursor=forth[-1]["page"]["prev_cursor"])
    assert ids(reversed(back)) == ids(forth[:-1])
    # From any page, forth and back is the page itself.
    middle = forth[len(forth) // 2]
    after = page(office, limit=37, cursor=middle["page"]["next_cursor"])
    again = page(office, limit=37, cursor=after["page"]["prev_cursor"])
    assert again["data"] == middle["data"]


def test_limit_may_change_between_pages(office):
    first = page(office, limit=10)
    second = page(office, limit=25, cursor=first["page"]["next_cursor"])
    assert ids([first, second]) == ids([page(office, limit=35)])


def test_link_header(office):
    """RFC 8288; it can be followed as it stands."""
    path, seen = f"{SCHOOLS}?limit=150&stages=primary&sort=-name", []
    while path:
        answer = office.get(path, status=200)
        seen += ids([answer.json()])
        links = requests.utils.parse_header_links(
            answer.headers.get("Link", ""))
        path = next((link["url"] for link in links
                     if link["rel"] == "next"), None)
        assert path is None or path.startswith(f"{SCHOOLS}?")
    assert seen == ids(walk(office, SCHOOLS, limit=200, stages="primary",
                            sort="-name"))
    assert any(link["rel"] == "prev" for link in links)


def test_cursor_belongs_to_its_query(api, office):
    cursor = page(office, limit=5, stages="primary")["page"]["next_cursor"]
    page(office, limit=5, stages="primary", cursor=cursor)
    for params in ({}, {"stages": "junior"}, {"sort": "-name"},
                   {"stages": "primary", "sort": "name"},
                   {"stages": "primary", "q": "小学"},
                   {"stages": ["primary", "junior"]}):
        answer = page(office, cursor=cursor, status=400, **params)
        assert faults(answer) == {("cursor", "cursor-mismatch")}
    answer = page(office, "/v1/persons", cursor=cursor, status=400)
    assert faults(answer) == {("cursor", "cursor-mismatch")}
    # Another user sees other rows: it is not his cursor.
    answer = page(api.login("chief_inspector"), cursor=cursor, status=400,
                  stages="primary")
    assert faults(answer) == {("cursor", "cursor-mismatch")}


def test_tampered_cursor(office):
    cursor = page(office, limit=5)["page"]["next_cursor"]
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    wrong = ["A", "abc", cursor[:-4], cursor + "AAAA", "A" * 1024]
    for at in (0, 16, 17, 40, len(raw) - 1):
        changed = bytearray(raw)
        changed[at] ^= 1
        wrong.append(base64.urlsafe_b64encode(changed).decode().rstrip("="))
    for one in wrong:
        answer = page(office, cursor=one, status=400)
        assert faults(answer) == {("cursor", "cursor-invalid")}, one
    for one in ("", "x" * 1025, "a b", "a'b", "ä"):
        answer = page(office, cursor=one, status=400)
        assert {e["parameter"] for e in answer["errors"]} == {"cursor"}


def test_walk_under_inserts(office, db):
    """Rows that were there are seen exactly once, whatever comes between."""
    name = unique("翻页")
    with db.cursor() as cursor:
        cursor.execute("insert into dudao.persons (name, code)"
                       " select %s, %s || n from generate_series(101, 220) n"
                       " returning id::text", (name, name))
        before = {id for (id,) in cursor.fetchall()}
    is_over, count = threading.Event(), [0]

    def insert():
        with db.cursor() as cursor:
            while not is_over.is_set() and count[0] < 400:
                # before, within and behind what is being read
                cursor.execute(
                    "insert into dudao.persons (name, code) values"
                    " (%s, %s || '1' || (random() * 1e9)::bigint)",
                    (name, name))
                count[0] += 1

    thread = threading.Thread(target=insert)
    thread.start()
    try:
        wait_for(lambda: count[0] > 0)
        for sort in ("code", "-code", "name,-code"):
            for backward in (False, True):
                params = {"limit": 11, "q": name, "sort": sort}
                if backward:
                    last = walk(office, "/v1/persons", **params)[-1]
                    params["cursor"] = last["page"]["prev_cursor"]
                seen = ids(walk(office, "/v1/persons", backward, **params))
                if backward:
                    seen += ids([last])
                assert len(seen) == len(set(seen))
                assert before <= set(seen)
    finally:
        is_over.set()
        thread.join()
    assert count[0] > 10


def test_equal_keys_are_walked(office, db):
    """The id ends every order: a page may end within equal keys."""
    name = unique("同名")
    with db.cursor() as cursor:
        cursor.execute("insert into dudao.persons (name, code)"
                       " select %s, %s || n from generate_series(1, 23) n",
                       (name, name))
    for sort in ("name", "-name"):
        seen = ids(walk(office, "/v1/persons", limit=5, q=name, sort=sort))
        assert len(seen) == len(set(seen)) == 23


def test_deleted_row_at_the_edge(office, db):
    """A cursor holds keys, not a row."""
    name = unique("缺口")
    with db.cursor() as cursor:
        cursor.execute("insert into dudao.persons (name, code)"
                       " select %s, %s || n from generate_series(101, 110) n",
                       (name, name))
    first = page(office, "/v1/persons", limit=4, q=name, sort="code")
    with db.cursor() as cursor:
        # The row at the edge moves to the end.
        cursor.execute("update dudao.persons set code = code || 'z9'"
                       " where id = %s", (first["data"][3]["id"],))
        cursor.execute("update dudao.persons set code = %s where id = %s",
                       (name + "999", first["data"][3]["id"]))
    second = page(office, "/v1/persons", limit=4, q=name, sort="code",
                  cursor=first["page"]["next_cursor"])
    assert [row["code"][-3:] for row in second["data"]] \
        == ["105", "106", "107", "108"]


def test_long_keys_page_as_well(office, db):
    """A cursor that the service gives is one that it takes."""
    name = ("长" * 100)
    with db.cursor() as cursor:
        cursor.execute("insert into dudao.persons (name, code)"
                       " select %s, %s || n from generate_series(101, 103) n",
                       (name, unique("L")))
    seen = ids(walk(office, "/v1/persons", limit=1, q="长长",
                    sort="-name,-code"))
    assert len(seen) == len(set(seen)) >= 3


# --- sort ---------------------------------------------------------------------


@pytest.mark.parametrize("sort", [
    "ident_code", "-ident_code", "name", "-name", "student_count",
    "-student_count", "student_count,name", "-student_count,name",
    "student_count,-name", "-licence_valid_to,-student_count,name"])
def test_sort(office, sort):
    """As Python sorts the whole, over several pages."""
    rows = [row for one in walk(office, SCHOOLS, limit=61, sort=sort)
            for row in one["data"]]

    def key_of(name):
        def key(row):
            value = row[name]
            if name == "student_count":
                return -1 if value is None else value
            if name == "licence_valid_to":
                return "infinity" if value is None else value
            return value
        return key

    assert len(rows) > 61
    expected, keys = list(rows), sort.split(",")
    expected.sort(key=lambda row: row["id"], reverse=keys[-1][0] == "-")
    for name in reversed(keys):
        expected.sort(key=key_of(name.lstrip("-")), reverse=name[0] == "-")
    assert [row["id"] for row in rows] == [row["id"] for row in expected]


@pytest.mark.parametrize("sort", [
    "nonsense", "name,name", "name,-name", "id,name", "version",
    "name,ident_code,student_count,licence_valid_to,name", "name,", "-",
    "Name", "name desc", "name;drop", "--name", ""])
def test_unknown_sort(office, sort):
    answer = page(office, sort=sort, status=400)
    assert {e["parameter"] for e in answer["errors"]} == {"sort"}


# --- parameters ---------------------------------------------------------------


def test_all_wrong_parameters_are_named(office):
    answer = office.get(
        SCHOOLS + "?limit=0&nonsense=1&sort=nothing&limit=5&stages=nursery"
        "&status=&status=&counts_in_ratio=perhaps&licence_valid_to.lte=soon"
        "&licence_valid_to.ge=2026-01-01&zone_id=4&count=roughly&q=a&q=b"
        "&licence_valid_to.gte=2026-02-30", status=400).json()
    assert answer["code"] == "invalid-parameter"
    named = {e["parameter"]: e["code"] for e in answer["errors"]}
    assert set(named) == {
        "limit", "nonsense", "sort", "stages", "status", "counts_in_ratio",
        "licence_valid_to.lte", "licence_valid_to.ge", "zone_id", "count", "q",
        "licence_valid_to.gte"}
    assert named["nonsense"] == named["licence_valid_to.ge"] \
        == "unknown-parameter"
    assert named["q"] == named["limit"] == "repeated-parameter"
    assert all(e["in"] == "query" for e in answer["errors"])


@pytest.mark.parametrize("query", [
    "q=%", "q=%zz", "q=%ff%fe", "q=%00", "%=1", "q=%c0%80"])
def test_encoding_faults(server, office, query):
    # Not by requests, which would encode it anew.
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", f"{SCHOOLS}?{query}",
                       headers={"Authorization": f"Bearer {office.token}"})
    answer = connection.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read())["code"] == "invalid-parameter"
    connection.close()


def test_values_are_values(office):
    """What looks like SQL is looked for as text."""
    for text in ("'; drop table", "{}", '{"a"}', "a,b", "\\", "%", "_%",
                 "$1", ":q", "(select 1)", "null", '"'):
        assert page(office, q=text)["data"] == []
        assert page(office, ident_code=text[:10])["data"] == []
    assert page(office, limit=1)["data"]


def test_repeated_filter_is_or(office):
    one = ids(walk(office, SCHOOLS, limit=200, stages="kindergarten"))
    two = ids(walk(office, SCHOOLS, limit=200, stages="senior"))
    both = ids(walk(office, SCHOOLS, limit=200,
                    stages=["kindergarten", "senior"]))
    assert set(both) == set(one) | set(two) and len(both) == len(set(both))


def test_filters_together_are_and(office):
    zone = office.one("zones", code="Z4")["id"]
    rows = office.list("schools", zone_id=zone, stages="primary",
                       ownership="public")
    assert rows
    assert all(row["zone_id"] == zone and "primary" in row["stages"]
               and row["ownership"] == "public" for row in rows)
    assert len(rows) < len(office.list("schools", zone_id=zone))


# --- count, fields, expand ----------------------------------------------------


def test_count(office, db):
    assert page(office, limit=3)["page"]["total"] is None
    whole = page(office, limit=3, count="exact")["page"]
    assert whole["count"] == "exact"
    with db.cursor() as cursor:
        cursor.execute("select count(*) from dudao.schools")
        assert whole["total"] == cursor.fetchone()[0]
    part = page(office, limit=3, count="exact", stages="senior")["page"]
    assert 0 < part["total"] < whole["total"]
    # The same on every page.
    second = page(office, limit=3, count="exact",
                  cursor=whole["next_cursor"])["page"]
    assert second["total"] == whole["total"]


def test_count_gives_up(make_service):
    """A count that takes too long does not take the page with it."""
    service = make_service(DUDAO_COUNT_TIMEOUT_MS=10).start()
    connection = service.connect("postgres")
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute("insert into dudao.persons (name, code)"
                       " select '计数', 'count-' || n"
                       " from generate_series(1, 200000) n")
        cursor.execute("analyze dudao.persons")
    connection.close()
    client = Client(service).login("office_staff")
    answer = page(client, "/v1/persons", limit=5, count="exact")
    assert len(answer["data"]) == 5
    assert answer["page"]["total"] is None
    assert answer["page"]["count"] == "gave_up"


def test_fields(office):
    rows = page(office, limit=3, fields=["id", "name"])["data"]
    assert all(set(row) == {"id", "name"} for row in rows)
    one = office.get(f"{SCHOOLS}/{rows[0]['id']}", status=200,
                     params={"fields": "name"}).json()
    assert one == {"name": rows[0]["name"]}
    # Pages go on with other fields.
    first = page(office, limit=3, fields="id")
    second = page(office, limit=3, fields="name",
                  cursor=first["page"]["next_cursor"])
    assert [set(row) for row in second["data"]] == [{"name"}] * 3


def test_unknown_field(office):
    answer = page(office, fields=["id", "no_such_member"], status=(200, 400))
    if "data" in answer:
        assert all(set(row) == {"id"} for row in answer["data"])


def test_expand(office):
    zone = office.one("zones", code="Z4")
    whole = office.get(f"/v1/zones/{zone['id']}", status=200,
                       params={"expand": "lead_inspector"}).json()
    assert whole["lead_inspector"]["id"] == zone["lead_inspector_id"]
    assert "lead_inspector" not in zone
    plain = {k: v for k, v in whole.items() if k != "lead_inspector"}
    assert plain == office.read("zones", zone["id"])
    answer = office.get(f"/v1/zones/{zone['id']}", status=400,
                        params={"expand": "nobody"}).json()
    assert {e["parameter"] for e in answer["errors"]} == {"expand"}


# --- conditional --------------------------------------------------------------


def test_list_etag(office):
    name = unique("缓存")
    params = {"q": name, "limit": 5}
    office.create("persons", {"name": name})
    first = office.get("/v1/persons", params=params, status=200)
    etag = first.headers["ETag"]
    again = office.get("/v1/persons", params=params, status=304,
                       headers={"If-None-Match": etag})
    assert again.content == b"" and again.headers["ETag"] == etag
    office.create("persons", {"name": name})
    newer = office.get("/v1/persons", params=params, status=200,
                       headers={"If-None-Match": etag})
    assert newer.headers["ETag"] != etag
    assert len(newer.json()["data"]) == 2
    # Another query is another thing.
    office.get("/v1/persons", params={**params, "limit": 6}, status=200,
               headers={"If-None-Match": newer.headers["ETag"]})


# --- search -------------------------------------------------------------------


@pytest.fixture(scope="module")
def searched(office):
    name = "演示·" + unique("灯塔巷") + "督学岑国强XYZ"
    office.create("persons", {"name": name})
    return name


@pytest.mark.parametrize("word", [
    "灯塔", "塔巷", "国强", "國強", "燈塔", "岑国强", "岑國強", "xyz", "XYZ",
    "xYz", "督学岑", "督學岑國強"])
def test_search(office, searched, word):
    rows = office.list("persons", q=word)
    assert searched in {row["name"] for row in rows}, word


@pytest.mark.parametrize("word", ["塔灯", "强国", "岑强", "灯巷", "yzx"])
def test_search_keeps_the_order_of_characters(office, searched, word):
    assert searched not in {row["name"] for row in
                            office.list("persons", q=word)}


def test_search_by_one_character(office, searched):
    """One character is no pair; it finds what it stands in alone, or nothing."""
    page(office, "/v1/persons", q="岑")


@pytest.mark.parametrize("q", ["", "长" * 51])
def test_search_bounds(office, q):
    page(office, "/v1/persons", q=q, status=400)


def test_search_uses_its_index(server):
    """Two characters are found by the GIN index, not by reading all rows."""
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off")
        cursor.execute("explain select from dudao.persons"
                       " where search @> app.bigrams('国强')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    connection.close()
    assert "Bitmap Index Scan" in plan, plan


def test_query_may_be_encoded(office):
    query = urllib.parse.quote("安定")
    assert office.get(f"{SCHOOLS}?q={query}&limit=1", status=200).json()[
        "data"] == page(office, q="安定", limit=1)["data"]
