"""Steps of the core loop through the API, for tests that need a problem."""

import hashlib
import uuid

SCHOOL = "安定镇示例中心小学"
REVIEWER = "演示督学01"     # zone_lead, full-time

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4"
    "890000000d49444154789c636460f85f0f0002870180eb47ba92000000004945"
    "4e44ae426082")


def organization_id(db, name=SCHOOL):
    with db.cursor() as cursor:
        cursor.execute("select id from dudao.organizations where name = %s",
                       (name,))
        return cursor.fetchone()[0]


def inspector_id(db, name=REVIEWER):
    with db.cursor() as cursor:
        cursor.execute(
            "select i.id from dudao.inspectors i"
            " join dudao.persons p on p.id = i.person_id where p.name = %s",
            (name,))
        return cursor.fetchone()[0]


def today(db):
    with db.cursor() as cursor:
        cursor.execute("select app.today()")
        return cursor.fetchone()[0]


def evidence(db):
    """An attachment, stored as the office's."""
    content = PNG + uuid.uuid4().bytes
    with db.cursor() as cursor:
        cursor.execute("select app.act_as('office_staff')")
        cursor.execute(
            "select body::jsonb ->> 'id' from app.store_attachment("
            "%s, %s, 'image/png', %s, '{\"file_name\": \"证明.png\","
            " \"kind\": \"evidence\"}')",
            (hashlib.sha256(content).hexdigest(), len(content), content))
        return cursor.fetchone()[0]


def visit_body(db, **members):
    day = str(today(db))
    with db.cursor() as cursor:
        cursor.execute("select app.ts(now() - interval '3 hours'),"
                       " app.ts(now() - interval '1 minute'),"
                       " ((now() - interval '3 hours')"
                       "     at time zone 'Asia/Shanghai')::date::text")
        arrived_at, left_at, day = cursor.fetchone()
    return {
        "client_uid": str(uuid.uuid4()), "kind": "random",
        "school_id": organization_id(db), "visited_on": day,
        "arrived_at": arrived_at, "left_at": left_at,
        "methods": ["document"], "summary": "查看食堂留样与晨检记录",
        **members}


def problem_input(severity="moderate"):
    return {"category": "P07", "severity": severity, "title": "食堂留样不规范",
            "description": "午餐留样量不足125克，未标注留样人",
            "requirement": "完善留样登记，配备专用留样冰箱"}


def listed(api, db, severity="moderate"):
    """A problem of the school, found by its inspector, in the ledger."""
    inspector = api.login("inspector_ft")
    body = visit_body(db, items=[{"area": "A7", "conclusion": "problem",
                                  "problem": problem_input(severity)}])
    visit = inspector.create("visits", body)
    inspector.act("visits", visit, "submit", {})
    api.login("office_staff").act("visits", visit, "review", {})
    return api.login("office_staff").read(
        "problems", visit["items"][0]["problem_id"])


def assigned(api, db, severity="moderate"):
    problem = listed(api, db, severity)
    if problem["state"] == "assigned":
        return problem
    return api.login("office_staff").act("problems", problem, "assign", {})


def rectifying(api, db, severity="moderate"):
    problem = assigned(api, db, severity)
    api.login("school_account").post(
        f"/v1/problems/{problem['id']}/plans", status=201, json={
            "measures": "配备专用留样冰箱，每餐专人登记",
            "steps": [{"text": "购置冰箱", "due_on": str(today(db))}]})
    return api.login("office_staff").act("problems", problem, "accept-plan",
                                         {"comment": "方案可行"})


def reported(api, db, severity="moderate"):
    problem = rectifying(api, db, severity)
    return api.login("school_account").act("problems", problem, "report", {
        "text": "已完成", "evidence": [evidence(db)], "signed_by_head": True})


def verifying(api, db, severity="moderate"):
    problem = reported(api, db, severity)
    return api.login("office_staff").act("problems", problem, "verify", {
        "reviewer_inspector_ids": [inspector_id(db)]})


def review(api, db, problem, result="in_place", kind="verification",
           status=201, login="zone_lead", **members):
    return api.login(login).post(
        f"/v1/problems/{problem['id']}/reviews", status=status, json={
            "kind": kind, "reviewed_on": str(today(db)), "method": "onsite",
            "result": result, "note": "现场核查",
            "evidence": [evidence(db)], **members}).json()


def struck_off(api, db, severity="moderate"):
    problem = verifying(api, db, severity)
    review(api, db, problem)
    return api.login("chief_inspector").act(
        "problems", problem, "strike-off", {"comment": "现场复核到位"})
