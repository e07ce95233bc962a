"""An operation is added by three files, without C and without a build.

In a copy of what a start needs: a path file, a statement, and this test,
which calls the operation. A start on half of it is refused by name.
"""

import shutil
import subprocess

import pytest

from support.client import Client
from support.service import HOME, environment

PATH_FILE = """\
tags:
  - name: ZoneSizes
    description: 责任区规模。How large zones are.
paths:
  /v1/zone-sizes:
    get:
      operationId: listZoneSizes
      tags: [ZoneSizes]
      summary: 责任区规模列表 · List the sizes of zones
      description: 每个责任区的学校数，可按最少校数筛选。
      security:
        - bearer: ['zones:read']
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
        - $ref: '#/components/parameters/Count'
        - $ref: '#/components/parameters/IfNoneMatch'
        - $ref: '#/components/parameters/XActingRole'
        - $ref: '#/components/parameters/AcceptLanguage'
        - name: sort
          in: query
          description: 排序键：`code`、`school_count`。Declared keys.
          schema: {type: string, minLength: 2, maxLength: 100, pattern: '^-?[a-z_]+(,-?[a-z_]+){0,3}$'}
          example: '-school_count'
        - name: school_count.gte
          in: query
          description: 学校数不少于。
          schema: {type: integer, format: int32, minimum: 0, maximum: 10000}
          example: 50
      responses:
        '200':
          description: 一页责任区规模。
          headers: &headers
            X-Request-Id: {$ref: '#/components/headers/XRequestId'}
            Access-Control-Allow-Origin: {$ref: '#/components/headers/Access-Control-Allow-Origin'}
            RateLimit-Policy: {$ref: '#/components/headers/RateLimitPolicy'}
            RateLimit: {$ref: '#/components/headers/RateLimit'}
            ETag: {$ref: '#/components/headers/ETag'}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/ZoneSizeList'}
              example:
                data:
                  - &zone_size {id: 0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e, code: Z4, school_count: 98}
                page: {limit: 50, has_more: false, next_cursor: null, prev_cursor: null, total: null, count: null}
        '304': &s304 {$ref: '#/components/responses/NotModified'}
        '400': &s400 {$ref: '#/components/responses/BadRequest'}
        '401': &s401 {$ref: '#/components/responses/Unauthorized'}
        '403': &s403 {$ref: '#/components/responses/Forbidden'}
        '429': &s429 {$ref: '#/components/responses/TooManyRequests'}
        '500': &s500 {$ref: '#/components/responses/InternalError'}
        '503': &s503 {$ref: '#/components/responses/Unavailable'}
  /v1/zone-sizes/{zone_id}:
    get:
      operationId: getZoneSize
      tags: [ZoneSizes]
      summary: 责任区规模 · How large a zone is
      description: 责任区的学校数。
      security:
        - bearer: ['zones:read']
      parameters:
        - name: zone_id
          in: path
          required: true
          description: 责任区。
          schema: {$ref: '#/components/schemas/Uuid'}
        - $ref: '#/components/parameters/IfNoneMatch'
        - $ref: '#/components/parameters/XActingRole'
        - $ref: '#/components/parameters/AcceptLanguage'
      responses:
        '200':
          description: 责任区规模。
          headers: *headers
          content:
            application/json:
              schema: {$ref: '#/components/schemas/ZoneSize'}
              example: *zone_size
        '304': *s304
        '400': *s400
        '401': *s401
        '403': *s403
        '404': {$ref: '#/components/responses/NotFound'}
        '429': *s429
        '500': *s500
        '503': *s503
components:
  schemas:
    ZoneSize:
      type: object
      title: 责任区规模
      additionalProperties: false
      required: [id, code, school_count]
      properties:
        id: {$ref: '#/components/schemas/Uuid'}
        code: {type: string, title: 代码, maxLength: 20}
        school_count: {type: integer, title: 学校数, format: int32, minimum: 0, maximum: 10000}
    ZoneSizeList:
      type: object
      title: 责任区规模列表
      additionalProperties: false
      required: [data, page]
      properties:
        data:
          type: array
          title: 责任区规模
          maxItems: 200
          items: {$ref: '#/components/schemas/ZoneSize'}
        page: {$ref: '#/components/schemas/Page'}
"""

