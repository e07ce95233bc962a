"""Evaluation of the supervision work: C2.1.3.i, 3.6, R-EVA-03, R-EVA-04."""

import json
from datetime import timedelta

import psycopg2
import pytest

from support import evaluations, ledger
from support.client import unique
from support.meetings import faults, move, units, workday

F, C, E = "indicator-frameworks", "evaluation-campaigns", "evaluations"
BOTH = ("township_account", "township_account_2")


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


def refusal(connection, statement, *values):
    """The refusal of a statement that is made by hand."""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(statement, values)
    return json.loads(caught.value.diag.message_detail)


def rows(db, statement, *values):
    with db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def over(server, db, *evaluation):
    """The time for objections has passed."""
    for row in evaluation:
        move(server, "evaluations", row["id"],
             objection_due_on=ledger.today(db) - timedelta(days=1))


# --- frameworks ------------------------------------------------------------------


@pytest.mark.clause("C2.1.3.i", "C2.2.1.c", "R-EVA-04")
def test_weights_sum_to_100_before_it_is_in_force(api, db, as_login):
    staff, director = api.login("office_staff"), api.login(
        "committee_director")
    row = evaluations.framework(api, (("X1", 60, {}), ("X2", 39.99, {})),
                                year=2024)
    parent = staff.one("indicators", framework_id=row["id"], level=1)
    for code, weight in (("X1.1", 40), ("X1.2", 19)):
        staff.create("indicators", {
            "framework_id": row["id"], "parent_id": parent["id"],
            "code": code, "name": "指标", "weight": weight})
    assert staff.read(F, row["id"])["leaf_weight"] == 98.99
    answer = director.act(F, row, "enforce", {}, status=422)
    assert [(e["code"], e["params"], e["rule_id"])
            for e in answer["errors"]] == [
        ("weights-not-100", {"sum": 98.99}, "R-EVA-04"),
        ("parent-weight-mismatch",
         {"code": "X1", "weight": 60, "sum": 59}, "R-EVA-04")]
    # nor in SQL, by the step or past it
    as_director = as_login("committee_director")
    assert codes(refusal(as_director, "select * from app.act("
                         "'indicator_frameworks', %s, 'enforce')",
                         row["id"])) >= {"weights-not-100"}
    with db.cursor() as cursor:
        cursor.execute("select app.act_as('committee_director')")
    assert codes(refusal(db, "update dudao.indicator_frameworks"
                             " set state = 'in_force' where id = %s",
                         row["id"])) >= {"weights-not-100"}
    last = staff.one("indicators", framework_id=row["id"], sort="-code")
    staff.change("indicators", last, {"weight": 40})
    child = [i for i in staff.list("indicators", framework_id=row["id"])
             if i["code"] == "X1.2"][0]
    staff.change("indicators", child, {"weight": 20})
    api.login("chief_inspector").act(F, row, "enforce", {}, status=403)
    made = director.act(F, row, "enforce", {})
    assert (made["state"], made["leaf_weight"], made["in_force_on"]) == (
        "in_force", 100, str(ledger.today(db)))
    # of the parameter, where the framework has none of its own
    assert made["grade_thresholds"] == {"excellent": 90, "good": 80,
                                        "qualified": 60}


