"""Policy documents: 3.21, H.2 to H.6, P.1, C2.1.3.a."""

import json

import psycopg2
import pytest

from support.client import unique

ISSUER = "平江县人民政府教育督导委员会办公室"


def codes(problem):
    return {e["code"] for e in problem["errors"]}


def draft(staff, **members):
    county = staff.one("policy-documents", doc_no="平办发〔2022〕30号")
    return staff.create("policy-documents", {
        "title": unique("示例制度"), "issuer": ISSUER, "kind": "other",
        "level": "county", "parent_document_id": county["id"],
        "clauses": [{"clause_id": "第一条", "text": "示例条款"}], **members})


@pytest.mark.clause("H.2", "H.6", "P.1")
def test_chain_of_basis_documents(api):
    staff = api.login("office_staff")
    row = staff.one("policy-documents", doc_no="平办发〔2022〕30号")
    clauses = {clause["clause_id"]: clause["text"]
               for clause in row["clauses"]}
    assert "C2.3.2.b" in clauses and "销号" in clauses["C2.3.2.b"]
    levels = []
    while row:
        levels.append(row["level"])
        row = staff.get(f"/v1/policy-documents/{row['id']}", status=200,
                        params={"expand": "parent_document"}
                        ).json()["parent_document"]
    assert levels == ["county", "municipal", "provincial", "national",
                      "national"]


@pytest.mark.clause("C2.1.3.a", "R-MTG-03")
def test_issue_replaces_the_one_in_force(api):
    staff = api.login("office_staff")
    chief, director = (api.login("chief_inspector"),
                       api.login("committee_director"))
    old = staff.one("policy-documents", kind="work_procedure",
                    state="in_force")
    made = draft(staff, kind="work_procedure")
    assert made["allowed_actions"] == ["submit"]
    made = staff.act("policy-documents", made, "submit", {})
    # of this kind the director is the issuer
    chief.act("policy-documents", made, "issue", {"doc_no": "x"}, status=403)
    assert codes(director.act("policy-documents", made, "issue", {},
                              status=422)) == {"required"}
    number = unique("平教督〔2026〕")
    made = director.act("policy-documents", made, "issue",
                        {"doc_no": number, "comment": "同意印发"})
    assert (made["state"], made["doc_no"]) == ("in_force", number)
    old = staff.read("policy-documents", old["id"])
    assert (old["state"], old["superseded_by_id"]) == (
        "superseded", made["id"])
    history = staff.get(f"/v1/policy-documents/{made['id']}/transitions",
                        status=200).json()["data"]
    assert [step["action"] for step in history] == ["submit", "issue"]
    assert history[1]["comment"] == "同意印发"
    # what was issued keeps its text
    assert codes(staff.change("policy-documents", made, {"title": "改"},
                              status=422)) == {"issued-document-fixed"}
    staff.change("policy-documents", made, {"is_public": False})


def test_number_is_unique(api):
    staff = api.login("office_staff")
    problem = staff.post("/v1/policy-documents/register-external",
                         status=409, json={
        "title": "重复", "doc_no": "国务院令第624号", "issuer": "国务院",
        "issued_on": "2012-09-09", "kind": "national_law",
        "level": "national"}).json()
    assert problem["code"] == "duplicate-number"


def test_external_documents_enter_in_force(api):
    staff = api.login("office_staff")
    body = {"title": unique("上级部署"), "doc_no": unique("湘教督〔2026〕"),
            "issuer": "湖南省教育督导委员会办公室", "issued_on": "2026-03-01",
            "kind": "superior_directive", "level": "provincial"}
    made = staff.post("/v1/policy-documents/register-external", status=201,
                      json=body).json()
    assert made["state"] == "in_force" and made["is_external"]
    problem = staff.post("/v1/policy-documents/register-external",
                         status=422, json=body | {
                             "doc_no": unique(), "issuer": ISSUER}).json()
    assert codes(problem) == {"issuer-is-own-office"}
    staff.act("policy-documents", made, "repeal", {
        "reason": "上级已废止", "effective_to": "2026-06-30"})


@pytest.mark.clause("P.1")
def test_scheme_needs_its_chain(api):
    staff = api.login("office_staff")
    made = draft(staff, kind="local_scheme", parent_document_id=None)
    staff.act("policy-documents", made, "submit", {})
    problem = api.login("chief_inspector").act(
        "policy-documents", made, "issue", {"doc_no": unique()}, status=422)
    assert codes(problem) == {"basis-chain-incomplete"}
    assert problem["clause_id"] == "P.1"
    lower = staff.create("policy-documents", {
        "title": "层级颠倒", "issuer": "国务院", "kind": "national_law",
        "level": "national", "parent_document_id": made["id"]}, status=422)
    assert codes(lower) == {"parent-document-level"}


def test_return_and_void(api):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    made = draft(staff, clauses=[])
    assert codes(staff.act("policy-documents", made, "submit", {},
                           status=422)) == {"text-required"}
    made = staff.change("policy-documents", made, {
        "clauses": [{"clause_id": "一", "text": "示例"}]})
    staff.act("policy-documents", made, "submit", {})
    chief.act("policy-documents", made, "return", {}, status=422)
    made = chief.act("policy-documents", made, "return",
                     {"reason": "请补充"})
    assert made["state"] == "draft"
    staff.act("policy-documents", made, "void", {"reason": "x"}, status=403)
    made = chief.act("policy-documents", made, "void", {"reason": "重复起草"})
    assert made["void_reason"] == "重复起草" and made["allowed_actions"] == []
    assert staff.act("policy-documents", made, "submit", {},
                     status=409)["code"] == "illegal-transition"


