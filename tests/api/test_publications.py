"""What is made public, by whom and after which review: 3.23, C2.3.1.b,
C2.3.2.g, L-XX-01."""

import json
from datetime import datetime, timedelta, timezone

import psycopg2
import pytest

from support import ledger
from support.client import unique

TEXT = "问题：食堂留样不规范。措施：配备专用留样冰箱，专人登记。"


def refusal(connection, statement, *values):
    """What the database refuses, as (status, detail)."""
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as raised:
            cursor.execute(statement, values)
    error = raised.value
    assert (error.pgcode or "").startswith("DD"), str(error)
    return int(error.pgcode[2:]), json.loads(error.diag.message_detail)


def value(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        return row and row[0]


def rows(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


def moment(**delta):
    at = datetime.now(timezone.utc) + timedelta(**delta)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def disclosure(problem, **members):
    return {"kind": "rectification_disclosure", "subject_type": "problems",
            "subject_id": problem["id"], "body": TEXT,
            "title": "关于食堂留样问题整改情况的公示", **members}


def place(api, kind="gov_portal", **members):
    channel = api.login("office_staff").one("publication-channels", kind=kind)
    return {"channel_id": channel["id"],
            "url": f"https://portal.example/{unique()}", **members}


# --- the way of one item -------------------------------------------------------


def draft(api, login="office_staff", **members):
    return api.login(login).create("publications", {
        "kind": "other", "title": f"公示{unique()}", "body": TEXT, **members})


def submitted(api, login="office_staff", **members):
    return api.login(login).act(
        "publications", draft(api, login, **members), "submit", {})


def checked(api, item=None, login="deputy_chief_inspector", **members):
    return api.login(login).act(
        "publications", item or submitted(api, **members), "secrecy-check",
        {"result": "pass"})


def approved(api, item=None, login="chief_inspector", **members):
    item = item or checked(api, **members)
    return api.login(login).act("publications", item, "approve", {})


def published(api, item=None, login="office_staff", **members):
    item = item or approved(api, **members)
    return api.login(login).act("publications", item, "publish",
                                {"placements": [place(api)]})


def disclosed(api, db):
    """A problem's rectification, published; with the problem."""
    problem = ledger.struck_off(api, db)
    item = api.login("school_account").create(
        "publications", disclosure(problem))
    api.login("school_account").act("publications", item, "submit", {})
    checked(api, item, "office_staff")
    approved(api, item)
    return published(api, item), problem


@pytest.mark.clause("C2.3.2.g", "R-PRB-06", "C2.3.1.b")
def test_a_unit_discloses_its_rectification(api, db):
    item, problem = disclosed(api, db)
    assert item["state"] == "published" and item["code"].startswith("GK-")
    assert item["publisher_org_id"] == problem["organization_id"]
    assert item["secrecy_review"]["result"] == "pass"
    assert item["approved_at"] <= item["published_at"]
    assert item["approved_by"] == str(value(
        db, "select id from dudao.users where login = 'chief_inspector'"))

    # the duty of the unit is fulfilled
    assert rows(db, "select due_on = app.add_workdays(app.today(), 20),"
                " met_on = app.today() from dudao.deadlines"
                " where subject_id = %s and kind = 'disclosure'",
                problem["id"]) == [(True, True)]
    # the superior platform learns where it stands
    [(op, payload)] = rows(
        db, "select op, payload from dudao.exchange_messages"
        " where subject_id = %s and type = 'X-15'", item["id"])
    assert (op, payload["state"]) == ("upsert", "published")
    assert payload["code"] == item["code"] and len(payload["urls"]) == 1

    history = api.login("school_account").get(
        f"/v1/publications/{item['id']}/transitions", status=200).json()
    assert [(t["action"], t["role"]) for t in history["data"]] == [
        ("submit", "school_account"), ("secrecy_check", "office_staff"),
        ("approve", "chief_inspector"), ("publish", "office_staff")]
    shown = api.login("office_staff").read(
        "publications", item["id"], params={"expand": ["placements",
                                                       "publisher"]})
    assert len(shown["placements"]) == 1
    assert shown["publisher"]["name"] == ledger.SCHOOL


@pytest.mark.clause("3.23")
@pytest.mark.parametrize("action, login, from_state, body", [
    ("submit", "chief_inspector", "draft", {}),
    ("secrecy-check", "chief_inspector", "submitted", {"result": "pass"}),
    ("reject", "office_staff", "submitted", {"reason": "不宜公开"}),
    ("approve", "office_staff", "secrecy_checked", {}),
    ("approve", "deputy_chief_inspector", "secrecy_checked", {}),
    ("schedule", "chief_inspector", "approved", {"scheduled_at": "2055-01-01T00:00:00Z"}),
    ("publish", "chief_inspector", "approved", {}),
    ("correct", "office_staff", "published", {"reason": "有误"}),
    ("withdraw", "chief_inspector", "published", {"reason": "有误"}),
    ("void", "office_staff", "draft", {"void_reason": "误建"}),
])
def test_steps_belong_to_their_roles(api, as_login, action, login, from_state,
                                     body):
    make = {"draft": draft, "submitted": submitted, "published": published,
            "secrecy_checked": checked, "approved": approved}[from_state]
    item = make(api)
    assert action.replace("-", "_") not in api.login(login).read(
        "publications", item["id"])["allowed_actions"]
    answer = api.login(login).act("publications", item, action, body,
                                  status=403)
    assert answer["code"] in ("role-not-permitted", "insufficient-scope")
    status, detail = refusal(
        as_login(login), "select * from app.act('publications', %s, %s,"
        " null, %s)", item["id"], action.replace("-", "_"), json.dumps(body))
    assert (status, detail["code"]) == (403, "role-not-permitted")


@pytest.mark.clause("3.0", "R-PUB-01")
@pytest.mark.parametrize("make, action, login, body", [
    (draft, "publish", "office_staff", {}),
    (draft, "approve", "chief_inspector", {}),
    (submitted, "approve", "chief_inspector", {}),
    (checked, "publish", "office_staff", {}),
    (approved, "reject", "chief_inspector", {"reason": "不宜公开"}),
    (published, "void", "chief_inspector", {"void_reason": "误建"}),
])
def test_no_step_is_left_out(api, db, make, action, login, body):
    item = make(api)
    answer = api.login(login).act("publications", item, action, body,
                                  status=409)
    assert answer["code"] == "illegal-transition"
    assert answer["state"] == item["state"]
    assert refusal(db, "update dudao.publications set state = %s"
                   " where id = %s", "corrected", item["id"])[0] in (403, 409)


# --- who writes what ------------------------------------------------------------


@pytest.mark.clause("R-PRB-06", "C2.3.2.g")
def test_a_unit_publishes_its_rectification_only(api, db, as_login):
    school = api.login("school_account")
    problem = ledger.struck_off(api, db)
    for kind in ("other", "supervision_report", "circular"):
        answer = school.post("/v1/publications", status=422, json={
            "kind": kind, "title": "通知", "body": TEXT}).json()
        assert codes(answer) == {"unit-publishes-rectification-only"}
        [fault] = answer["errors"]
        assert (fault["rule_id"], fault["clause_id"]) == (
            "R-PRB-06", "C2.3.2.g")
    # past the functions, and by a change of kind
    connection = as_login("school_account")
    status, detail = refusal(
        connection, "insert into dudao.publications(code, kind,"
        " publisher_org_id, title, body) values (%s, 'other',"
        " app.organization_id(), '通知', '正文')", unique())
    assert status == 422 and "unit-publishes-rectification-only" in codes(
        detail)
    item = school.create("publications", disclosure(problem))
    status, detail = refusal(
        connection, "update dudao.publications set kind = 'other'"
        " where id = %s", item["id"])
    assert status == 422 and "unit-publishes-rectification-only" in codes(
        detail)
    # in no other name than its own
    other = ledger.organization_id(db, "安定镇人民政府")
    made = school.create("publications", disclosure(
        ledger.struck_off(api, db), publisher_org_id=str(other)))
    assert made["publisher_org_id"] == problem["organization_id"]
    status, _ = refusal(
        connection, "select * from app.patch('publications', %s, null, %s)",
        made["id"], json.dumps({"publisher_org_id": str(other)}))
    assert status in (403, 422)


@pytest.mark.clause("R-PRB-06", "C2.3.2.g")
def test_a_unit_discloses_no_problem_of_another(api, db, as_login):
    problem = ledger.struck_off(api, db)
    answer = api.login("township_account").post(
        "/v1/publications", status=422, json=disclosure(problem)).json()
    assert codes(answer) == {"disclosure-of-another-unit"}
    # the office neither, in the office's name
    answer = api.login("office_staff").post(
        "/v1/publications", status=422, json=disclosure(problem)).json()
    assert codes(answer) == {"disclosure-of-another-unit"}
    assert api.login("office_staff").create("publications", disclosure(
        problem, publisher_org_id=problem["organization_id"]))
    api.login("inspector_ft").post("/v1/publications", status=403,
                                   json=disclosure(problem))


@pytest.mark.clause("R-PRB-06", "3.23")
@pytest.mark.parametrize("make", [ledger.listed, ledger.rectifying,
                                  ledger.verifying])
def test_disclosure_comes_after_the_strike_off(api, db, make):
    problem = make(api, db)
    school = api.login("school_account")
    if problem["state"] == "listed":
        # known to the office alone
        school = api.login("office_staff")
    item = school.create("publications", disclosure(
        problem, publisher_org_id=problem["organization_id"]))
    answer = school.act("publications", item, "submit", {}, status=422)
    assert codes(answer) == {"disclosure-before-strike-off"}
    assert answer["rule_id"] == "R-PRB-06"
    assert answer["errors"][0]["params"] == {"state": problem["state"]}


@pytest.mark.clause("R-PRB-06")
def test_a_disclosure_needs_its_problem(api, db):
    office = api.login("office_staff")
    item = draft(api, kind="rectification_disclosure")
    answer = office.act("publications", item, "submit", {}, status=422)
    assert codes(answer) == {"disclosure-needs-problem"}


@pytest.mark.clause("3.23")
def test_a_problem_is_published_as_disclosure_only(api, db):
    problem = ledger.struck_off(api, db)
    item = draft(api, subject_type="problems", subject_id=problem["id"],
                 publisher_org_id=problem["organization_id"])
    answer = api.login("office_staff").act("publications", item, "submit", {},
                                           status=422)
    assert codes(answer) == {"subject-not-publishable"}


@pytest.mark.clause("R-PRB-06")
def test_a_problem_that_is_not_public_is_not_disclosed(api, db):
    problem = ledger.struck_off(api, db)
    with db.cursor() as cursor:
        cursor.execute("update dudao.problems set is_public = false"
                       " where id = %s", (problem["id"],))
    item = api.login("school_account").create("publications",
                                              disclosure(problem))
    answer = api.login("school_account").act("publications", item, "submit",
                                             {}, status=422)
    assert codes(answer) == {"subject-not-publishable"}


@pytest.mark.clause("3.23")
@pytest.mark.parametrize("subject_type, wrong", [
    ("policy_documents", "state in ('draft', 'reviewing') or not is_public"),
    ("inspector_appointments", "state in ('recommended', 'reviewing')"),
    ("plaques", "state = 'planned'"),
    ("supervision_tasks", "state in ('draft', 'approved', 'cancelled')"),
])
def test_the_subject_is_in_a_publishable_state(api, db, subject_type, wrong):
    office = api.login("office_staff")
    unknown = draft(api, subject_type=subject_type, subject_id=str(
        value(db, "select app.uuid_v7()")))
    early = value(db, f"select id from dudao.{subject_type}"
                      f" where {wrong} limit 1")
    items = [unknown] + ([draft(api, subject_type=subject_type,
                                subject_id=str(early))] if early else [])
    for item in items:
        answer = office.act("publications", item, "submit", {}, status=422)
        assert codes(answer) == {"subject-not-publishable"}
    ready = value(db, f"select id from dudao.{subject_type}"
                      f" where not ({wrong}) and state not in ('removed',"
                      " 'rejected', 'to_replace') limit 1")
    if ready:
        item = draft(api, subject_type=subject_type, subject_id=str(ready))
        assert office.act("publications", item, "submit", {})


@pytest.mark.clause("3.23")
def test_the_subject_is_looked_at_again_when_published(api, db):
    problem = ledger.struck_off(api, db)
    item = api.login("school_account").create("publications",
                                              disclosure(problem))
    api.login("school_account").act("publications", item, "submit", {})
    checked(api, item, "office_staff")
    approved(api, item)
    with db.cursor() as cursor:
        cursor.execute("alter table dudao.problems disable trigger user")
        try:
            cursor.execute("update dudao.problems set state = 'rebounded'"
                           " where id = %s", (problem["id"],))
        finally:
            cursor.execute("alter table dudao.problems enable trigger user")
    answer = api.login("office_staff").act(
        "publications", item, "publish", {"placements": [place(api)]},
        status=422)
    assert codes(answer) == {"disclosure-before-strike-off"}


@pytest.mark.clause("3.23")
def test_one_live_item_for_a_subject(api, db):
    problem = ledger.struck_off(api, db)
    school = api.login("school_account")
    first = school.create("publications", disclosure(problem))
    answer = school.post("/v1/publications", status=409,
                         json=disclosure(problem)).json()
    assert answer["code"] == "duplicate"
    api.login("chief_inspector").act("publications", first, "void",
                                     {"void_reason": "误建"})
    second = school.create("publications", disclosure(problem))
    school.act("publications", second, "submit", {})
    api.login("chief_inspector").act("publications", second, "reject",
                                     {"reason": "不完整"})
    assert school.create("publications", disclosure(problem))


@pytest.mark.clause("4.4", "L-XX-01")
@pytest.mark.parametrize("member", ["title", "summary", "body"])
@pytest.mark.parametrize("number", ["13812345678", "430626198001010011"])
def test_no_numbers_of_persons(api, member, number):
    answer = api.login("office_staff").post("/v1/publications", status=422, json={
        "kind": "other", "title": "公示", "body": TEXT,
        member: f"联系人张某{number}"}).json()
    assert [(e["pointer"], e["code"]) for e in answer["errors"]] == [
        ("/" + member, "personal-data")]


# --- review for secrecy ---------------------------------------------------------


@pytest.mark.clause("R-PUB-03", "L-XX-01")
def test_the_author_does_not_review(api, as_login):
    item = submitted(api)
    answer = api.login("office_staff").act(
        "publications", item, "secrecy-check", {"result": "pass"}, status=422)
    assert answer["code"] == "separation-of-duties"
    assert (answer["rule_id"], answer["clause_id"]) == ("R-PUB-03", "L-XX-01")
    status, detail = refusal(
        as_login("office_staff"), "select * from app.act('publications', %s,"
        " 'secrecy_check', null, '{\"result\": \"pass\"}')", item["id"])
    assert (status, detail["code"]) == (422, "separation-of-duties")


@pytest.mark.clause("R-PUB-03", "L-XX-01")
def test_who_changed_or_submitted_the_text_is_an_author(api):
    deputy, staff = (api.login(login) for login in (
        "deputy_chief_inspector", "office_staff"))
    item = draft(api)
    item = deputy.change("publications", item, {"summary": "要点"})
    staff.act("publications", item, "submit", {})
    answer = deputy.act("publications", item, "secrecy-check",
                        {"result": "pass"}, status=422)
    assert answer["code"] == "separation-of-duties"

    item = draft(api)
    deputy.act("publications", item, "submit", {})
    answer = deputy.act("publications", item, "secrecy-check",
                        {"result": "pass"}, status=422)
    assert answer["code"] == "separation-of-duties"


@pytest.mark.clause("R-PUB-03")
def test_the_review_bears_the_name_of_who_made_it(api, db, as_login):
    item = submitted(api)
    other = value(db, "select id from dudao.users where login ="
                      " 'chief_inspector'")
    deputy = as_login("deputy_chief_inspector")
    status, detail = refusal(
        deputy, "update dudao.publications set state = 'secrecy_checked',"
        " secrecy_result = 'pass', secrecy_reviewer_id = %s where id = %s",
        other, item["id"])
    assert (status, detail["code"]) == (422, "separation-of-duties")
    status, detail = refusal(
        deputy, "update dudao.publications set state = 'secrecy_checked',"
        " secrecy_reviewer_id = app.user_id() where id = %s", item["id"])
    assert codes(detail) == {"secrecy-review-not-passed"}
    # a review that has not taken place is not written down
    for change in ("secrecy_result = 'pass'", "approved_at = now()",
                   "published_at = now()", "withdraw_reason = '略'"):
        status, detail = refusal(deputy, "update dudao.publications set"
                                 f" {change} where id = %s", item["id"])
        assert codes(detail) == {"not-editable"}


@pytest.mark.clause("R-PUB-03")
def test_a_refused_item_goes_to_the_chief(api):
    item = submitted(api)
    answer = api.login("deputy_chief_inspector").act(
        "publications", item, "secrecy-check", {"result": "refuse"},
        status=422)
    assert codes(answer) == {"secrecy-review-not-passed"}
    answer = api.login("chief_inspector").post(
        f"/v1/publications/{item['id']}/reject", status=422, json={}).json()
    assert answer["errors"]
    item = api.login("chief_inspector").act("publications", item, "reject",
                                            {"reason": "涉及未成年人"})
    assert item["state"] == "rejected" and item["allowed_actions"] == []


@pytest.mark.clause("3.23", "L-XX-01")
def test_redaction_replaces_the_text(api, db):
    deputy = api.login("deputy_chief_inspector")
    item = submitted(api, body=TEXT + "学生张小某反映。", summary="张小某反映")
    answer = deputy.act("publications", item, "secrecy-check",
                        {"result": "redact"}, status=422)
    assert codes(answer) == {"redaction-note-missing", "text-not-redacted"}
    answer = deputy.act("publications", item, "secrecy-check", {
        "result": "redact", "redaction_note": "删去学生姓名",
        "redacted_body": item["body"]}, status=422)
    assert codes(answer) == {"text-not-redacted"}
    item = deputy.act("publications", item, "secrecy-check", {
        "result": "redact", "redaction_note": "删去学生姓名",
        "redacted_body": TEXT, "redacted_summary": "学生反映"})
    assert (item["body"], item["summary"]) == (TEXT, "学生反映")
    assert item["secrecy_review"]["result"] == "redact"
    item = published(api, approved(api, item))
    shown = api.get(f"/v1/public/publications/{item['code']}", status=200)
    assert "张小某" not in shown.text and "删去" not in shown.text
    # what was there before stays in the trail
    assert "张小某" in value(
        db, "select before ->> 'body' from dudao.audit_logs where subject_id ="
        " %s and action = 'secrecy_check'", item["id"])


@pytest.mark.clause("R-PUB-03")
@pytest.mark.parametrize("make", [submitted, checked, approved, published])
def test_the_reviewed_text_is_the_published_text(api, as_login, make):
    item = make(api)
    answer = api.login("office_staff").change(
        "publications", item, {"body": "别的"}, status=409)
    assert answer["code"] == "not-editable"
    connection = as_login("office_staff")
    for column in ("title", "summary", "body"):
        status, detail = refusal(
            connection, f"update dudao.publications set {column} = '别的'"
            " where id = %s", item["id"])
        assert status == 422 and codes(detail) == {"not-editable"}


# --- approval -------------------------------------------------------------------


@pytest.mark.clause("C2.1.1.e", "C2.3.4.h", "R-RPT-05")
@pytest.mark.parametrize("members", [
    {"is_major": True, "kind": "supervision_report"},
    {"kind": "accountability_result"}])
def test_major_items_are_approved_by_the_director(api, as_login, members):
    item = checked(api, **members)
    answer = api.login("chief_inspector").act("publications", item, "approve",
                                              {}, status=422)
    assert codes(answer) == {"needs-director"}
    assert answer["clause_id"] == "C2.1.1.e"
    status, detail = refusal(
        as_login("chief_inspector"), "update dudao.publications set state ="
        " 'approved', approved_by = app.user_id(), approved_at = now()"
        " where id = %s", item["id"])
    assert status == 422 and codes(detail) == {"needs-director"}
    item = approved(api, item, "committee_director")
    assert item["state"] == "approved"


@pytest.mark.clause("3.0")
def test_who_drafts_does_not_approve(api, as_login):
    """The same person in two posts."""
    connection = as_login("chief_inspector")
    with connection.cursor() as cursor:
        cursor.execute("select set_config('dudao.roles',"
                       " '{chief_inspector,office_staff}', false)")
        cursor.execute("select body::jsonb ->> 'id' from app.create("
                       "'publications', '{\"kind\": \"other\","
                       " \"title\": \"公示\", \"body\": \"正文\"}')")
        id = cursor.fetchone()[0]
        cursor.execute("select app.act('publications', %s, 'submit')", (id,))
    checked(api, {"id": id}, "office_staff")
    for statement in (
            "select * from app.act('publications', %s, 'approve')",
            "update dudao.publications set state = 'approved',"
            " approved_by = app.user_id() where id = %s"):
        status, detail = refusal(connection, statement, id)
        assert (status, detail["code"]) == (422, "separation-of-duties")


# --- publishing -----------------------------------------------------------------


@pytest.mark.clause("C2.3.1.b", "R-PUB-01")
def test_publishing_needs_a_placement(api, as_login):
    item = approved(api)
    office = api.login("office_staff")
    answer = office.act("publications", item, "publish", {}, status=422)
    assert codes(answer) == {"placement-missing"}
    status, detail = refusal(
        as_login("office_staff"), "update dudao.publications set state ="
        " 'published', published_at = now() where id = %s", item["id"])
    assert status == 422 and codes(detail) == {"placement-missing"}
    answer = office.act("publications", item, "publish", {
        "placements": [place(api, url=None)]}, status=422)
    assert codes(answer) == {"placement-without-place"}
    answer = office.act("publications", item, "publish", {
        "placements": [place(api, channel_id=item["id"])]}, status=422)
    assert "unknown-reference" in codes(answer)
    item = office.act("publications", item, "publish",
                      {"placements": [place(api), place(api, "notice_board")]})
    assert item["state"] == "published"
    # what the public sees was published at some time
    status, detail = refusal(
        as_login("office_staff"), "update dudao.publications set"
        " published_at = null where id = %s", item["id"])
    assert status == 422 and "required" in codes(detail)


@pytest.mark.clause("R-PUB-01")
def test_placements_are_added_by_office_and_unit(api, db):
    item, _ = disclosed(api, db)
    school = api.login("school_account")

    def add(client, status=201, **members):
        return client.post("/v1/publication-placements", status=status, json={
            "publication_id": item["id"],
            **place(api, **members)}).json()

    # a notice board has no address: a photo shows that it is there
    answer = add(school, 422, kind="notice_board", url=None,
                 broadcast_slot="校门口公示栏")
    assert codes(answer) == {"evidence-required"}
    board = add(school, kind="notice_board", url=None,
                broadcast_slot="校门口公示栏",
                evidence_attachment_id=ledger.evidence(db))
    assert board["reachable"] is None
    assert add(school, 409, kind="notice_board")["code"] == "duplicate"
    assert codes(add(school, 422, kind="official_account",
                     placed_at=moment(days=1))) == {"date-in-future"}
    account = add(api.login("office_staff"), kind="official_account")
    assert add(api.login("township_account"), 403,
               kind="broadcast_tv")["code"] == "out-of-scope"
    add(api.login("inspector_ft"), 403, kind="broadcast_tv")
    answer = api.login("office_staff").post(
        "/v1/publication-placements", status=422, json={
            "publication_id": item["id"], "reachable": True,
            **place(api, "broadcast_tv")}).json()
    assert answer["errors"][0]["code"] in ("unknown-field", "read-only-field")
    assert {p["id"] for p in school.list(
        "publication-placements", publication_id=item["id"])} > {
            board["id"], account["id"]}
    account = api.login("office_staff").change(
        "publication-placements", account, {"url": "https://account.example/2"})
    assert account["url"] == "https://account.example/2"
    # each placement is told
    urls = value(db, "select payload -> 'urls' from dudao.exchange_messages"
                     " where subject_id = %s and type = 'X-15'"
                     " order by revision desc limit 1", item["id"])
    assert len(urls) == 2
    assert rows(db, "select state, count(*) from dudao.exchange_messages"
                    " where subject_id = %s and type = 'X-15'"
                    " group by 1 order by 1", item["id"])[0] == ("pending", 1)


@pytest.mark.clause("3.23")
@pytest.mark.parametrize("make", [draft, submitted, checked])
def test_nothing_is_placed_before_the_approval(api, make):
    item = make(api)
    answer = api.login("office_staff").post(
        "/v1/publication-placements", status=422, json={
            "publication_id": item["id"], **place(api)}).json()
    assert codes(answer) == {"placement-before-approval"}


@pytest.mark.clause("2.9")
def test_channels_are_the_offices(api, as_login):
    office = api.login("office_staff")
    channel = office.create("publication-channels", {
        "kind": "other_media", "name": "县报" + unique()})
    office.post("/v1/publication-channels", status=409, json={
        "kind": "other_media", "name": channel["name"]})
    channel = office.change("publication-channels", channel,
                            {"active": False})
    answer = office.act("publications", approved(api), "publish", {
        "placements": [place(api, channel_id=channel["id"])]}, status=422)
    assert codes(answer) == {"channel-not-active"}
    api.login("sys_admin").create("publication-channels", {
        "kind": "other_media", "name": "县报" + unique()})
    # the units read those in use
    school = api.login("school_account")
    school.read("publication-channels", channel["id"], status=404)
    assert school.list("publication-channels", active="true")
    school.post("/v1/publication-channels", status=403, json={
        "kind": "other_media", "name": "校报" + unique()})
    with as_login("school_account").cursor() as cursor:
        cursor.execute("update dudao.publication_channels set name = name")
        assert cursor.rowcount == 0


@pytest.mark.clause("3.23")
def test_schedule(api, db):
    office = api.login("office_staff")
    item = approved(api)
    answer = office.act("publications", item, "schedule",
                        {"scheduled_at": moment(days=-1)}, status=422)
    assert codes(answer) == {"date-not-in-future", "placement-missing"}
    item = office.act("publications", item, "schedule", {
        "scheduled_at": moment(hours=1), "placements": [place(api)]})
    assert item["state"] == "scheduled" and item["published_at"] is None
    api.get(f"/v1/public/publications/{item['code']}", status=404)
    answer = office.act("publications", item, "publish", {}, status=422)
    assert codes(answer) == {"before-scheduled-time"}
    value(db, "select app.publish_scheduled()")
    assert office.read("publications", item["id"])["state"] == "scheduled"
    with db.cursor() as cursor:
        cursor.execute("select app.act_as('')")
        cursor.execute("begin")
        cursor.execute("set local dudao.now = %s", (moment(hours=2),))
        cursor.execute("select app.publish_scheduled()")
        cursor.execute("select p.state, x.placed_at = p.published_at"
                       " from dudao.publications p"
                       " join dudao.publication_placements x"
                       " on x.publication_id = p.id where p.id = %s",
                       (item["id"],))
        assert cursor.fetchall() == [("published", True)]
        cursor.execute("select role from dudao.transitions"
                       " where subject_id = %s and action = 'publish'",
                       (item["id"],))
        assert cursor.fetchall() == [("system",)]
        cursor.execute("rollback")
    item = api.login("chief_inspector").act("publications", item, "void",
                                            {"void_reason": "改期"})
    assert item["state"] == "voided" and item["void_reason"] == "改期"


@pytest.mark.clause("3.23")
def test_an_expired_item_is_no_longer_shown(api, db):
    office = api.login("office_staff")
    item = approved(api, kind="appointment_notice",
                    expires_at=moment(seconds=-5))
    answer = office.act("publications", item, "publish",
                        {"placements": [place(api)]}, status=422)
    assert codes(answer) == {"date-before-start"}
    item = published(api, kind="appointment_notice",
                     expires_at=moment(days=10))
    assert api.get(f"/v1/public/publications/{item['code']}", status=200)
    with db.cursor() as cursor:
        cursor.execute("alter table dudao.publications disable trigger user")
        try:
            cursor.execute("update dudao.publications set expires_at ="
                           " now() where id = %s", (item["id"],))
        finally:
            cursor.execute("alter table dudao.publications"
                           " enable trigger user")
    api.get(f"/v1/public/publications/{item['code']}", status=404)
    assert item["code"] not in {p["code"] for p in api.list(
        "public/appointment-notices")}
    # the file of the office keeps it
    assert office.read("publications", item["id"])["state"] == "published"


@pytest.mark.clause("3.0")
@pytest.mark.parametrize("make", [draft, submitted, checked, approved])
def test_void_before_publication(api, make):
    item = make(api)
    answer = api.login("chief_inspector").post(
        f"/v1/publications/{item['id']}/void", status=422, json={}).json()
    assert answer["errors"]
    item = api.login("chief_inspector").act("publications", item, "void",
                                            {"void_reason": "重复"})
    assert item["state"] == "voided" and item["allowed_actions"] == []
    assert item["code"]


# --- afterwards -----------------------------------------------------------------


@pytest.mark.clause("3.23", "R-PUB-01")
def test_correction(api, db):
    old, problem = disclosed(api, db)
    chief, office, school = (api.login(login) for login in (
        "chief_inspector", "office_staff", "school_account"))
    answer = chief.act("publications", old, "correct", {"reason": "日期有误"},
                       status=422)
    assert codes(answer) == {"correction-missing"}

    def correction(client, status=201, of=old):
        return client.post(
            f"/v1/publications/{of['id']}/corrections", status=status,
            json={"title": "更正：" + old["title"], "body": TEXT + "（更正）"}
        ).json()

    correction(api.login("township_account"), 403)
    new = correction(school)
    assert new["correction_of_id"] == old["id"] and new["state"] == "draft"
    assert new["subject_id"] == problem["id"]
    assert correction(office, 409)["code"] == "duplicate"
    school.act("publications", new, "submit", {})
    checked(api, new, "office_staff")
    approved(api, new)
    # not before the correcting item can be read
    chief.act("publications", old, "correct", {"reason": "日期有误"},
              status=422)
    new = published(api, new)
    assert value(db, "select count(*) from dudao.notifications where"
                     " subject_id = %s and kind = 'publication_to_correct'",
                 old["id"]) >= 1
    chief.post(f"/v1/publications/{old['id']}/correct", status=422, json={})
    old = chief.act("publications", old, "correct", {"reason": "日期有误"})
    assert old["state"] == "corrected"

    shown = api.get(f"/v1/public/publications/{old['code']}",
                    status=200).json()
    assert shown["is_corrected"] and shown["corrected_by_code"] == new["code"]
    shown = api.get(f"/v1/public/publications/{new['code']}",
                    status=200).json()
    assert shown["correction_of_code"] == old["code"]
    assert not shown["is_corrected"]
    assert value(db, "select payload ->> 'state' from dudao.exchange_messages"
                     " where subject_id = %s and type = 'X-15'"
                     " order by revision desc limit 1", old["id"]) == "corrected"

    # a correction may be withdrawn, and another one follow
    correction(school, 409)
    api.login("committee_director").act("publications", new, "withdraw",
                                        {"reason": "更正有误"})
    assert correction(school)["correction_of_id"] == old["id"]


@pytest.mark.clause("3.23")
def test_only_what_is_public_is_corrected(api):
    answer = api.login("office_staff").post(
        f"/v1/publications/{approved(api)['id']}/corrections", status=409,
        json={"title": "更正", "body": "正文"}).json()
    assert answer["code"] == "illegal-transition"


@pytest.mark.clause("3.23")
def test_withdrawal(api, db):
    old, problem = disclosed(api, db)
    director = api.login("committee_director")
    answer = director.post(f"/v1/publications/{old['id']}/withdraw",
                           status=422, json={}).json()
    assert answer["errors"]
    answer = director.act("publications", old, "withdraw",
                          {"reason": "家长13812345678要求"}, status=422)
    assert codes(answer) == {"personal-data"}
    old = director.act("publications", old, "withdraw",
                       {"reason": "所附照片涉及学生肖像"})
    assert old["state"] == "withdrawn" and old["allowed_actions"] == []
    for lang, word in (("zh-CN", "撤回"), ("en", "Withdrawn")):
        gone = api.get(f"/v1/public/publications/{old['code']}", status=410,
                       lang=lang)
        assert gone.json()["code"] == "publication-withdrawn"
        assert "所附照片涉及学生肖像" in gone.json()["detail"]
        assert word in gone.json()["detail"]
        assert TEXT not in gone.text
        assert "public" not in gone.headers.get("Cache-Control", "")
    assert old["code"] not in {p["code"] for p in api.list(
        "public/publications")}
    assert rows(db, "select op, payload ->> 'reason' from"
                    " dudao.exchange_messages where subject_id = %s and type ="
                    " 'X-15' order by revision desc limit 1", old["id"]) == [
                        ("withdraw", "所附照片涉及学生肖像")]
    # the unit may disclose anew
    assert api.login("school_account").create("publications",
                                              disclosure(problem))


# --- who sees what ----------------------------------------------------------------


@pytest.mark.clause("4.3")
def test_who_sees_what(api, db, as_login):
    open_item, problem = disclosed(api, db)
    inner = submitted(api)
    own = api.login("school_account").create(
        "publications", disclosure(ledger.struck_off(api, db)))
    everything = {open_item["id"], inner["id"], own["id"]}
    expected = {
        "committee_director": everything, "committee_deputy": everything,
        "chief_inspector": everything, "office_staff": everything,
        "leader_reader": everything, "auditor": everything,
        "school_account": {open_item["id"], own["id"]},
        "township_account": {open_item["id"]},
        "department_account": {open_item["id"]},
        "committee_member": {open_item["id"]},
        "zone_lead": {open_item["id"]}, "inspector_ft": {open_item["id"]},
        "org_personnel_reader": {open_item["id"]},
        "research_center": {open_item["id"]},
        "sys_admin": set(), "public": {open_item["id"]}}
    for login, wanted in expected.items():
        seen = {str(id) for id, in rows(
            as_login(login), "select id from dudao.publications"
            " where id = any (%s::uuid[])", list(everything))}
        assert seen == wanted, login
        if login in ("public", "sys_admin"):
            continue
        client = api.login(login)
        for id in everything:
            client.read("publications", id, status=200 if id in wanted
                        else 404)
    answer = api.login("finance_officer").get("/v1/publications")
    assert answer.status_code == 403 or answer.json()["data"] == []


@pytest.mark.clause("3.23")
def test_lists_filter_and_search(api):
    item = draft(api, title="青石板留样柜" + unique())
    office = api.login("office_staff")
    for params in ({"q": "青石板"}, {"q": "石板留樣"}):
        assert item["id"] in {p["id"] for p in office.list(
            "publications", state="draft", kind="other", **params)}
    assert office.list("publications", q="青石板", state="published") == []
    assert office.list("publications", **{
        "published_at.gte": moment(days=1)}) == []
