"""Recusals (3.24): L-TL-10, R-INS-09."""

import json

import pytest

from support import appointments, ledger
from support.client import unique

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


# --- by target ----------------------------------------------------------------

TASKS, TARGETS = "supervision-tasks", "supervision-targets"
TOWNSHIP, BUREAU = "安定镇人民政府", "教育局"


def under_way(api, db, *units, team=(2, 3, 4), **members):
    """A task that has begun at those units, led by 演示督学02."""
    chief, staff = api.login("chief_inspector"), api.login("office_staff")
    task = staff.create(TASKS, {
        "kind": "work_inspection", "title": unique("教育督导工作检查"),
        "year": ledger.today(db).year, "matters": ["M4"],
        "basis_document_id": staff.one("policy-documents",
                                       state="in_force")["id"],
        "leader_inspector_id": ledger.inspector_id(db, "演示督学02"),
        "onsite_from": str(ledger.today(db)),
        "team": [{"inspector_id": ledger.inspector_id(db, f"演示督学0{n}"),
                  "role": "leader" if n == 2 else "member"} for n in team],
        "targets": list(units), **members})
    chief.act(TASKS, task, "approve", {})
    chief.act(TASKS, task, "issue-notice", {
        "text": "定于近期检查教育督导工作。", "schedule": "听取汇报，查阅台账"})
    task = staff.act(TASKS, task, "start", {})
    targets = staff.list(TARGETS, task_id=task["id"])
    for target in targets:
        chief.act(TARGETS, target, "waive-self-assessment",
                  {"reason": "以工作台账代替自评"})
    return task, targets


def onsite_visit(api, db, login, target, status=201):
    body = ledger.visit_body(db, kind="onsite", target_id=target["id"],
                             no_problem_found=True)
    del body["school_id"]
    return api.login(login).create("visits", body, status=status)


@pytest.mark.clause("L-TL-10", "R-INS-09", "3.24", "3.0")
def test_a_target_is_left_to_the_replacement(api, db, as_login):
    """The leader is off one target: it is hidden, the work at it is led by
    who was named, and the other target stays the leader's."""
    task, targets = under_way(
        api, db, {"organization_id": ledger.organization_id(db, TOWNSHIP)},
        {"organization_id": ledger.organization_id(db, BUREAU)})
    township, bureau = sorted(
        targets, key=lambda t: t["organization_id"]
        != ledger.organization_id(db, TOWNSHIP))
    leader, chief = api.login("inspector_ft"), api.login("chief_inspector")
    staff, other = api.login("office_staff"), api.login("inspector_05")
    me = ledger.inspector_id(db, "演示督学02")
    leader.read(TARGETS, township["id"])
    other.read(TARGETS, township["id"], status=404)
    made = leader.create(RESOURCE, {"target_id": township["id"],
                                    "reason": "near_relative"})
    assert made["unit_id"] == township["organization_id"]
    # declared is not yet granted
    leader.read(TARGETS, township["id"])
    # somebody has to lead in the leader's place
    assert errors(chief.act(RESOURCE, made, "grant", {}, status=422)) == {
        ("/replaced_by_inspector_id", "required")}
    chief.act(RESOURCE, made, "grant", {"replaced_by_inspector_id":
              ledger.inspector_id(db, "演示督学05")})

    # hidden, over HTTP and in SQL; the other target is not
    leader.read(TARGETS, township["id"], status=404)
    leader.act(TARGETS, township, "begin-onsite", {}, status=404)
    assert {t["id"] for t in leader.list(TARGETS, task_id=task["id"])} == {
        bureau["id"]}
    mine = as_login("inspector_ft")
    assert value(mine, "select array_agg(id::text) from"
                       " dudao.supervision_targets where task_id = %s",
                 task["id"]) == [bureau["id"]]
    # a visit there is refused before it is written
    refused = onsite_visit(api, db, "inspector_ft", township, status=422)
    assert {e["code"] for e in refused["errors"]} <= {
        "recusal-required", "unknown-reference"}

    # the replacement has the target, and only that one to lead
    row, = [m for m in staff.read(TASKS, task["id"])["team"]
            if m["inspector_id"] == ledger.inspector_id(db, "演示督学05")]
    assert row["target_ids"] == [township["id"]]
    begun = other.act(TARGETS, township, "begin-onsite", {})
    assert begun["state"] == "onsite"
    assert {e["code"] for e in other.act(
        TARGETS, bureau, "begin-onsite", {}, status=422)["errors"]} == {
        "leader-only"}
    leader.act(TARGETS, bureau, "begin-onsite", {})
    visit = onsite_visit(api, db, "inspector_05", township)
    other.act("visits", visit, "submit", {})
    assert other.act(TARGETS, township, "end-onsite", {})["state"] == \
        "onsite_done"
    leader.read("visits", visit["id"], status=404)
    # the replacement may have to go, too
    made = staff.create(RESOURCE, {
        "inspector_id": ledger.inspector_id(db, "演示督学05"),
        "target_id": township["id"], "reason": "interest"})
    assert errors(chief.act(RESOURCE, made, "grant", {}, status=422)) == {
        ("/replaced_by_inspector_id", "required")}
    assert ("/replaced_by_inspector_id", "recusal-required") in errors(
        chief.act(RESOURCE, made, "grant", {
            "replaced_by_inspector_id": me}, status=422))
    third = ledger.inspector_id(db, "演示督学09")
    chief.act(RESOURCE, made, "grant", {"replaced_by_inspector_id": third})
    assert value(db, "select app.leader_at(t) from dudao.supervision_targets"
                     " t where id = %s", township["id"]) == third
    assert value(db, "select app.leader_at(t) from dudao.supervision_targets"
                     " t where id = %s", bureau["id"]) == me
    assert value(db, "select app.is_recused(%s, %s, %s)", me,
                 township["organization_id"], township["id"]) is True
    assert value(db, "select app.is_recused(%s, %s)", me,
                 township["organization_id"]) is False