@pytest.mark.clause("C2.2.1.c", "R-EVA-04")
def test_a_framework_in_force_is_fixed_and_the_only_one(api, db):
    staff, director = api.login("office_staff"), api.login(
        "committee_director")
    row = evaluations.in_force(api)
    staff.change(F, row, {"name": "另一名称"}, status=409)
    leaf = staff.one("indicators", framework_id=row["id"])
    answer = staff.change("indicators", leaf, {"weight": 50}, status=422)
    assert codes(answer) == {"framework-fixed"}
    answer = staff.post("/v1/indicators", status=422, json={
        "framework_id": row["id"], "code": "X9", "name": "指标",
        "weight": 1}).json()
    assert codes(answer) == {"framework-fixed"}
    staff.delete(f"/v1/indicators/{leaf['id']}", if_match=leaf, status=409)
    for statement, code in (
            ("update dudao.indicators set weight = 1 where id = %s",
             "framework-fixed"),
            ("delete from dudao.indicators where id = %s", None)):
        detail = refusal(db, statement, leaf["id"])
        assert (codes(detail) or {detail["code"]}) == {code or "not-editable"}
        assert detail["rule_id"] == "R-EVA-04"
    assert codes(refusal(
        db, "update dudao.indicator_frameworks set year_to = 2090"
            " where id = %s", row["id"])) == {"framework-fixed"}
    # the same kind of target and year a second time
    other = evaluations.framework(api, year=row["year_from"])
    answer = director.act(F, other, "enforce", {}, status=422)
    assert [(e["code"], e["params"]) for e in answer["errors"]] == [
        ("framework-already-in-force",
         {"code": row["code"], "edition": 1})]
    # another purpose is another framework (9-A25)
    duty = evaluations.framework(api, year=row["year_from"],
                                 campaign_kind="government_duty")
    director.act(F, duty, "enforce", {})
    director.act(F, row, "retire", {"reason": "修订"})
    assert director.act(F, other, "enforce", {})["state"] == "in_force"


@pytest.mark.clause("C2.2.1.c")
def test_drafts_are_checked(api):
    staff = api.login("office_staff")
    row = evaluations.framework(api, (("X1", 60, {}),))
    answer = staff.change(F, row, {"year_to": 2012, "grade_thresholds": {
        "excellent": 80, "good": 90, "qualified": 60}}, status=422)
    assert faults(answer) == {
        ("/year_to", "date-before-start"),
        ("/grade_thresholds", "thresholds-not-in-order")}
    parent = staff.one("indicators", framework_id=row["id"])
    for body in ({"code": "X2.1"}, {"code": "Y1.1", "parent": True},
                 {"code": "X1.1.1", "parent": True}):
        if body.pop("parent", False):
            body["parent_id"] = parent["id"]
        answer = staff.create("indicators", {
            "framework_id": row["id"], "name": "指标", "weight": 1, **body},
            status=422)
        assert faults(answer) == {("/code", "indicator-code-place")}
    child = staff.create("indicators", {
        "framework_id": row["id"], "name": "指标", "weight": 60,
        "code": "X1.1", "parent_id": parent["id"]})
    assert child["is_leaf"] and child["level"] == 2
    parent = staff.read("indicators", parent["id"])
    assert not parent["is_leaf"]
    staff.delete(f"/v1/indicators/{parent['id']}", if_match=parent,
                 status=409)
    staff.delete(f"/v1/indicators/{child['id']}", if_match=child, status=204)
    staff.create(F, {"code": row["code"], "edition": 1, "name": "又一份",
                     "campaign_kind": "special", "target_kind": "zone",
                     "year_from": 2026}, status=409)


# --- campaigns -------------------------------------------------------------------


@pytest.mark.clause("C2.1.3.i", "R-EVA-04")
def test_who_approves_and_with_which_framework(api):
    director, chief = api.login("committee_director"), api.login(
        "chief_inspector")
    draft = evaluations.framework(api, year=2020)
    row = evaluations.campaign(api, 2020, framework_id=draft["id"])
    answer = chief.act(C, row, "approve", {}, status=422)
    assert codes(answer) == {"director-decides-annual",
                             "framework-not-in-force"}
    director.act(F, draft, "enforce", {})
    row = director.act(C, row, "approve", {})
    assert row["state"] == "approved"
    api.login("office_staff").change(C, row, {"title": "改名"}, status=409)
    # at the office's discretion, with a reason (C2.2.1.f)
    staff = api.login("office_staff")
    body = {"kind": "supervision_work", "target_kind": "township",
            "year": 2020, "title": "专项评估", "periodicity": "ad_hoc"}
    answer = staff.create(C, body, status=422)
    assert faults(answer) == {("/reason", "required")}
    row = staff.create(C, {**body, "reason": "群众反映集中"})
    assert codes(director.act(C, row, "approve", {}, status=422)) == {
        "chief-decides-ad-hoc"}
    assert chief.act(C, row, "approve", {})["state"] == "approved"
    # a framework of townships does not fit departments, nor another year
    answer = staff.create(C, {**body, "reason": "…", "year": 2019,
                              "target_kind": "county_department",
                              "framework_id": draft["id"]}, status=422)
    assert faults(answer) == {("/framework_id", "framework-of-another-kind")}


