"""Supervision reports: 3.8, C2.1.1.e, C2.1.3.e, C2.1.3.f, C2.3.1.a."""

import json

import psycopg2
import pytest

from support import reports

R = "supervision-reports"


def codes(problem):
    return {e["code"] for e in problem.get("errors", [])}


def refusal(connection, statement, *values):
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(statement, values)
    return json.loads(caught.value.diag.message_detail)


def dispatches(api, report):
    return api.login("office_staff").list(
        "dispatches", subject_type="supervision_reports",
        subject_id=report["id"])


@pytest.mark.clause("C2.1.1.e", "R-RPT-05")
def test_a_major_report_is_the_committees(api, db, as_login):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    report = reports.draft(api, db, is_major=True)
    staff.act(R, report, "submit", {})
    # not by the chief inspector, over HTTP or in SQL
    answer = chief.act(R, report, "issue", {}, status=422)
    assert "major-report-of-committee" in codes(answer)
    assert answer["errors"][0]["rule_id"] == "R-RPT-05"
    detail = refusal(as_login("chief_inspector"),
                     "select * from app.act('supervision_reports', %s,"
                     " 'issue')", report["id"])
    assert "major-report-of-committee" in codes(detail)
    detail = refusal(db, "update dudao.supervision_reports set issued_on ="
                         " current_date where id = %s", report["id"])
    assert codes(detail) == {"resolution-required"}

    chief.act(R, report, "to-committee", {})
    chief.act(R, report, "issue", {}, status=403)
    deputy = api.login("committee_deputy")
    answer = deputy.act(R, report, "issue", {}, status=422)
    assert codes(answer) == {"resolution-required"}
    issued = deputy.act(R, report, "issue",
                        {"resolution_id": reports.resolution(db)})
    assert issued["state"] == "issued" and issued["resolution_id"]
    # nothing that is not major goes there
    small = reports.draft(api, db)
    staff.act(R, small, "submit", {})
    assert codes(chief.act(R, small, "to-committee", {}, status=422)) == {
        "report-not-major"}


@pytest.mark.clause("C2.1.3.e", "C2.1.3.f", "C2.3.1.a", "H.3", "R-RPT-01",
                    "R-RPT-02")
