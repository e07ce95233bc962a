"""Informatization, the exchange with the superior platforms and the paperless
share: 2.11, 8.3, Q-STA-10, C3.2."""

import json

import psycopg2
import pytest

from support.client import unique
from support.sql import codes, faults, refusal, rows, rules, value


# --- informatization ------------------------------------------------------------


def plan_of(api):
    return api.login("office_staff").one("policy-documents", kind="it_plan",
                                         state="in_force")["id"]


def it_item(api, status=201, **members):
    return api.login("office_staff").create("informatization-items", {
        "plan_document_id": plan_of(api), "title": unique("项目"),
        "year": 2026, **members}, status=status)


@pytest.mark.clause("C3.2.a", "R-ITX-01")
def test_items_belong_to_the_plan_in_force(api, db):
    made = it_item(api)
    assert made["stage"] == "planned" and made["progress"] == 0
    rule = api.login("office_staff").one("policy-documents",
                                         kind="funds_rule", state="in_force")
    wrong = it_item(api, status=422, plan_document_id=rule["id"])
    assert faults(wrong) == {("/plan_document_id", "it-plan-required")}
    assert rules(wrong) == {("R-ITX-01", "C3.2.a")}
    draft = api.login("office_staff").create("policy-documents", {
        "title": unique("规划"), "issuer": "教育局", "kind": "it_plan",
        "level": "county", "parent_document_id": str(value(
            db, "select id from dudao.policy_documents"
                " where kind = 'local_scheme' limit 1"))})
    assert codes(it_item(api, status=422, plan_document_id=draft["id"])) == {
        "it-plan-required"}
    line = str(value(db, "select id from dudao.budget_lines"
                         " where category = 'award' limit 1"))
    assert codes(it_item(api, status=422, budget_line_id=line)) == {
        "line-of-another-category"}
    # R-ITX-01: the county has an active one
    assert [i for i in api.login("sys_admin").list("informatization-items")
            if i["stage"] in ("building", "running")]
    # the platform sees nothing of it
    assert api.login("platform_service").list("informatization-items") == []


@pytest.mark.clause("C3.2.a", "R-ITX-01")
def test_items_only_go_forward(api, db):
    admin = api.login("sys_admin")
    row = admin.change("informatization-items", it_item(api),
                       {"stage": "building", "progress": 40})

    def refused(**members):
        return faults(admin.change("informatization-items", row, members,
                                   status=422))

    assert refused(stage="planned") == {("/stage", "stage-backwards")}
    assert refused(progress=39, stage="running") == {
        ("/progress", "progress-backwards"),
        ("/progress", "running-before-complete")}
    assert refused(progress=101) == {("/progress", "out-of-range")}
    row = admin.change("informatization-items", row,
                       {"stage": "running", "progress": 100})
    row = admin.change("informatization-items", row, {"stage": "retired"})
    assert refused(stage="running") == {("/stage", "stage-backwards")}
    status, detail = refusal(
        db, "update dudao.informatization_items set progress = 5"
            " where id = %s", row["id"])
    assert status == 422 and codes(detail) == {"progress-backwards"}


# --- messages -------------------------------------------------------------------


def queued(db, key=None, peer="municipal_platform"):
    uid = value(db, "select app.enqueue('X-16', 'event', null, null, %s,"
                    " '{\"a\": 1}', %s)", key or unique("budget:"), peer)
    return str(value(db, "select id from dudao.exchange_messages"
                         " where message_uid = %s", uid))


def sent(api, db, **options):
    return api.login("platform_service").act(
        "exchange-messages", queued(db, **options), "send", {})


@pytest.mark.clause("C3.2.b", "R-ITX-02", "8.3")
def test_the_platform_acknowledges_a_message(api, db):
    platform = api.login("platform_service")
    id = queued(db)
    early = platform.act("exchange-messages", id, "ack",
                         {"peer_receipt_no": "YY-1"}, status=409)
    assert early["state"] == "pending"
    row = platform.act("exchange-messages", id, "send", {})
    assert row["state"] == "sent" and row["attempts"] == 1
    platform.act("exchange-messages", row, "ack", {}, status=422)
    for login in ("office_staff", "sys_admin"):
        assert api.login(login).act(
            "exchange-messages", row, "ack", {"peer_receipt_no": "1"},
            status=403)["code"] == "role-not-permitted"
    row = platform.act("exchange-messages", row, "ack",
                       {"peer_receipt_no": "YY-2026-1"})
    assert row["state"] == "acknowledged" and row["acked_at"]
    assert row["peer_receipt_no"] == "YY-2026-1"
    # without the receipt number not in SQL either
    other = sent(api, db)
    status, detail = refusal(
        db, "select app.act_as('platform_service'),"
            " app.act('exchange_messages', %s, 'ack')", other["id"])
    assert status == 422 and faults(detail) == {
        ("/peer_receipt_no", "required")}
    assert rules(detail) == {("R-ITX-02", "C3.2.b")}