@pytest.mark.clause("C2.1.3.i", "R-EVA-05")
def test_a_launch_tells_each_target(api, db):
    staff = api.login("office_staff")
    expected = {
        "township": rows(db, "select count(*) from dudao.divisions where"
                             " level = 'township' and active_to is null"),
        "county_department": [(len(units(db)),)],
        "zone": rows(db, "select count(*) from dudao.zones"
                         " where active_to is null")}
    for target, ((count,),) in expected.items():
        row = evaluations.launched(api, target)
        assert (row["state"], row["self_due_on"]) == (
            "launched", str(workday(db, ledger.today(db), 10)))
        made = staff.list(E, campaign_id=row["id"])
        assert len(made) == count > 3
        assert {m["state"] for m in made} == {"notified"}
        ids = [m["id"] for m in made]
        # a zone that nobody leads has nobody to be told
        assert rows(db, "select count(*) from dudao.dispatches where"
                        " subject_id = any (%s::uuid[]) and state = 'sent'"
                        " and purpose = 'serve'", ids) == rows(db, """
            select count(*) from dudao.evaluations e
            left join dudao.zones z on z.id = e.zone_id
            where e.id = any (%s::uuid[])
                and (z.id is null or z.lead_inspector_id is not null)""",
            ids)
        assert rows(db, "select count(*) from dudao.deadlines where"
                        " subject_id = any (%s::uuid[]) and due_on = %s"
                        " and kind = 'self_score'", ids,
                    row["self_due_on"]) == [(count,)]
        # nobody is added by hand
        assert codes(refusal(
            db, "insert into dudao.evaluations(campaign_id, organization_id)"
                " select %s, id from dudao.organizations"
                " where kind = 'school' limit 1", row["id"])) == {
            "not-a-target"}
    assert evaluations.of_unit(api, row, "zone_lead")["zone_id"]


@pytest.mark.clause("C2.1.3.i")
def test_what_is_not_known_is_not_launched(api):
    """Kinds of campaign whose targets are not said yet; a date gone by."""
    director, chief = api.login("committee_director"), api.login(
        "chief_inspector")
    rule = evaluations.framework(api, year=2013, campaign_kind="special")
    director.act(F, rule, "enforce", {})
    row = evaluations.campaign(api, 2013, kind="special")
    director.act(C, row, "approve", {})
    answer = chief.act(C, row, "launch", {"self_due_on": "2013-12-01"},
                       status=422)
    assert faults(answer) == {("/target_kind", "campaign-without-targets"),
                              ("/self_due_on", "date-in-past")}
    api.login("office_staff").create(C, {
        "kind": "supervision_work", "target_kind": "township",
        "title": "预先评估", "year": 2099, "framework_id": rule["id"]},
        status=422)


@pytest.mark.clause("C2.1.3.i")
def test_a_cancelled_campaign_takes_its_evaluations_along(api):
    chief = api.login("chief_inspector")
    row = evaluations.launched(api, "zone")
    chief.act(C, row, "cancel", {}, status=422)
    gone = chief.act(C, row, "cancel", {"reason": "与上级评估合并"})
    assert (gone["state"], gone["cancel_reason"]) == ("cancelled",
                                                      "与上级评估合并")
    made = chief.list(E, campaign_id=row["id"])
    assert {m["state"] for m in made} == {"void"}
    assert all("与上级评估合并" in m["void_reason"] for m in made)


# --- scoring ---------------------------------------------------------------------