STATEMENTS = """\
-- Sizes of zones.

-- name: listZoneSizes :list
-- sort: school_count = z.school_count :: bigint
-- sort: code = z.code :: text
-- sort: id = z.id :: uuid
-- default: code
select json_build_object('id', z.id, 'code', z.code,
    'school_count', z.school_count) as body /*keys*/
from (
    select t.id, t.code, (
        select count(*) from dudao.schools s where s.zone_id = t.id
    ) as school_count
    from dudao.zones t
) as z
where true
  and z.school_count >= :school_count.gte::bigint

-- name: getZoneSize :one
select json_build_object('id', z.id, 'code', z.code, 'school_count', (
    select count(*) from dudao.schools s where s.zone_id = z.id)) as body,
    z.version as etag
from dudao.zones z
where z.id = :zone_id::uuid
"""


@pytest.fixture(scope="module")
def tree(workspace):
    """A copy of what a start needs: no C, and the module as it was built."""
    home = workspace.empty("tree")
    (home / "build").mkdir(parents=True)
    shutil.copy2(HOME / "build/api.so", home / "build/api.so")
    for part in ("conf", "db", "openapi"):
        shutil.copytree(HOME / part, home / part)
    return home


@pytest.fixture
def service(workspace, make_service, server, tree):
    """A service of the copy, not started, on the database of all tests."""
    service = make_service(
        workspace.empty(), DUDAO_DATABASE_URL=server.database_url("dudao_api"))
    service.home = tree
    return service


def add(tree, path_file=PATH_FILE, statements=STATEMENTS):
    (tree / "openapi/paths/zone-sizes.yaml").write_text(
        path_file, encoding="utf-8")
    (tree / "db/queries/zone_sizes.sql").write_text(
        statements, encoding="utf-8")


def test_an_operation_is_added_without_c(tree, service):
    add(tree)
    service.start()
    api = Client(service)
    office = api.login("office_staff")
    rows = office.list("zone-sizes")
    codes = [row["code"] for row in rows]
    assert {"Z1", "Z2", "Z3", "Z4"} <= set(codes) and codes == sorted(codes)
    largest = max(row["school_count"] for row in rows)
    assert office.list("zone-sizes", sort="-school_count")[0][
        "school_count"] == largest
    assert {row["school_count"] for row in office.list(
        "zone-sizes", **{"school_count.gte": largest})} == {largest}
    answer = office.get(f"/v1/zone-sizes/{rows[0]['id']}", status=200)
    assert answer.json() == rows[0]
    office.get(f"/v1/zone-sizes/{rows[0]['id']}", status=304,
               headers={"If-None-Match": answer.headers["ETag"]})
    office.get("/v1/zone-sizes/0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e",
               status=404)
    office.get("/v1/zone-sizes", status=400, params={"size": 1})
    api.get("/v1/zone-sizes", status=401)
    # row security holds for what is new: an inspector has one zone
    assert len(api.login("inspector_ft").list("zone-sizes")) == 1


def test_a_row_without_a_tag_is_sent_whole(tree, service):
    add(tree, statements=STATEMENTS.replace("z.version as etag",
                                            "null::text as etag"))
    service.start()
    office = Client(service).login("office_staff")
    zone = office.list("zone-sizes")[0]
    answer = office.get(f"/v1/zone-sizes/{zone['id']}", status=200,
                        headers={"If-None-Match": '"1"'},
                        validate=False)     # which promises an ETag
    assert answer.json() == zone


@pytest.mark.parametrize("path_file, statements, message", [
    (PATH_FILE, STATEMENTS.partition("-- name: getZoneSize")[0],
     "db/queries: no statement `-- name: getZoneSize`"),
    (PATH_FILE.replace("title: 代码, maxLength: 20",
                       "title: 代码, contentEncoding: base64"),
     STATEMENTS, "contentEncoding"),
    (PATH_FILE, STATEMENTS.replace(":zone_id::uuid", ":zone_number::uuid"),
     "db/queries: getZoneSize: nothing supplies :zone_number"),
    (PATH_FILE.replace("operationId: getZoneSize", "operationId: getZone"),
     STATEMENTS, "getZone"),
], ids=["no statement", "unknown keyword", "no parameter", "name taken"])
def test_half_of_it_is_refused_by_name(tree, service, path_file, statements,
                                       message):
    add(tree, path_file, statements)
    done = subprocess.run(
        [tree / "conf/run"], text=True, timeout=60,
        env=environment(service.settings), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if message in line]
    assert lines, done.stdout
    # the file at fault, not only the word
    assert any("zone-sizes.yaml" in line or line.startswith("db/queries")
               or "/v1/zone-sizes" in line for line in lines), lines
