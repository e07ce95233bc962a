"""Frameworks, campaigns and evaluations for tests that need one."""

import itertools

from support import ledger, reports
from support.client import unique

# Years that no other framework of the county is in force for: past ones, of
# which there may be campaigns, and others.
_past = {}
_future = itertools.count(2031)
LEAVES = (("X1", 60, {}), ("X2", 30, {"is_veto": True}),
          ("X3", 10, {"evidence_required": True}))


def framework(api, leaves=LEAVES, target="township", year=None, **members):
    """A draft with its indicators, for a year of its own."""
    staff = api.login("office_staff")
    year = year or next(_future)
    made = staff.create("indicator-frameworks", {
        "code": "PJ-" + unique().upper(), "edition": 1, "name": "评估指标",
        "campaign_kind": "supervision_work", "target_kind": target,
        "year_from": year, "year_to": year, **members})
    for code, weight, more in leaves:
        staff.create("indicators", {
            "framework_id": made["id"], "code": code, "name": "指标",
            "weight": weight, **more})
    return staff.read("indicator-frameworks", made["id"])


def in_force(api, target="township", **choice):
    year = next(_past.setdefault(target, itertools.count(2012)))
    made = framework(api, target=target, year=year, **choice)
    return api.login("committee_director").act(
        "indicator-frameworks", made, "enforce", {"comment": "同意施行"})


def campaign(api, year, target="township", **members):
    return api.login("office_staff").create("evaluation-campaigns", {
        "kind": "supervision_work", "target_kind": target, "year": year,
        "title": unique("教育督导工作评估"), **members})


def launched(api, target="township", **choice):
    rule = in_force(api, target=target, **choice)
    made = campaign(api, rule["year_from"], target)
    api.login("committee_director").act("evaluation-campaigns", made,
                                        "approve", {"comment": "同意"})
    return api.login("chief_inspector").act("evaluation-campaigns", made,
                                            "launch", {})


def of_unit(api, row, login="township_account"):
    """The evaluation of the account's unit or zone in a campaign."""
    return api.login(login).one("evaluations", campaign_id=row["id"])


def leaves(api, row):
    """code -> id of the indicators that the campaign scores"""
    return {i["code"]: i["id"] for i in api.login("office_staff").list(
        "indicators", framework_id=row["framework_id"]) if i["is_leaf"]}


def self_score(api, db, row):
    return {"report": "本年度自评情况。", "truth_commitment": True, "scores": [
        {"indicator_id": id, "score": 9, "evidence": [ledger.evidence(db)]}
        for id in leaves(api, row).values()]}


def office_score(api, row, **scores):
    return {"scores": [{"indicator_id": id, "score": scores.get(code, 8)}
                       for code, id in leaves(api, row).items()]}


def lead(api, db, row, unit, to="preliminary", login="township_account",
         scores=None):
    """The unit's evaluation up to a state; how it is read there."""
    staff = api.login("office_staff")
    for state, client, action, body in (
            ("self_scored", api.login(login), "self-score",
             lambda: self_score(api, db, row)),
            ("verified", staff, "verify",
             lambda: {"onsite": True, "note": "核对台账"}),
            ("scored", staff, "score",
             lambda: office_score(api, row, **(scores or {}))),
            ("preliminary", api.login("chief_inspector"), "propose",
             lambda: {})):
        unit = client.act("evaluations", unit, action, body())
        if state == to:
            break
    return unit


def only(db, row, *logins):
    """All others of a campaign are void."""
    with db.cursor() as cursor:
        cursor.execute("select app.act_as('chief_inspector')")
        cursor.execute("""
            select count(a.status)
            from dudao.evaluations e
            cross join lateral app.act('evaluations', e.id, 'void', null,
                '{"reason": "合并评估"}') a
            where e.campaign_id = %s and e.organization_id not in (
                select u.organization_id from dudao.users u
                where u.login = any (%s))""", (row["id"], list(logins)))
        cursor.execute("select app.act_as('')")


def resolution(db):
    return {"resolution_id": reports.resolution(db)}