@pytest.mark.clause("C2.1.3.i", "R-EVA-05")
def test_scores_are_whole_and_within_the_weights(api, db):
    row = evaluations.launched(api)
    unit, staff = api.login("township_account"), api.login("office_staff")
    mine = evaluations.of_unit(api, row)
    ids = evaluations.leaves(api, row)
    answer = unit.act(E, mine, "self-score", {
        "report": "自评", "truth_commitment": False, "scores": [
            {"indicator_id": ids["X1"], "score": 60.01},
            {"indicator_id": ids["X3"], "score": 10},
            {"indicator_id": ids["X3"], "score": 1, "evidence": [
                "0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e"]},
            {"indicator_id": row["framework_id"], "score": 1}]}, status=422)
    assert faults(answer) == {
        ("/scores/0/score", "out-of-range"),
        ("/scores/1/evidence", "evidence-required"),
        ("/scores/2/indicator_id", "duplicate"),
        ("/scores/2/evidence/0", "unknown-reference"),
        ("/scores/3/indicator_id", "unknown-reference"),
        ("/scores", "leaf-scores-missing")}
    assert answer["rule_id"] == "R-EVA-05"
    assert staff.list("evaluation-scores", evaluation_id=mine["id"]) == []
    body = evaluations.self_score(api, db, row)
    answer = unit.act(E, mine, "self-score",
                      {**body, "truth_commitment": False}, status=422)
    assert faults(answer) == {("/truth_commitment",
                               "truth-commitment-required")}
    # not by another unit, not by the office
    api.login("township_account_2").act(E, mine, "self-score", body,
                                        status=404)
    staff.act(E, mine, "self-score", body, status=403)
    mine = unit.act(E, mine, "self-score", body)
    assert (mine["state"], mine["self_score"]) == ("self_scored", 27)
    staff.act(E, mine, "verify", {"onsite": True, "note": "核对台账"})
    answer = staff.act(E, mine, "score", {"scores": [
        {"indicator_id": ids["X1"], "score": 61},
        {"indicator_id": ids["X2"], "score": -1}],
        "veto_indicator_ids": []}, status=422)
    assert faults(answer) == {("/scores/1/score", "out-of-range")}
    answer = staff.act(E, mine, "score", {"scores": [
        {"indicator_id": ids["X1"], "score": 61}]}, status=422)
    assert faults(answer) == {("/scores/0/score", "out-of-range"),
                              ("/scores", "leaf-scores-missing")}
    answer = staff.act(E, mine, "score", {
        **evaluations.office_score(api, row),
        "veto_indicator_ids": [ids["X1"]]}, status=422)
    assert faults(answer) == {("/veto_indicator_ids",
                               "not-a-veto-indicator")}
    scored = staff.act(E, mine, "score", evaluations.office_score(
        api, row, X1=55.5, X2=30, X3=7.25))
    assert scored["verified_score"] == 92.75


@pytest.mark.clause("C2.1.3.i", "R-EVA-05")
def test_the_database_keeps_the_scores(api, db, as_login):
    """No total, no grade and no score past the steps."""
    row = evaluations.launched(api, "zone")
    mine = evaluations.lead(api, db, row, evaluations.of_unit(
        api, row, "zone_lead"), login="zone_lead")
    for column, value, code in (
            ("verified_score", "99", "score-not-the-sum"),
            ("self_score", "99", "score-not-the-sum"),
            ("final_score", "99", "score-not-the-sum"),
            ("grade", "'excellent'", "grade-not-of-the-score"),
            ("rank", "9", "read-only-field"),
            ("bonus", "1", "required"),
            ("objection_due_on", "'2020-01-01'", "not-editable"),
            ("zone_id", "null", "read-only-field")):
        assert code in codes(refusal(
            db, f"update dudao.evaluations set {column} = {value}"
                " where id = %s", mine["id"])), column
    score = api.login("office_staff").one(
        "evaluation-scores", evaluation_id=mine["id"], stage="office")
    assert "not-editable" in codes(refusal(
        db, "update dudao.evaluation_scores set score = 1 where id = %s",
        score["id"]))
    staff = as_login("office_staff")
    for stage, code in (("office", "score-out-of-turn"),
                        ("self", "separation-of-duties")):
        detail = refusal(
            staff, "insert into dudao.evaluation_scores(evaluation_id,"
                   " indicator_id, stage, score) values (%s, %s, %s, 99)",
            mine["id"], score["indicator_id"], stage)
        assert codes(detail) >= {code, "out-of-range"}
    assert "objection-out-of-turn" in codes(refusal(
        staff, "insert into dudao.evaluation_objections(evaluation_id, seq,"
               " text) values (%s, 9, '代为提出')", mine["id"]))