@pytest.mark.clause("L-TL-10", "R-INS-09", "3.0")
def test_who_still_sees_it_does_nothing_with_it(api, db, as_login):
    """The lead of a zone reads all of the zone, and is off all the same."""
    school = ledger.organization_id(db)
    task, (target,) = under_way(api, db, {"organization_id": school},
                                team=(1, 2, 3, 4))
    lead, staff = api.login("zone_lead"), api.login("office_staff")
    made = staff.create(RESOURCE, {
        "inspector_id": ledger.inspector_id(db), "target_id": target["id"],
        "reason": "interest"})
    body = {"kinds": ["refuse_obstruct"], "facts": "拒绝提供台账"}
    api.login("chief_inspector").act(RESOURCE, made, "grant", {})
    assert lead.read(TARGETS, target["id"])["id"] == target["id"]
    refused = lead.act(TARGETS, target, "record-obstruction", body,
                       status=422)
    assert refused["code"] == "recusal-required"
    assert (refused["rule_id"], refused["clause_id"]) == ("R-INS-09",
                                                          "L-TL-10")
    # in SQL
    sql = as_login("zone_lead")
    with sql.cursor() as cursor, pytest.raises(Exception) as error:
        cursor.execute("select * from app.act('supervision_targets', %s,"
                       " 'record_obstruction', null, %s)",
                       (target["id"], json.dumps(body)))
    assert "recusal-required" in error.value.diag.message_detail
    api.login("inspector_ft").act(TARGETS, target, "record-obstruction", body)
    # the visit of the team is not the lead's to review, others are
    leader = api.login("inspector_ft")
    leader.act(TARGETS, target, "begin-onsite", {})
    visit = onsite_visit(api, db, "inspector_ft", target)
    leader.act("visits", visit, "submit", {})
    assert lead.act("visits", visit, "review", {},
                    status=422)["code"] == "recusal-required"
    usual = leader.create("visits", ledger.visit_body(
        db, no_problem_found=True))
    leader.act("visits", usual, "submit", {})
    assert lead.act("visits", usual, "review", {})["state"] == "reviewed"


@pytest.mark.clause("L-TL-10", "R-INS-09", "L-TL-16", "R-TSK-02")
def test_a_member_who_is_off_does_not_count(api, db):
    """Of the three inspectors at a target none is recused; the replacement
    fills the gap, for a recusal of the whole unit, too."""
    # people and a school of no other test: the recusals stay
    school = value(db, "select s.id from dudao.schools s"
                       " join dudao.organizations o on o.id = s.id"
                       " where o.status = 'operating' and s.counts_in_ratio"
                       " order by s.ident_code desc limit 1")
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    task = staff.create(TASKS, {
        "kind": "special", "title": unique("专项督导"),
        "year": ledger.today(db).year, "matters": ["M2"],
        "basis_document_id": staff.one("policy-documents",
                                       state="in_force")["id"],
        "leader_inspector_id": ledger.inspector_id(db, "演示督学02"),
        "onsite_from": str(ledger.today(db)
                           + appointments.DAY * 30),
        "team": [{"inspector_id": ledger.inspector_id(db, f"演示督学0{n}"),
                  "role": "leader" if n == 2 else "member"}
                 for n in (2, 6, 7)],
        "targets": [{"organization_id": school}]})
    chief.act(TASKS, task, "approve", {})
    target, = staff.list(TARGETS, task_id=task["id"])

    def present():
        return value(db, """
            select count(distinct m.inspector_id)
            from dudao.team_members m
            where m.task_id = %s and (m.target_ids = '{}'
                    or %s = any (m.target_ids))
                and not app.is_recused(m.inspector_id, %s, %s)""",
                     task["id"], target["id"], school, target["id"])

    assert present() == 3
    made = staff.create(RESOURCE, {
        "inspector_id": ledger.inspector_id(db, "演示督学06"),
        "organization_id": school, "reason": "former_post"})
    chief.act(RESOURCE, made, "grant", {"replaced_by_inspector_id":
              ledger.inspector_id(db, "演示督学05")})
    assert present() == 3
    team = staff.read(TASKS, task["id"])["team"]
    assert [m["target_ids"] for m in team if m["inspector_id"]
            == ledger.inspector_id(db, "演示督学05")] == [[target["id"]]]
    api.login("inspector_06").read(TARGETS, target["id"], status=404)
    api.login("inspector_05").read(TARGETS, target["id"])
    # one more without a replacement: too few
    made = staff.create(RESOURCE, {
        "inspector_id": ledger.inspector_id(db, "演示督学07"),
        "target_id": target["id"], "reason": "other"})
    chief.act(RESOURCE, made, "grant", {})
    assert present() == 2
    # nobody who is off is put on a team anew
    again = staff.create(TASKS, {
        "kind": "regular", "title": unique("经常性督导"),
        "year": ledger.today(db).year, "matters": ["M2"],
        "basis_document_id": task["basis_document_id"],
        "leader_inspector_id": ledger.inspector_id(db, "演示督学06"),
        "team": [{"inspector_id": ledger.inspector_id(db, "演示督学06"),
                  "role": "leader"}],
        "targets": [{"organization_id": school}]})
    refused = chief.act(TASKS, again, "approve", {}, status=422)
    assert refused["code"] == "recusal-required"


