"""Recusals (3.24): L-TL-10, R-INS-09."""

import json

import pytest

from support import appointments

RESOURCE = "recusals"


def errors(problem):
    return {(e.get("pointer"), e["code"]) for e in problem["errors"]}


def value(db, statement, *values):
    with db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


@pytest.fixture
def inspector(api, db):
    """(id, login) of a new part-time inspector in office."""
    row, login = appointments.in_office(api, db)
    yield row["inspector_id"], login
    api.login("committee_director").act("inspector-appointments", row,
                                        "dismiss", {"ground": "dereliction",
                                                    "reason": "测试"})


def unit_of(db, login="school_account"):
    return value(db, "select organization_id::text from dudao.users"
                     " where login = %s", login)


@pytest.mark.clause("L-TL-10", "R-INS-09")
def test_an_inspector_keeps_off(api, db, inspector, as_login):
    id, login = inspector
    me, chief = api.login(login), api.login("chief_inspector")
    unit = unit_of(db)
    made = me.create(RESOURCE, {"organization_id": unit,
                                "reason": "near_relative",
                                "note": "配偶在该校任教"})
    assert (made["inspector_id"], made["state"]) == (id, "declared")
    assert made["declared_by"] == value(
        db, "select id::text from dudao.users where login = %s", login)
    # once for one subject
    again = me.create(RESOURCE, {"organization_id": unit,
                                 "reason": "interest"}, status=409)
    assert again["code"] == "duplicate"
    # of nobody else, and of one thing
    other = value(db, "select inspector_id::text from dudao.plaques"
                      " where state = 'posted' limit 1")
    me.create(RESOURCE, {"inspector_id": other, "organization_id": unit,
                         "reason": "interest"}, status=403)
    assert (None, "one-subject") in errors(me.create(
        RESOURCE, {"reason": "interest"}, status=422))
    # the unit sees it, another one does not
    assert api.login("school_account").read(RESOURCE, made["id"])
    api.login("school_account_2").read(RESOURCE, made["id"], status=404)
    api.login("inspector_03").read(RESOURCE, made["id"], status=404)
    api.login("finance_officer").get("/v1/recusals", status=403)
    # the office and the inspector do not decide
    for who in (login, "office_staff", "committee_director"):
        api.login(who).act(RESOURCE, made, "grant", {}, status=403)
    assert errors(chief.act(RESOURCE, made, "reject", {}, status=422)) == {
        ("/reason", "reason-required")}
    granted = chief.act(RESOURCE, made, "grant", {"comment": "同意"})
    assert (granted["decision"], granted["decision_note"]) == ("granted",
                                                               "同意")
    assert granted["allowed_actions"] == []
    # from then on: no plaque there, recused in the database
    assert value(db, "select app.is_recused(%s, %s)", id, unit) is True
    assert unit not in value(as_login(login),
                             "select app.my_assigned_organizations()::text[]")
    with db.cursor() as cursor, pytest.raises(Exception) as error:
        cursor.execute("update dudao.recusals set inspector_id = %s"
                       " where id = %s", (other, made["id"]))
    assert json.loads(error.value.diag.message_detail)["errors"][0][
        "code"] == "read-only-field"


@pytest.mark.clause("L-TL-10", "R-INS-09")
def test_the_replacement_takes_the_school(api, db, inspector):
    """The plaque is marked and one for the replacement is planned."""
    with db.cursor() as cursor:
        cursor.execute(
            "select p.id::text, p.school_id::text, p.inspector_id::text,"
            " o.id::text from dudao.plaques p join dudao.zone_memberships m"
            " on m.inspector_id = p.inspector_id and m.ended_on is null"
            " join dudao.zone_memberships n on n.zone_id = m.zone_id"
            " and n.inspector_id <> m.inspector_id and n.ended_on is null"
            " join dudao.inspectors o on o.id = n.inspector_id"
            " where p.state = 'posted' and not exists (select from"
            " dudao.plaques q where q.school_id = p.school_id and q.state ="
            " 'planned') and not app.is_recused(o.id, p.school_id)"
            " and p.school_id <> %s order by p.id desc limit 1",
            (unit_of(db),))
        plaque, school, holder, other = cursor.fetchone()
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    made = staff.create(RESOURCE, {"inspector_id": holder,
                                   "organization_id": school,
                                   "reason": "interest"})
    candidate, _ = appointments.candidate(api, db)
    assert ("/replaced_by_inspector_id", "no-active-appointment") in errors(
        chief.act(RESOURCE, made, "grant", {
            "replaced_by_inspector_id": candidate["inspector_id"]},
            status=422))
    assert errors(chief.act(RESOURCE, made, "grant", {
        "replaced_by_inspector_id": holder}, status=422)) >= {
        ("/replaced_by_inspector_id", "self-reference")}
    assert staff.read("plaques", plaque)["state"] == "posted"
    done = chief.act(RESOURCE, made, "grant",
                     {"replaced_by_inspector_id": other})
    assert done["replaced_by_inspector_id"] == other
    assert staff.read("plaques", plaque)["state"] == "to_replace"
    [planned] = staff.list("plaques", school_id=school, state="planned")
    assert planned["inspector_id"] == other
    # and the inspector's own name does not come back to that gate
    staff.act("plaques", plaque, "remove", {})
    assert value(db, "select app.is_recused(%s, %s)", holder, school)


@pytest.mark.clause("L-TL-10", "R-INS-09", "4.3")
def test_a_unit_asks(api, db, inspector):
    id, login = inspector
    school = api.login("school_account")
    made = school.create(RESOURCE, {
        "inspector_id": id, "organization_id": unit_of(db),
        "reason": "interest", "note": "存在经济往来"})
    school.create(RESOURCE, {
        "inspector_id": id, "organization_id": unit_of(db, "school_account_2"),
        "reason": "interest"}, status=403)
    made = school.change(RESOURCE, made, {"note": "附转账记录"})
    assert made["note"] == "附转账记录"
    done = api.login("chief_inspector").act(
        RESOURCE, made, "reject", {"reason": "经核不实"})
    assert (done["state"], done["decision_note"]) == ("rejected", "经核不实")
    school.change(RESOURCE, done, {"note": "再补"}, status=409)
    assert value(db, "select app.is_recused(%s, %s)", id,
                 unit_of(db)) is False
    steps = school.get(f"/v1/recusals/{made['id']}/transitions",
                       status=200).json()["data"]
    assert steps[-1]["action"] == "reject" or steps[0]["action"] == "reject"
    seen = api.login("office_staff").get(
        f"/v1/recusals/{made['id']}", status=200,
        params={"expand": ["inspector", "organization"]}).json()
    assert seen["organization"]["id"] == unit_of(db)