@pytest.mark.clause("C2.1.3.i")
def test_who_belongs_to_the_unit_does_not_score_it(api, db):
    row = evaluations.launched(api, "zone")
    mine = evaluations.lead(api, db, row, evaluations.of_unit(
        api, row, "zone_lead"), to="self_scored", login="zone_lead")
    # somebody of the office who is an inspector of this zone as well
    with db.cursor() as cursor:
        cursor.execute("select app.act_as('zone_lead')")
        cursor.execute("select set_config('dudao.roles', '{office_staff}',"
                       " false)")
    detail = refusal(
        db, "select * from app.act('evaluations', %s, 'verify', null, %s)",
        mine["id"], '{"onsite": true, "note": "核对台账"}')
    assert (detail["code"], detail["rule_id"]) == ("separation-of-duties",
                                                   "R-EVA-05")


@pytest.mark.clause("C2.1.3.i")
def test_a_fifth_is_verified_on_site(api, db):
    row = evaluations.launched(api)
    evaluations.only(db, row, *BOTH)
    staff = api.login("office_staff")
    first, second = (evaluations.lead(
        api, db, row, evaluations.of_unit(api, row, login),
        to="self_scored", login=login) for login in BOTH)
    staff.act(E, first, "verify", {"onsite": False, "note": "核对台账"})
    answer = staff.act(E, second, "verify",
                       {"onsite": False, "note": "核对台账"}, status=422)
    assert [(e["code"], e["params"]) for e in answer["errors"]] == [
        ("onsite-sample-short", {"needed": 1})]
    staff.act(E, second, "verify", {"onsite": True, "note": "走访两所学校"})


@pytest.mark.clause("C2.1.3.i", "4.4")
def test_scores_are_told_with_the_preliminary_result(api, db):
    row = evaluations.launched(api)
    unit = api.login("township_account")
    mine = evaluations.lead(api, db, row, evaluations.of_unit(api, row),
                            to="scored")
    seen = unit.read(E, mine["id"])
    assert (seen["self_score"], seen["verified_score"],
            seen["verify_note"]) == (27, None, None)
    assert {s["stage"] for s in unit.list(
        "evaluation-scores", evaluation_id=mine["id"])} == {"self"}
    steps = unit.get(f"/v1/evaluations/{mine['id']}/transitions",
                     status=200).json()["data"]
    assert [s["action"] for s in steps] == ["self_score", "verify", "score"]
    assert steps[0]["data"] and not steps[1]["data"] and not steps[2]["data"]
    api.login("chief_inspector").act(E, mine, "propose", {})
    seen = unit.read(E, mine["id"])
    assert (seen["verified_score"], seen["final_score"]) == (24, 24)
    assert {s["stage"] for s in unit.list(
        "evaluation-scores", evaluation_id=mine["id"])} == {"self", "office"}
    steps = unit.get(f"/v1/evaluations/{mine['id']}/transitions",
                     status=200).json()["data"]
    assert steps[2]["data"]["scores"]


# --- objections --------------------------------------------------------------------


