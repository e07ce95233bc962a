"""Imports: a file is taken in as a whole or not at all, and told all faults."""

import csv
import io
import shutil
import time

import pytest

from support.client import Client, unique
from support.service import Service

IMPORTS = "/v1/imports"
LABELS = """
    select s.ident_code as "学校标识码", o.name as "学校名称",
        o.short_name as "简称", d.name as "所属乡镇",
        s.school_type as "办学类型",
        (select string_agg(e.label_zh, '、' order by e.sort)
         from app.enumerations e
         where e.name = 'schools.stages' and e.value = any (s.stages))
            as "学段",
        (select e.label_zh from app.enumerations e
         where e.name = 'schools.ownership' and e.value = s.ownership)
            as "办学性质",
        s.sponsor as "举办者",
        (select e.label_zh from app.enumerations e
         where e.name = 'schools.licence_status'
            and e.value = s.licence_status) as "办学许可",
        s.licence_no as "许可证号", s.licence_valid_to as "许可有效期至",
        z.code as "督学责任区", s.student_count as "学生数",
        s.class_count as "班级数", s.teacher_count as "教师数",
        s.as_of_year as "数据年度", o.address as "地址"
    from dudao.schools s
    join dudao.organizations o on o.id = s.id
    join dudao.divisions d on d.id = o.division_id
    left join dudao.zones z on z.id = s.zone_id
    where s.counts_in_ratio and s.ident_code like '__4399%'
    order by s.ident_code"""


@pytest.fixture(scope="module")
def own(workspace):
    """A service of its own: 304 more schools would be in others' way."""
    service = Service(workspace.state("imports"))
    service.start()
    yield service
    service.stop()
    service.cluster("stop")
    shutil.rmtree(service.state, ignore_errors=True)


@pytest.fixture(scope="module")
def staff(own, anonymous):
    return Client(own, anonymous.contract).login("office_staff", fresh=True)


@pytest.fixture
def database(own):
    connection = own.connect()
    yield connection
    connection.close()