@pytest.mark.clause("C3.2.b", "R-ITX-02", "8.3")
def test_a_rejected_message_is_queued_again(api, db):
    platform, office = api.login("platform_service"), api.login("office_staff")
    row = sent(api, db)
    platform.act("exchange-messages", row, "reject", {"error_code": "E-1"},
                 status=422)
    row = platform.act("exchange-messages", row, "reject", {
        "error_code": "E-1203", "error_text": "单位代码不存在"})
    assert row["state"] == "rejected" and row["error_code"] == "E-1203"
    # the office is told
    assert value(db, """
        select count(*) from dudao.notifications n
        join dudao.users u on u.id = n.recipient_user_id
        where n.subject_id = %s and n.kind = 'message_rejected'
            and u.login = 'office_staff'""", row["id"]) == 1
    platform.act("exchange-messages", row, "requeue", {}, status=403)
    before = row
    row = office.act("exchange-messages", row, "requeue", {"comment": "已改"})
    assert row["state"] == "pending" and row["error_code"] is None
    assert row["revision"] == before["revision"] + 1
    assert row["idempotency_key"] != before["idempotency_key"]
    history = office.get(f"/v1/exchange-messages/{row['id']}/transitions",
                         status=200).json()["data"]
    assert [t["action"] for t in history] == ["send", "reject", "requeue"]
    # where a newer revision waits, the old one is not sent again
    old = sent(api, db)
    platform.act("exchange-messages", old, "reject", {
        "error_code": "E-1", "error_text": "重复"})
    queued(db, key=old["business_key"])
    refused = api.login("sys_admin").act("exchange-messages", old, "requeue",
                                         {}, status=422)
    assert codes(refused) == {"newer-revision"}


@pytest.mark.clause("C3.2.b", "8.3")
def test_the_connectors_steps(api, db):
    id = queued(db)

    def step(action, data="{}"):
        rows(db, "select app.system_step('exchange_messages', %s, %s, %s)",
             id, action, data)
        return rows(db, "select state, attempts, extract(epoch from"
                        " next_attempt_at - updated_at)::int / 60"
                        " from dudao.exchange_messages where id = %s", id)[0]

    waits = []
    for _ in range(5):
        step("begin_send")
        state, attempts, minutes = step("error", json.dumps(
            {"error_code": "timeout"}))
        waits.append(minutes)
    assert (state, attempts, waits) == ("failed", 5, [1, 5, 15, 60, 60])
    status, detail = refusal(db, "select app.system_step('exchange_messages',"
                                 " %s, 'give_up')", id)
    assert status == 422 and codes(detail) == {"attempts-left"}
    # a newer revision takes its place
    key = value(db, "select business_key from dudao.exchange_messages"
                    " where id = %s", id)
    newer = queued(db, key=key)
    row = api.login("sys_admin").read("exchange-messages", id)
    assert row["state"] == "superseded"
    assert api.login("sys_admin").read(
        "exchange-messages", newer)["revision"] == row["revision"] + 1
    # nobody writes what was queued
    assert refusal(db, "update dudao.exchange_messages set payload = '{}'"
                       " where id = %s", newer)[0] == 422


@pytest.mark.clause("C3.2.b", "4.2")
def test_a_platform_sees_its_own_messages(api, db):
    own, other = queued(db), queued(db, peer="provincial_platform")
    platform = api.login("platform_service")
    platform.read("exchange-messages", own)
    platform.read("exchange-messages", other, status=404)
    platform.act("exchange-messages", other, "send", {}, status=404)
    assert {m["peer"] for m in platform.list("exchange-messages",
                                             type="X-16")} == {
        "municipal_platform"}
    admin = api.login("sys_admin")
    assert admin.read("exchange-messages", other)["peer"] == \
        "provincial_platform"
    row = admin.get(f"/v1/exchange-messages/{own}", status=200,
                    params={"expand": "payload"}).json()
    assert row["payload"] == {"a": 1}
    assert "payload" not in admin.read("exchange-messages", own)
    for login in ("inspector_ft", "finance_officer", "leader_reader"):
        api.login(login).get("/v1/exchange-messages", status=403)
    # R-ITX-02: something was acknowledged within the week
    assert value(db, "select max(acked_at) > now() - interval '7 days'"
                     " from dudao.exchange_messages")