@pytest.mark.clause("C2.1.3.i", "R-EVA-03")
def test_objections_are_decided_before_the_result_is_final(api, db, server):
    row = evaluations.launched(api)
    evaluations.only(db, row, "township_account")
    unit, chief, director = (api.login(login) for login in (
        "township_account", "chief_inspector", "committee_director"))
    mine = evaluations.lead(api, db, row, evaluations.of_unit(api, row))
    ids = evaluations.leaves(api, row)
    assert mine["objection_due_on"] == str(workday(db, ledger.today(db), 5))
    answer = director.act(E, mine, "finalize", evaluations.resolution(db),
                          status=422)
    assert codes(answer) == {"objection-period-open"}
    assert answer["rule_id"] == "R-EVA-03"
    mine = unit.act(E, mine, "object", {"text": "会议共三次"})
    assert mine["state"] == "objected"
    # open: no way to the final result, nor to a second one
    director.act(E, mine, "finalize", {}, status=409)
    unit.act(E, mine, "object", {"text": "再次"}, status=409)
    chief.act(E, mine, "resolve", {"decision": "upheld"}, status=422)
    for body in ({"decision": "upheld", "reason": "属实"},
                 {"decision": "rejected", "reason": "不属实", "scores": [
                     {"indicator_id": ids["X1"], "score": 60}]}):
        assert codes(chief.act(E, mine, "resolve", body, status=422)) == {
            "decision-contradicts-scores"}
    mine = chief.act(E, mine, "resolve", {
        "decision": "partly", "reason": "一次有纪要", "scores": [
            {"indicator_id": ids["X1"], "score": 20.5}]})
    assert (mine["state"], mine["verified_score"], mine["final_score"]) == (
        "preliminary", 36.5, 36.5)
    logged = unit.one("evaluation-objections", evaluation_id=mine["id"])
    assert (logged["decision"], logged["score_change"],
            logged["decision_reason"]) == ("partly", 12.5, "一次有纪要")
    assert [s["score"] for s in unit.list(
        "evaluation-scores", evaluation_id=mine["id"],
        indicator_id=ids["X1"])] == [9, 8, 20.5]
    # a second one, upon which the first is not forgotten
    unit.act(E, mine, "object", {"text": "另一项"})
    mine = chief.act(E, mine, "resolve", {"decision": "rejected",
                                          "reason": "材料不足"})
    assert mine["final_score"] == 36.5
    over(server, db, mine)
    answer = unit.act(E, mine, "object", {"text": "晚了"}, status=422)
    assert (answer["code"], answer["rule_id"]) == ("deadline-passed",
                                                   "R-EVA-03")
    answer = chief.act(E, mine, "finalize", evaluations.resolution(db),
                       status=422)
    assert codes(answer) == {"director-decides-annual"}
    assert codes(director.act(E, mine, "finalize", {}, status=422)) == {
        "resolution-required"}
    final = director.act(E, mine, "finalize", evaluations.resolution(db))
    assert (final["state"], final["grade"]) == ("finalized", "unqualified")
    detail = refusal(db, "update dudao.evaluations set penalty = 1,"
                         " penalty_reason = 'x' where id = %s", mine["id"])
    assert codes(detail) >= {"not-editable", "score-not-the-sum"}
    chief.act(E, mine, "void", {"reason": "重来"}, status=409)


# --- results -----------------------------------------------------------------------