def table(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def send(client, data, status=202, kind="schools", type="text/csv", key=None,
         **params):
    if isinstance(data, str):
        data = data.encode()
    return client.post(IMPORTS, data=data, status=status, key=key,
                       headers={"Content-Type": type},
                       params={"kind": kind, **params}).json()


def report(client, sent, seconds=60, lang=None):
    end = time.monotonic() + seconds
    while True:
        got = client.get(f"{IMPORTS}/{sent['id']}", status=200,
                         lang=lang).json()
        if got["state"] not in ("queued", "running"):
            return got
        assert time.monotonic() < end, got
        time.sleep(0.1)


def run(client, data, **params):
    return report(client, send(client, data, **params))


def counts(got):
    return tuple(got[f"{name}_count"] for name in
                 ("row", "created", "updated", "unchanged", "fault"))


def count(database, sql, *values):
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def person_rows(n, header=("人员编号", "姓名", "性别", "所在单位代码")):
    code = unique("RY")
    return [list(header)] + [
        [f"{code}-{i}", f"演示人员{i}", "女", "MU07"] for i in range(n)]


# --- the counted schools of the county ----------------------------------------


@pytest.mark.clause("C2.2.2.e")
def test_all_counted_schools_of_the_county(staff, database):
    """304 schools in GB 18030, three faults in them; then the mended file."""
    with database.cursor() as cursor:
        cursor.execute(LABELS)
        header = [column.name for column in cursor.description]
        rows = [["" if v is None else str(v) for v in row] for row in cursor]
    assert len(rows) == 304
    for row in rows:
        row[0] = row[0][:4] + "77" + row[0][6:]
    good = table([header] + rows)

    place = {name: i for i, name in enumerate(header)}
    bad = [list(row) for row in rows]
    bad[15][place["办学性质"]] = "公立"
    bad[100][place["督学责任区"]] = "Z9"
    bad[302][place["学校标识码"]] = "99" + bad[302][0][2:]
    got = run(staff, table([header] + bad).encode("gb18030"),
              file_name="学校基础表.csv")
    assert got["state"] == "refused" and got["charset"] == "gb18030"
    assert counts(got) == (304, 0, 0, 0, len(got["faults"]))
    assert {(f["row"], f["column"], f["header"], f["value"])
            for f in got["faults"]} == {
        (17, "G", "办学性质", "公立"), (102, "L", "督学责任区", "Z9"),
        (304, "A", "学校标识码", bad[302][0])}
    assert [f["code"] for f in got["faults"]][:2] == [
        "not-in-enum", "unknown-reference"]
    assert "公办" in got["faults"][0]["detail"]
    english = report(staff, got, lang="en")
    assert "one of" in english["faults"][0]["detail"]
    written = "select count(*) from dudao.schools where ident_code like '__4377%%'"
    assert count(database, written) == 0

    dry = run(staff, good.encode("gb18030"), dry_run="true")
    assert dry["state"] == "done" and counts(dry) == (304, 304, 0, 0, 0)
    assert count(database, written) == 0

    done = run(staff, good.encode("gb18030"))
    assert done["state"] == "done" and counts(done) == (304, 304, 0, 0, 0)
    assert count(database, written) == 304
    # in whose name: the audit trail of each
    assert count(database, """
        select count(distinct l.user_id) from dudao.audit_logs l
        join dudao.schools s on s.id = l.subject_id
        where s.ident_code like '__4377%%' and l.action = 'create'""") == 1

    # however often it is sent
    again = send(staff, good.encode("gb18030"), status=200)
    assert again["id"] == done["id"]
    recoded = run(staff, b"\xef\xbb\xbf" + good.encode())
    assert counts(recoded) == (304, 0, 0, 304, 0)
    rows[7][place["学生数"]] = "12"
    rows[8][place["学校名称"]] += "（新）"
    changed = run(staff, table([header] + rows))
    assert counts(changed) == (304, 0, 2, 302, 0)
    assert count(database, written) == 304
    versions = count(database, """
        select max(s.version) from dudao.schools s
        where s.ident_code like '__4377%%'""")
    assert versions == 2


def test_rows_may_refer_to_later_rows(staff):
    main, point = "21" + "43" + "780001", "21" + "43" + "780002"
    header = ["学校标识码", "学校名称", "所属乡镇", "办学类型", "学段",
              "办学性质", "督学责任区", "上级学校标识码"]
    rows = [header,
            [point, "示例教学点", "安定镇", "218", "小学", "公办", "Z4", main],
            [main, "示例完小", "安定镇", "211", "小学", "公办", "Z4", ""]]
    got = run(staff, table(rows))
    assert counts(got) == (2, 2, 0, 0, 0), got["faults"]


# --- forms of the file --------------------------------------------------------


@pytest.mark.parametrize("encode", [
    lambda t: t.encode(), lambda t: b"\xef\xbb\xbf" + t.encode(),
    lambda t: t.encode("gb18030"),
    lambda t: t.replace("\r\n", "\n").encode(),
    lambda t: t.replace("\r\n", "\r").encode(),
    lambda t: t.replace(",", ";").encode(),
    lambda t: t.replace(",", "\t").encode("gb18030")],
    ids=["utf-8", "bom", "gb18030", "lf", "cr", "semicolon", "tab"])
def test_forms(staff, encode):
    got = run(staff, encode(table(person_rows(3))), kind="persons")
    assert got["state"] == "done" and counts(got) == (3, 3, 0, 0, 0)


def test_quotes_newlines_formulas_and_blank_lines(staff, database):
    rows = person_rows(2)
    rows[0].append("职务")
    rows[1].append('=1+1,"引号"\n第二行')
    rows[2].append("+副校长")
    text = table(rows).split("\r\n")
    text.insert(1, "")      # a blank line is a row of the spreadsheet
    text.insert(2, ",,,")
    got = run(staff, "\r\n".join(text), kind="persons")
    assert counts(got) == (2, 2, 0, 0, 0), got["faults"]
    assert count(database, "select position_title from dudao.persons "
                 "where code = %s", rows[1][0]) == '=1+1,"引号"\n第二行'
    assert count(database, "select position_title from dudao.persons "
                 "where code = %s", rows[2][0]) == "+副校长"


def test_row_numbers_count_blank_lines(staff):
    rows = person_rows(2)
    rows[2][2] = "不详"
    text = table(rows).replace("\r\n", "\r\n\r\n")
    got = run(staff, text, kind="persons")
    assert [(f["row"], f["column"]) for f in got["faults"]] == [(5, "C")]


def test_ragged_rows(staff):
    rows = person_rows(3)
    rows[1] = rows[1][:2]       # what is missing is empty
    rows[2] += ["多", "余"]
    rows[3] += ["", ""]         # nothing in it: nothing is wrong
    got = run(staff, table(rows), kind="persons")
    assert [(f["row"], f["column"], f["code"]) for f in got["faults"]] == [
        (3, "E", "import-extra-cell"), (3, "F", "import-extra-cell")]


def test_header_faults_are_told_at_once(staff):
    got = run(staff, table([["姓名", "姓名", "星座"], ["甲", "乙", "丙"]]),
              kind="persons")
    assert {(f["column"], f["code"]) for f in got["faults"]} == {
        ("B", "import-repeated-column"), ("C", "import-unknown-column"),
        (None, "import-missing-column")}


def test_english_headers_and_values(staff):
    rows = person_rows(1, ("code", "Name", "gender", "organization"))
    rows[1][2] = "female"
    got = run(staff, table(rows), kind="persons")
    assert counts(got) == (1, 1, 0, 0, 0), got["faults"]


def test_every_fault_of_a_row(staff):
    rows = person_rows(1)
    rows[0] += ["出生年份", "身份证号"]
    rows[1] = ["", "", "x", "MU-none", "一九八五", "123"]
    got = run(staff, table(rows), kind="persons")
    assert [f["column"] for f in got["faults"]] == ["A", "B", "C", "D", "E"]
    rows = person_rows(1)
    rows[0] += ["身份证号"]
    rows[1] += ["110101199003070000"]
    got = run(staff, table(rows), kind="persons")
    assert [(f["column"], f["code"], f["value"]) for f in got["faults"]] == [
        ("E", "id-number-check-digit", None)]


def test_the_same_key_twice(staff):
    rows = person_rows(2)
    rows[2][0] = rows[1][0]
    got = run(staff, table(rows), kind="persons")
    assert [(f["row"], f["code"]) for f in got["faults"]] == [
        (3, "import-repeated-key")]


def test_modes(staff):
    rows = person_rows(2)
    refused = run(staff, table(rows), kind="persons", mode="update_only")
    assert {f["code"] for f in refused["faults"]} == {"import-unknown-key"}
    done = run(staff, table(rows), kind="persons", mode="create_only")
    assert counts(done) == (2, 2, 0, 0, 0)
    rows[1][1] = "改名"
    refused = run(staff, table(rows), kind="persons", mode="create_only")
    assert {f["code"] for f in refused["faults"]} == {"import-known-key"}
    done = run(staff, table(rows), kind="persons", mode="update_only")
    assert counts(done) == (2, 0, 1, 1, 0)


def test_organizations_and_inspectors(staff):
    people = person_rows(2)
    assert run(staff, table(people), kind="persons")["state"] == "done"
    office, section = unique("JG"), unique("JG")
    got = run(staff, table([
        ["机构代码", "机构名称", "机构类别", "行政区划", "上级机构代码"],
        [section, "示例科", "其他", "安定镇", office],
        [office, "示例局", "县直部门", "安定镇", ""]]), kind="organizations")
    assert counts(got) == (2, 2, 0, 0, 0), got["faults"]
    got = run(staff, table([
        ["人员编号", "身份", "擅长学段", "教龄"],
        [people[1][0], "teacher", "小学、初中", "15"]]), kind="inspectors")
    assert counts(got) == (1, 1, 0, 0, 0), got["faults"]
    again = run(staff, table([
        ["人员编号", "身份", "擅长学段", "教龄"],
        [people[1][0], "teacher", "小学", "15"]]), kind="inspectors")
    assert counts(again) == (1, 0, 1, 0, 0), again["faults"]


# --- refused at the door ------------------------------------------------------


def test_no_file_at_all(staff):
    assert send(staff, b"", status=422)["code"] == "empty-upload"
    got = run(staff, "人员编号,姓名\r\n", kind="persons")
    assert [f["code"] for f in got["faults"]] == ["import-no-rows"]


def test_bytes_of_no_character_set(staff):
    data = table(person_rows(1)).encode() + b"\xff\xff\xff"
    assert send(staff, data, status=422)["code"] == "charset-mismatch"
    gb = table(person_rows(1)).encode("gb18030")
    assert send(staff, gb, status=422, type="text/csv; charset=utf-8")[
        "code"] == "charset-mismatch"
    assert send(staff, gb, status=422, type="text/csv; charset=big5")[
        "code"] == "charset-not-supported"
    assert send(staff, "姓名".encode("utf-16"), status=422)[
        "code"] == "charset-not-supported"
    assert send(staff, gb, type='text/csv; charset="GBK"', kind="persons")


def test_broken_quotes_name_their_place(staff):
    fault, = send(staff, 'a,b\r\n1,"2\r\n', status=422)["errors"]
    assert fault["code"] == "csv-quote"
    assert fault["params"] == {"row": 2, "column": 2}
    fault, = send(staff, b"a,b\r\n1,\0\r\n", status=422)["errors"]
    assert fault["code"] == "csv-control-character"


def test_too_large_a_file(staff):
    answer = staff.post(IMPORTS, data=b"x" * (20 << 20), status=413,
                        headers={"Content-Type": "text/csv"},
                        params={"kind": "persons"}, validate=False)
    assert answer.json()["code"] == "content-too-large"


def test_other_media_types(staff):
    send(staff, b"{}", status=415, type="application/json")


# --- who, and how often -------------------------------------------------------


def test_who_may(own, anonymous):
    client = Client(own, anonymous.contract)
    for login in ("school_account", "inspector_ft", "auditor"):
        send(client.login(login, fresh=True), table(person_rows(1)),
             status=403, kind="persons")
    client.login("auditor", fresh=True).get(IMPORTS, status=200)


def test_idempotency_key(staff):
    data, key = table(person_rows(1)), unique("import-key-")
    first = send(staff, data, kind="persons", key=key)
    assert send(staff, data, kind="persons", key=key)["id"] == first["id"]
    assert report(staff, first)["state"] == "done"


def test_history_and_filters(staff):
    got = run(staff, table(person_rows(1)), kind="persons")
    steps = staff.get(f"{IMPORTS}/{got['id']}/transitions",
                      status=200).json()["data"]
    assert [s["action"] for s in steps] == ["begin", "complete"]
    newest = staff.get(IMPORTS, status=200, params={
        "kind": "persons", "state": "done", "limit": 1}).json()["data"][0]
    assert newest["id"] == got["id"]


def test_what_a_crash_has_left(staff, database):
    """A claimed import whose worker is gone is taken up again."""
    got = run(staff, table(person_rows(2)), kind="persons", dry_run="true")
    with database.cursor() as cursor:
        cursor.execute("alter table dudao.imports disable trigger user")
        cursor.execute(
            "update dudao.imports set state = 'running', attempts = 1, "
            "updated_at = now() - interval '2 minutes' where id = %s",
            (got["id"],))
        cursor.execute("alter table dudao.imports enable trigger user")
        cursor.execute(
            "insert into dudao.import_files select %s, %s",
            (got["id"], '[[1,"人员编号","姓名"],[2,"%s","甲"]]' % unique("RY")))
    # any other import wakes the chain
    assert run(staff, table(person_rows(1)), kind="persons")["state"] == "done"
    after = report(staff, got)
    assert after["state"] == "done" and after["row_count"] == 1


# --- templates ----------------------------------------------------------------


@pytest.mark.parametrize("kind", [
    "organizations", "schools", "persons", "inspectors"])
def test_templates(staff, kind):
    path = f"/v1/import-templates/{kind}"
    columns = staff.get(path, status=200).json()["columns"]
    assert any(c["is_key"] for c in columns)
    answer = staff.get(path + "?format=csv", status=200)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    header, _ = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert header == [c["label_zh"] for c in columns]


@pytest.mark.slow
def test_ten_thousand_rows(staff):
    data = table(person_rows(10_000))
    start = time.monotonic()
    got = report(staff, send(staff, data, kind="persons"), seconds=300)
    seconds = time.monotonic() - start
    assert counts(got) == (10_000, 10_000, 0, 0, 0)
    print(f"10,000 rows in {seconds:.1f} s")
    assert seconds < 240