def test_whom_an_issued_report_reaches(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    report = reports.draft(api, db)
    staff.act(R, report, "submit", {})
    report = chief.act(R, report, "issue", {})
    assert report["doc_no"].startswith("平教督报〔")
    sent = dispatches(api, report)
    assert sorted(d["recipient_role"] for d in sent
                  if d["purpose"] == "deliver_report") == [
                      "government", "party_committee"]
    assert [d["recipient_role"] for d in sent
            if d["purpose"] == "report"] == ["superior_supervision"]
    units = {u["organization_id"] for u in staff.list(
        "member-units", as_of=report["issued_on"])}
    told = [d for d in sent if d["purpose"] == "circulate"]
    assert {d["recipient_organization_id"] for d in told} == units
    assert len(told) == len(units) >= 23
    with db.cursor() as cursor:
        cursor.execute("select app.add_workdays(app.today(), 10)::text,"
                       " app.add_workdays(app.today(), 5)::text,"
                       " (select count(*) from dudao.exchange_messages"
                       " where type = 'X-03' and subject_id = %s)",
                       (report["id"],))
        ten, five, messages = cursor.fetchone()
    assert messages == 1
    assert {d["due_on"] for d in sent} == {ten, five}
    assert {d["due_on"] for d in told} == {five}

    # a member unit reads it once it has it, and not before
    member = api.login("committee_member")
    member.read(R, report["id"], status=404)
    reader = api.login("leader_reader")
    reader.read(R, report["id"], status=404)
    answer = staff.act(R, report, "mark-delivered", {}, status=422)
    assert [e["code"] for e in answer["errors"]] == [
        "mandatory-dispatch-not-sent"] * 3
    for row in sent:
        staff.act("dispatches", row, "send", {})
    assert member.read(R, report["id"])["body"] == report["body"]
    assert reader.read(R, report["id"])["state"] == "issued"
    # 3.8: the system marks it as delivered by itself
    with db.cursor() as cursor:
        cursor.execute("select app.deliver_reports()")
    assert staff.read(R, report["id"])["state"] == "delivered"


@pytest.mark.clause("C2.3.1.b", "R-PUB-01")
def test_published_after_delivery(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    second = api.login("office_staff_2")
    report = reports.draft(api, db, disclosure="redacted",
                           redacted_body="总体良好。")
    staff.act(R, report, "submit", {})
    chief.act(R, report, "issue", {})
    item = staff.one("publications", subject_id=report["id"])
    assert item["state"] == "draft" and item["body"] == "总体良好。"
    staff.act("publications", item, "submit", {})
    second.act("publications", item, "secrecy-check", {"result": "pass"})
    chief.act("publications", item, "approve", {})
    channel = staff.one("publication-channels", kind="gov_portal")
    placed = {"placements": [{"channel_id": channel["id"],
                              "url": "https://portal.example/1"}]}
    answer = staff.act("publications", item, "publish", placed, status=422)
    assert "subject-not-publishable" in codes(answer)
    for row in dispatches(api, report):
        staff.act("dispatches", row, "send", {})
    staff.act(R, report, "mark-delivered", {})
    api.login("school_account").read(R, report["id"], status=404)
    staff.act("publications", item, "publish", placed)
    done = staff.read(R, report["id"])
    assert done["state"] == "published" and done["published_on"]
    # the public part for those who read what is public
    seen = api.login("school_account").read(R, report["id"])
    assert seen["body"] == "总体良好。" and seen["findings"] == []
    assert staff.act(R, report, "archive", {})["state"] == "archived"


@pytest.mark.clause("C2.3.1.b")
def test_exemption_is_the_directors(api, db):
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    report = reports.draft(api, db)
    staff.act(R, report, "submit", {})
    chief.act(R, report, "issue", {})
    for row in dispatches(api, report):
        staff.act("dispatches", row, "send", {})
    staff.act(R, report, "mark-delivered", {})
    director = api.login("committee_director")
    chief.act(R, report, "exempt", {"reason": "涉密"}, status=403)
    director.act(R, report, "exempt", {}, status=422)
    done = director.act(R, report, "exempt", {"reason": "涉及未成年人"})
    assert (done["state"], done["disclosure"]) == ("exempted", "exempt")
    item = staff.one("publications", subject_id=report["id"])
    staff.act("publications", item, "submit", {}, status=422)


@pytest.mark.clause("C2.3.2.a", "C2.3.1.a")
def test_what_a_report_needs(api, db):
    staff = api.login("office_staff")
    report = reports.draft(api, db, body="", no_problem_found=False,
                           disclosure="redacted")
    answer = staff.act(R, report, "submit", {}, status=422)
    assert codes(answer) == {"required", "problem-list-required"}
    assert {e["pointer"] for e in answer["errors"]} == {
        "/body", "/redacted_body", "/problem_ids"}
    problem = staff.one("problems")
    answer = staff.change(R, report, {"problem_ids": [problem["id"]]},
                          status=422)
    assert codes(answer) == {"problem-of-another-task"}
    running = staff.one("supervision-tasks", state="in_progress")
    early = reports.draft(api, db, task=running)
    answer = staff.act(R, early, "submit", {}, status=422)
    assert "task-not-summarized" in codes(answer)
    # the text of what was submitted is fixed, and a return says why
    report = staff.change(R, report, {
        "body": "总体良好。", "no_problem_found": True, "disclosure": "full"})
    report = staff.act(R, report, "submit", {})
    staff.change(R, report, {"body": "改动"}, status=409)
    chief = api.login("chief_inspector")
    chief.act(R, report, "return", {}, status=422)
    back = chief.act(R, report, "return", {"reason": "补充数据"})
    assert back["state"] == "returned"
    staff.act(R, report, "void", {"reason": "重复"}, status=403)
    chief.act(R, report, "void", {"reason": "重复"})


@pytest.mark.clause("3.0", "3.8")
def test_the_leader_writes_and_submits(api, db):
    report = reports.draft(api, db, login="inspector_ft")
    # not one who does not lead it, nor one who has no part in it
    lead = api.login("inspector_ft")
    api.login("inspector_pt").act(R, report, "submit", {}, status=404)
    lead.act(R, report, "submit", {})
    # who drafted does not issue
    with db.cursor() as cursor:
        cursor.execute("select id from dudao.users"
                       " where login = 'chief_inspector'")
        chief = cursor.fetchone()[0]
    other = reports.draft(api, db)
    api.login("office_staff").act(R, other, "submit", {})
    with db.cursor() as cursor:
        cursor.execute("update dudao.supervision_reports set submitted_by ="
                       " %s where id = %s", (chief, other["id"]))
    answer = api.login("chief_inspector").act(R, other, "issue", {},
                                              status=422)
    assert "separation-of-duties" in {answer["code"], *codes(answer)}