@pytest.mark.clause("C2.1.3.i", "C2.1.3.f", "R-EVA-05", "R-RPT-02")
def test_results_are_ranked_circulated_and_published(api, db, server):
    staff, chief, director = (api.login(login) for login in (
        "office_staff", "chief_inspector", "committee_director"))
    row = evaluations.launched(api)
    evaluations.only(db, row, *BOTH)
    first = evaluations.lead(
        api, db, row, evaluations.of_unit(api, row), to="scored",
        scores={"X1": 55, "X2": 27, "X3": 10})
    second = evaluations.lead(
        api, db, row, evaluations.of_unit(api, row, BOTH[1]), to="verified",
        login=BOTH[1])
    assert codes(chief.act(E, first, "propose", {"bonus": 2},
                           status=422)) == {"required"}
    first = chief.act(E, first, "propose", {
        "penalty": 3, "penalty_reason": "两项数据不符"})
    assert chief.read(C, row["id"])["state"] == "scoring"
    # a veto outweighs the score
    second = staff.act(E, second, "score", {
        **evaluations.office_score(api, row, X1=60, X2=30, X3=10),
        "veto_indicator_ids": [evaluations.leaves(api, row)["X2"]]})
    second = chief.act(E, second, "propose", {})
    assert chief.read(C, row["id"])["state"] == "objection"
    chief.act(C, row, "cancel", {"reason": "迟了"}, status=409)
    over(server, db, first, second)
    first = director.act(E, first, "finalize", evaluations.resolution(db))
    assert (first["final_score"], first["grade"], first["rank"]) == (
        89, "good", None)
    assert codes(staff.act(E, first, "deliver", {}, status=422)) == {
        "campaign-not-finalized"}
    director.act(E, second, "finalize", evaluations.resolution(db))
    done = staff.read(C, row["id"])
    assert (done["state"], done["finalized_on"]) == ("finalized",
                                                     str(ledger.today(db)))
    assert [(e["rank"], e["grade"], e["final_score"]) for e in staff.list(
        E, campaign_id=row["id"], state="finalized", sort="rank")] == [
        (1, "good", 89), (2, "unqualified", 100)]
    # nobody but the unit reads it yet
    liaison, leader = api.login("member_liaison"), api.login("leader_reader")
    liaison.read(E, first["id"], status=404)
    assert leader.read(E, first["id"])["rank"] == 1

    def sent():
        return {(purpose, role): (count, states) for purpose, role, count,
                states in rows(db, """
                    select purpose, recipient_role, count(*),
                        string_agg(distinct state, ',')
                    from dudao.dispatches
                    where subject_id = %s group by 1, 2""", row["id"])}

    n = len(units(db))
    assert sent() == {
        ("circulate", "member_unit"): (n, "planned"),
        ("report", "superior_supervision"): (1, "planned"),
        ("deliver_report", "party_committee"): (1, "planned"),
        ("deliver_report", "government"): (1, "planned")}
    assert done["circulate_by"] == str(workday(db, ledger.today(db), 5))
    staff.act(E, first, "deliver", {})
    assert sent() == {
        ("circulate", "member_unit"): (n, "sent"),
        ("report", "superior_supervision"): (1, "sent"),
        ("deliver_report", "party_committee"): (1, "sent"),
        ("deliver_report", "government"): (1, "sent"),
        ("feedback", "supervised_unit"): (1, "sent")}
    assert liaison.read(E, first["id"])["grade"] == "good"
    api.login(BOTH[1]).read(E, first["id"], status=404)
    (key, payload), = rows(
        db, "select business_key, payload from dudao.exchange_messages"
            " where type = 'X-05' and subject_id = %s", first["id"])
    assert key == f"eval:{done['code']}:430626101"
    assert (payload["score"], payload["grade"], payload["rank"]) == (
        89, "good", 1)

    # published, and then closed once the other was delivered, too
    publication = staff.one("publications", kind="evaluation_result",
                            subject_id=row["id"])
    assert "1. 安定镇人民政府：良好" in publication["body"]
    chief.act(C, row, "close", {}, status=409)
    staff.act("publications", publication, "submit", {})
    api.login("office_staff_2").act("publications", publication,
                                    "secrecy-check", {"result": "pass"})
    chief.act("publications", publication, "approve", {"comment": "同意"})
    channel = staff.one("publication-channels", kind="gov_portal")
    staff.act("publications", publication, "publish", {"placements": [
        {"channel_id": channel["id"], "url": "https://portal.example/pg"}]})
    assert chief.read(C, row["id"])["state"] == "published"
    assert codes(chief.act(C, row, "close", {}, status=422)) == {
        "evaluations-not-delivered"}
    staff.act(E, second, "deliver", {})
    assert chief.act(C, row, "close", {})["state"] == "closed"
    included = staff.act(E, first, "include", {"ack_doc_no": unique("绩效")})
    assert included["state"] == "included"


