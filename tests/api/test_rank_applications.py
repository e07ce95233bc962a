"""Ranks and applications for them: 3.22, C2.4.3.g."""

import contextlib

import psycopg2
import pytest

from support import merit
from support.client import unique


def codes(problem):
    return {e["code"] for e in problem["errors"]}


def body(db, **members):
    return {"to_rank_id": merit.first_rank(db), "statement": "履职四年。",
            "materials": [{"title": "年度考核表"}], **members}


def led_to(api, db, state):
    """An application in that state, and the applicant's login."""
    inspector, login = merit.applicant(db)
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    made = api.login(login).create("rank-applications", body(db))
    assert made["inspector_id"] == inspector
    steps = [
        (staff, "review", {"comment": "材料齐全"}),
        (staff, "evaluate", {"review_panel": merit.panel(
            db, besides=inspector)}),
        (chief, "publicize", {})]
    states = ["applied", "reviewed", "evaluated", "publicized"]
    for client, action, data in steps[:states.index(state)]:
        made = client.act("rank-applications", made, action, data)
    return made, login


@contextlib.contextmanager
def parameter(db, key, value):
    """The parameter as it is set elsewhere, back afterwards."""
    def put(json):
        merit.rows(db, "update rule_parameters set value = %s,"
                       " changed_reason = '测试' where key = %s returning 1",
                   json, key)

    before, = merit.rows(db, "select value::text from rule_parameters"
                             " where key = %s", key)[0]
    put(value)
    try:
        yield
    finally:
        put(before)


@pytest.mark.clause("C2.4.3.g")
def test_the_sequence_may_be_off(api, db):
    """Off: no application, no step forward, neither over HTTP nor in SQL."""
    made, login = led_to(api, db, "applied")
    inspector, other = merit.applicant(db)
    with parameter(db, "rank_sequence_enabled", "false"):
        problem = api.login(other).create("rank-applications", body(db),
                                          status=422)
        assert problem["code"] == "feature-disabled"
        assert problem["clause_id"] == "C2.4.3.g"
        problem = api.login("office_staff").act(
            "rank-applications", made, "review", {}, status=422)
        assert codes(problem) == {"feature-disabled"}
        with pytest.raises(psycopg2.Error) as caught:
            merit.rows(db, """
                insert into rank_applications(code, inspector_id, to_rank_id,
                    statement, applied_on)
                values ('DJ-0000-1', %s, %s, '直接写入', app.today())""",
                inspector, merit.first_rank(db))
        assert "feature-disabled" in caught.value.diag.message_detail
        db.rollback()
        # what is under way can still be ended
        api.login("chief_inspector").act("rank-applications", made, "reject",
                                         {"reason": "等级序列暂停"})


@pytest.mark.clause("C2.4.3.g")
def test_ranks_are_the_office_s(api, as_login):
    staff = api.login("office_staff")
    rows = staff.list("inspector-ranks", enabled="true")
    assert [r["order"] for r in rows] == sorted(r["order"] for r in rows)
    assert [r["code"] for r in rows][:3] == ["DX-1", "DX-2", "DX-3"]
    problem = staff.create("inspector-ranks", {
        "code": "DX-1", "name": unique("等级"), "order": 90}, status=409)
    assert problem["code"] == "duplicate"
    made = staff.create("inspector-ranks", {
        "code": unique("DX-").upper(), "name": unique("等级"), "order": 91,
        "enabled": False, "criteria": {"min_service_years": 30}})
    made = staff.change("inspector-ranks", made, {"name": unique("改名")})
    assert made["version"] == 2
    assert api.login("inspector_ft").list("inspector-ranks")
    api.login("inspector_ft").create("inspector-ranks", {
        "code": "X", "name": "自设", "order": 99}, status=403)
    with pytest.raises(psycopg2.Error) as caught:
        with as_login("inspector_ft").cursor() as cursor:
            cursor.execute("update dudao.inspector_ranks set enabled = false")
    assert "office-only-field" in caught.value.diag.message_detail


@pytest.mark.clause("C2.4.3.g")
def test_one_rank_at_a_time(api, db):
    inspector, login = merit.applicant(db)
    me = api.login(login)
    second = me.one("inspector-ranks", code="DX-2")
    problem = me.create("rank-applications",
                        body(db, to_rank_id=second["id"]), status=422)
    assert codes(problem) == {"rank-not-next"}
    made = me.create("rank-applications", body(db, materials=[]))
    assert me.create("rank-applications", body(db), status=409)[
        "code"] == "duplicate"
    # another's
    other, _ = merit.applicant(db)
    me.create("rank-applications", body(db, inspector_id=other), status=403)
    # materials complete
    staff = api.login("office_staff")
    problem = staff.act("rank-applications", made, "review", {}, status=422)
    assert [e["pointer"] for e in problem["errors"]] == ["/materials"]
    made = me.act("rank-applications", made, "supplement",
                  {"materials": [{"title": "培训证书"}]})
    assert len(made["materials"]) == 1
    made = staff.act("rank-applications", made, "review", {})
    assert made["state"] == "reviewed"
    assert staff.change("rank-applications", made, {"statement": "改"},
                        status=409)["code"] == "not-editable"


