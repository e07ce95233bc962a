"""Policy documents: 3.21, H.2 to H.6, P.1, C2.1.3.a."""

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