@pytest.mark.clause("C2.1.3.i")
def test_only_townships_are_included(api):
    """The demo's results of last year: one of a department."""
    staff = api.login("office_staff")
    row = staff.one(C, kind="supervision_work", state="closed",
                    target_kind="county_department")
    one = staff.one(E, campaign_id=row["id"], state="delivered")
    assert codes(staff.act(E, one, "include", {"ack_doc_no": "绩效1号"},
                           status=422)) == {"townships-only"}


@pytest.mark.clause("C2.1.3.i", "R-EVA-05")
def test_a_unit_is_rewarded_for_its_evaluation(api, db):
    """Of the demo county's results of last year."""
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    year = staff.one(C, state="closed")["year"]
    best, worst = (
        [e for e in staff.list(E, year=year, grade=grade, state="delivered")
         if e["organization_id"]][0] for grade in ("excellent", "qualified"))

    def body(evaluation, **members):
        return {"year": year, "kind": "annual_evaluation", "level": "office",
                "title": unique("先进单位"), "citation": "成效显著。",
                "recipient_organization_id": evaluation["organization_id"],
                **members}

    made = staff.create("awards", body(best))
    assert (made["basis_subject_type"], made["basis_subject_id"],
            made["basis_grade"]) == ("evaluations", best["id"], "excellent")
    assert chief.act("awards", made, "review", {})["state"] == "reviewed"
    made = staff.create("awards", body(worst))
    answer = chief.act("awards", made, "review", {}, status=422)
    assert (codes(answer), answer["rule_id"]) == ({"grade-below-good"},
                                                  "R-EVA-05")
    # neither another's, nor a better grade than it was
    for evaluation, grade in ((best, "excellent"), (worst, "good")):
        answer = staff.create("awards", body(
            worst, basis_subject_type="evaluations", basis_grade=grade,
            basis_subject_id=evaluation["id"]), status=422)
        assert codes(answer) == {"basis-of-another"}
    # the demo's own awards rest on these results
    assert rows(db, """
        select count(*) from dudao.awards a
        join dudao.evaluations e on e.id = a.basis_subject_id
        where a.state = 'granted' and a.basis_grade = e.grade""")[0][0] >= 3


@pytest.mark.clause("C2.1.3.i")
def test_a_campaign_waits_no_longer_than_the_date(api, db, server):
    row = evaluations.launched(api, "zone")
    move(server, "evaluation_campaigns", row["id"],
         self_due_on=ledger.today(db) - timedelta(days=1))
    with db.cursor() as cursor:
        cursor.execute("select app.follow_campaigns()")
    lead = api.login("zone_lead")
    assert api.login("office_staff").read(C, row["id"])["state"] == "scoring"
    # late is late, not too late
    mine = evaluations.of_unit(api, row, "zone_lead")
    assert lead.act(E, mine, "self-score", evaluations.self_score(
        api, db, row))["state"] == "self_scored"
    assert rows(db, "select count(*) from dudao.notifications where"
                    " kind = 'self_score_overdue' and subject_id = %s",
                mine["id"])[0][0] > 0


@pytest.mark.clause("C2.1.3.i", "4.3")
def test_who_sees_which_results(api):
    """Of the demo county's campaigns."""
    staff = api.login("office_staff")
    everything = staff.list(E)
    final = {e["id"] for e in everything
             if e["state"] in ("finalized", "delivered", "included")}
    for login in ("leader_reader", "org_personnel_reader"):
        assert {e["id"] for e in api.login(login).list(E)} == final
    own = api.login("township_account").list(E)
    assert own and {e["target_name"] for e in own} == {"安定镇人民政府"}
    member = {e["target_name"] for e in api.login("committee_member").list(
        E, year=staff.one(C, state="closed")["year"])}
    assert {"安定镇人民政府", "教育局", "西南督学责任区"} <= member
    api.get("/v1/evaluations", status=401)
    api.login("third_party").get("/v1/evaluations", status=200)
    api.login("sys_admin").get("/v1/evaluations", status=403)