@pytest.mark.clause("C2.4.3.g")
def test_panel_of_three_who_are_others(api, db):
    made, login = led_to(api, db, "reviewed")
    staff = api.login("office_staff")
    members = merit.panel(db, besides=made["inspector_id"])

    def refused(panel):
        return codes(staff.act("rank-applications", made, "evaluate",
                               {"review_panel": panel}, status=422))

    assert refused(members[:2]) == {"panel-too-small"}
    assert refused(members[:2] + members[:1]) == {"duplicate-items"}
    applicant, = merit.rows(db, "select person_id from inspectors"
                                " where id = %s", made["inspector_id"])[0]
    assert refused(members[:2] + [{"person_id": applicant, "score": 99}]) == {
        "recusal-required"}
    assert refused(members[:2] + [{
        "person_id": "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e",
        "score": 90}]) == {"unknown-reference"}
    made = staff.act("rank-applications", made, "evaluate",
                     {"review_panel": members})
    assert made["score"] == 81 and made["state"] == "evaluated"


@pytest.mark.clause("C2.4.3.g")
def test_publicity_then_the_rank_is_the_inspector_s(api, db, superuser):
    made, login = led_to(api, db, "evaluated")
    chief = api.login("chief_inspector")
    problem = chief.act("rank-applications", made, "publicize", {
        "publicity_from": str(merit.day(db, 0)),
        "publicity_to": str(merit.day(db, 2))}, status=422)
    assert codes(problem) == {"publicity-too-short"}
    made = chief.act("rank-applications", made, "publicize", {})
    notice = api.login("office_staff").read("publications",
                                            made["publicity_publication_id"])
    assert notice["kind"] == "appointment_notice"
    assert made["inspector_name"] in notice["body"]
    decision = {"decision_doc_no": unique("平教督")}
    problem = chief.act("rank-applications", made, "approve", decision,
                        status=422)
    assert codes(problem) == {"publicity-not-over"}
    superuser("rank_applications", made["id"],
              publicity_from=merit.day(db, -9), publicity_to=merit.day(db, -1))
    made = chief.act("rank-applications", made, "approve", decision)
    assert made["state"] == "approved"
    who = api.login("office_staff").read("inspectors", made["inspector_id"])
    assert who["rank_id"] == made["to_rank_id"]
    # no other way to a rank
    other, _ = merit.applicant(db)
    with pytest.raises(psycopg2.Error) as caught:
        merit.rows(db, "update inspectors set rank_id = %s where id = %s"
                       " returning 1", made["to_rank_id"], other)
    assert "rank-without-decision" in caught.value.diag.message_detail
    db.rollback()


@pytest.mark.clause("C2.4.3.g")
def test_criteria_of_the_rank(api, db):
    """The third rank asks for six years and three excellent assessments."""
    made, login = led_to(api, db, "applied")
    first = made["to_rank_id"]
    row = api.login("office_staff").read("inspector-ranks", first)
    staff = api.login("office_staff")
    row = staff.change("inspector-ranks", row, {"criteria": {
        "min_service_years": 40, "min_excellent_years": 30}})
    try:
        problem = staff.act("rank-applications", made, "review", {},
                            status=422)
        assert {e["params"]["item"] for e in problem["errors"]} == {
            "min_service_years", "min_excellent_years"}
        assert problem["clause_id"] == "C2.4.3.g"
    finally:
        staff.change("inspector-ranks", row, {"criteria": {
            "min_service_years": None, "min_excellent_years": None}})
    api.login("chief_inspector").act("rank-applications", made, "reject",
                                     {"reason": "条件未达"})


@pytest.mark.clause("C2.4.3.g")
def test_the_applicant_decides_nothing(api, db):
    """The deputy chief inspector is an inspector as well."""
    who, = merit.rows(db, """
        select i.id from inspectors i join users u on u.person_id = i.person_id
        where u.login = 'deputy_chief_inspector'""")[0]
    rows = api.login("office_staff").list("rank-applications",
                                          inspector_id=who, state="applied")
    made = rows[0] if rows else api.login("office_staff").create(
        "rank-applications", body(db, inspector_id=who))
    problem = api.login("deputy_chief_inspector").act(
        "rank-applications", made, "review", {}, status=422)
    assert problem["code"] == "separation-of-duties"


@pytest.fixture
def superuser(server):
    """Time passes: superuser(table, id, column=value) without triggers."""
    connection = server.connect("postgres")

    def alter(table, id, **columns):
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(
                f"update dudao.{table} set "
                + ", ".join(f"{name} = %s" for name in columns)
                + " where id = %s", (*columns.values(), id))

    yield alter
    connection.close()