@pytest.mark.clause("C3.2.b", "2.11")
def test_external_identifiers(api, db):
    office = api.login("office_staff")
    one, two, three = (str(id) for id, in rows(db, """
        select s.id from dudao.schools s
        where not exists (select from dudao.external_identifiers e
            where e.subject_id = s.id)
        order by s.id desc limit 3"""))
    name = unique("YY-")

    def named(subject, external_id=None, status=201, **members):
        return office.create("external-identifiers", {
            "subject_type": "schools", "subject_id": subject,
            "system": "municipal_platform",
            "external_id": external_id or unique("YY-"), **members},
            status=status)

    row = named(one, name)
    # one id, one record; one record, one id
    taken = named(two, name, status=409)
    assert taken["code"] == "external-id-taken"
    assert faults(taken) == {("/external_id", "external-id-taken")}
    assert named(one, status=409)["code"] == "subject-has-external-id"
    # each system has its own
    named(two, name, system="provincial_platform")
    assert codes(named("0199c1d2-7a10-7c3e-8d21-5f0a9b1c2d3e", status=422)
                 ) == {"unknown-reference"}
    with db.cursor() as cursor, pytest.raises(
            psycopg2.errors.UniqueViolation):
        cursor.execute(
            "insert into dudao.external_identifiers(subject_type, subject_id,"
            " system, external_id, first_seen_at) values ('schools', %s,"
            " 'municipal_platform', %s, now())", (three, name))
    # where active: a retired one makes room
    office.change("external-identifiers", row, {"external_id": "X"},
                  status=422)
    row = office.change("external-identifiers", row, {
        "retired_at": row["created_at"]})
    named(three, name)
    again = named(one)
    assert [e["id"] for e in office.list(
        "external-identifiers", subject_id=one, active="true")] == [
            again["id"]]
    # the platform names records for itself only
    platform = api.login("platform_service")
    assert {e["system"] for e in platform.list("external-identifiers")} == {
        "municipal_platform"}
    platform.create("external-identifiers", {
        "subject_type": "schools", "subject_id": three,
        "system": "national_stats", "external_id": unique("N")}, status=403)
    office.delete(f"/v1/external-identifiers/{again['id']}", if_match=again,
                  status=204)
    office.read("external-identifiers", again["id"], status=404)


# --- the paperless share --------------------------------------------------------


@pytest.mark.clause("C3.2.c", "Q-STA-10", "R-VIS-03")
def test_the_paperless_share(api, db):
    chief = api.login("chief_inspector")

    def share(client, **params):
        return client.get("/v1/statistics/paperless-share", status=200,
                          params=params).json()

    def expected(condition="true"):
        return rows(db, f"""
            select count(*), count(*) filter (where latitude is not null
                and submitted_at <= coalesce(left_at, (visited_on + 1)
                    ::timestamp at time zone 'Asia/Shanghai')
                    + interval '48 hours'),
                count(*) filter (where geo_warning)
            from dudao.visits
            where submitted_at is not null and voided_at is null
                and {condition}""")[0]

    whole = share(chief)
    n, within, warnings = expected()
    assert n and (whole["total"]["n"], whole["total"]["within48"],
                  whole["total"]["geo_warning"]) == (n, within, warnings)
    assert whole["total"]["share"] == pytest.approx(within / n, abs=1e-4)
    assert sum(m["n"] for m in whole["data"]) == n
    month = whole["data"][0]["month"]
    part = share(chief, **{"from": f"{month}-01", "to": f"{month}-28"})
    n, within, warnings = expected(
        f"visited_on between '{month}-01' and '{month}-28'")
    assert (part["total"]["n"], part["total"]["within48"]) == (n, within)
    # one that comes late counts against it
    late = share(chief)["total"]
    id = value(db, "select id from dudao.visits where submitted_at is not"
                   " null and latitude is not null limit 1")
    with db.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("alter table dudao.visits disable trigger user")
        cursor.execute("update dudao.visits set submitted_at = submitted_at"
                       " + interval '9 days' where id = %s", (id,))
        cursor.execute("alter table dudao.visits enable trigger user")
        cursor.execute("commit")
    try:
        assert share(chief)["total"]["within48"] == late["within48"] - 1
    finally:
        with db.cursor() as cursor:
            cursor.execute("begin")
            cursor.execute("alter table dudao.visits disable trigger user")
            cursor.execute("update dudao.visits set submitted_at ="
                           " submitted_at - interval '9 days'"
                           " where id = %s", (id,))
            cursor.execute("alter table dudao.visits enable trigger user")
            cursor.execute("commit")
    # none of them all: nothing to divide by
    none = share(chief, **{"from": "2012-01-01", "to": "2012-01-31"})
    assert none == {"total": {"n": 0, "by_phone": 0, "within48": 0,
                              "geo_warning": 0, "share": None}, "data": []}
    # each within the own scope
    mine = share(api.login("inspector_pt"))["total"]["n"]
    assert 0 < mine < whole["total"]["n"]
    chief.get("/v1/statistics/paperless-share", status=400,
              params={"from": "gestern"})