def test_public_sees_what_is_public(api, db):
    rows = api.list("public/policy-documents", q="督導")
    assert any(row["doc_no"] == "国务院令第624号" for row in rows)
    assert all(row["state"] != "draft" for row in rows)
    one = api.read("public/policy-documents", rows[0]["id"])
    assert one["title"] == rows[0]["title"]
    with db.cursor() as cursor:
        cursor.execute("select id from dudao.policy_documents"
                       " where state = 'draft' or not is_public limit 1")
        hidden = cursor.fetchone()
    if hidden:
        api.get(f"/v1/public/policy-documents/{hidden[0]}", status=404)


@pytest.mark.clause("C1.a")
def test_decisions_of_the_levels_above(api, db):
    """A reform decided above is a directive of others, not a county paper."""
    staff = api.login("office_staff")
    directives = staff.list("policy-documents", kind="superior_directive",
                            state="in_force")
    assert directives
    assert all(d["is_external"] and d["level"] != "county"
               for d in directives)
    body = {"title": unique("上级部署"), "doc_no": unique("湘教督"),
            "issuer": "湖南省教育督导委员会办公室", "issued_on": "2026-03-01",
            "kind": "superior_directive", "level": "county"}
    answer = staff.post("/v1/policy-documents/register-external",
                        status=422, json=body).json()
    assert codes(answer) == {"level-not-of-kind"}
    assert answer["errors"][0]["clause_id"] == "C1.a"
    made = draft(staff, kind="superior_directive", level="provincial",
                 parent_document_id=None)
    answer = staff.act("policy-documents", made, "submit", {}, status=422)
    assert codes(answer) == {"document-of-others"}


@pytest.mark.clause("C2.1.3.a", "C2.1.3.c", "C2.1.3.e", "C2.4.3.f", "R-MTG-02",
                    "R-MTG-03", "R-TRN-05")
@pytest.mark.parametrize("kind", [
    "work_procedure", "joint_meeting_rule", "communication_rule",
    "reporting_rule", "promotion_rule"])
def test_one_rule_of_its_kind_in_force(api, db, kind):
    staff = api.login("office_staff")
    assert len(staff.list("policy-documents", kind=kind,
                          state="in_force")) == 1
    # not a second one, whatever writes it
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("insert into dudao.policy_documents(title, doc_no,"
                       " issuer, issued_on, kind, level) values ('另一制度',"
                       " %s, '督导办', current_date, %s, 'county')"
                       " returning id", (unique(), kind))
        id = cursor.fetchone()[0]
        cursor.execute("set constraints all immediate")
        try:
            cursor.execute("update dudao.policy_documents set state ="
                           " 'in_force' where id = %s", (id,))
            refused = False
        except Exception:
            refused = True
        cursor.execute("rollback")
    assert refused
    # without its chain to the province it is not issued (P.1)
    made = draft(staff, kind=kind, parent_document_id=None)
    staff.act("policy-documents", made, "submit", {})
    issuer = api.login("committee_director" if kind in (
        "work_procedure", "joint_meeting_rule") else "chief_inspector")
    answer = issuer.act("policy-documents", made, "issue",
                        {"doc_no": unique()}, status=422)
    assert codes(answer) == {"basis-chain-incomplete"}
    api.login("chief_inspector").act("policy-documents", made, "return",
                                     {"reason": "补充依据"})
    # and the one in force still stands
    assert len(staff.list("policy-documents", kind=kind,
                          state="in_force")) == 1


@pytest.mark.clause("C3.1.c", "R-FIN-03")
def test_a_funds_rule_has_standards(api, db):
    staff = api.login("office_staff")
    rule = staff.one("policy-documents", kind="funds_rule", state="in_force")
    assert rule["expense_standards"]
    made = draft(staff, kind="funds_rule")
    answer = staff.act("policy-documents", made, "submit", {}, status=422)
    assert codes(answer) == {"expense-standards-required"}
    assert (answer["rule_id"], answer["clause_id"]) == ("R-FIN-03", "C3.1.c")
    answer = staff.change("policy-documents", made, {"expense_standards": [
        {"category": "meals", "limit_fen": 100}]}, status=422)
    assert codes(answer) == {"required"}
    for standards in ('[{"category": "gifts", "unit": "次", "limit_fen": 1}]',
                      '[{"category": "meals", "unit": "次",'
                      ' "limit_fen": 1.5}]'):
        with db.cursor() as cursor:
            try:
                cursor.execute("update dudao.policy_documents set"
                               " expense_standards = %s where id = %s",
                               (standards, made["id"]))
                raise AssertionError(standards)
            except psycopg2.Error as error:
                detail = json.loads(error.diag.message_detail)
        assert codes(detail) == {"expense-standard-incomplete"}
    made = staff.change("policy-documents", made, {"expense_standards": [
        {"category": "meals", "unit": "人天", "limit_fen": 10000}]})
    staff.act("policy-documents", made, "submit", {})


@pytest.mark.clause("H.6")
def test_clauses_are_named_once(api):
    staff = api.login("office_staff")
    made = draft(staff)
    answer = staff.change("policy-documents", made, {"clauses": [
        {"clause_id": "一", "text": "甲"}, {"clause_id": "一", "text": "乙"}]},
        status=422)
    assert codes(answer) == {"clause-repeated"}