# --- by visit -----------------------------------------------------------------


@pytest.mark.clause("L-TL-10", "R-INS-09", "3.24")
def test_a_visit_is_left_alone(api, db, as_login):
    """Who is off a visit reads what was written, and changes, submits and
    reviews nothing of it; the school's other visits go on."""
    me, chief = api.login("inspector_ft"), api.login("chief_inspector")
    id = ledger.inspector_id(db, "演示督学02")
    visit = me.create("visits", ledger.visit_body(db, items=[
        {"area": "A7", "conclusion": "problem",
         "problem": ledger.problem_input()}]))
    problem = visit["items"][0]["problem_id"]
    made = me.create(RESOURCE, {"visit_id": visit["id"],
                                "reason": "near_relative"})
    assert made["unit_id"] == visit["organization_id"]
    chief.act(RESOURCE, made, "grant", {"comment": "另派督学"})
    refused = me.act("visits", visit, "submit", {}, status=422)
    assert refused["code"] == "recusal-required"
    visit = me.read("visits", visit["id"])
    refused = me.change("visits", visit, {"summary": "改写"}, status=422)
    assert {e["code"] for e in refused["errors"]} == {"recusal-required"}
    assert refused["errors"][0]["rule_id"] == "R-INS-09"
    row = me.read("problems", problem)
    refused = me.change("problems", row, {"title": "改写"}, status=422)
    assert {e["code"] for e in refused["errors"]} == {"recusal-required"}
    # in SQL
    with as_login("inspector_ft").cursor() as cursor, \
            pytest.raises(Exception) as error:
        cursor.execute("update dudao.visits set summary = '改写'"
                       " where id = %s", (visit["id"],))
    assert "recusal-required" in error.value.diag.message_detail
    assert me.read("visits", visit["id"])["summary"] == visit["summary"]
    # the unit as such is not the matter
    assert value(db, "select app.is_recused(%s, %s, null, %s)", id,
                 visit["organization_id"], visit["id"]) is True
    assert value(db, "select app.is_recused(%s, %s)", id,
                 visit["organization_id"]) is False
    usual = me.create("visits", ledger.visit_body(db, no_problem_found=True))
    assert me.act("visits", usual, "submit", {})["state"] == "submitted"


@pytest.mark.clause("L-TL-10", "R-INS-09", "C2.3.2.b")
def test_anothers_visit_is_hidden(api, db):
    """Of a colleague's visit to the own school, and of what was found."""
    lead, me = api.login("zone_lead"), api.login("inspector_ft")
    visit = lead.create("visits", ledger.visit_body(db, items=[
        {"area": "A7", "conclusion": "problem",
         "problem": ledger.problem_input()}]))
    lead.act("visits", visit, "submit", {})
    problem = visit["items"][0]["problem_id"]
    me.read("visits", visit["id"])
    me.read("problems", problem)
    made = me.create(RESOURCE, {"visit_id": visit["id"],
                                "reason": "interest"})
    api.login("chief_inspector").act(RESOURCE, made, "grant", {})
    me.read("visits", visit["id"], status=404)
    me.read("problems", problem, status=404)
    # nor does who is off judge whether it was put right
    staff = api.login("office_staff")
    staff.act("visits", visit, "review", {})
    staff.act("problems", problem, "assign", {})
    api.login("school_account").act("problems", problem, "report", {
        "text": "已完成", "evidence": [ledger.evidence(db)],
        "signed_by_head": True})
    refused = staff.act("problems", problem, "verify", {
        "reviewer_inspector_ids": [
            ledger.inspector_id(db, "演示督学02")]}, status=422)
    assert {(e["code"], e["rule_id"]) for e in refused["errors"]} == {
        ("recusal-required", "R-INS-09")}
    # the school itself stays the inspector's
    assert me.list("visits", organization_id=visit["organization_id"])
