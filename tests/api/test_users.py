"""Accounts and grants: 2.1, 4.1 (two-person rule, incompatible roles)."""

import pytest

from support.client import unique
from support.service import wait_for

PASSWORD = "zan-shi-kou-ling-1"


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.fixture
def account(api):
    admin = api.login("sys_admin")
    unit = api.login("office_staff").one("organizations",
                                         kind="supervision_office")
    return admin.create("users", {
        "login": unique("t").lower(), "display_name": "演示·新账号",
        "organization_id": unit["id"], "initial_password": PASSWORD})


def test_a_new_account(api, db, account):
    assert account["must_change_password"] and account["status"] == "active"
    assert "password_hash" not in account
    client = api.login(account["login"], PASSWORD)
    me = client.get("/v1/me", status=200).json()
    assert me["roles"] == [] and me["must_change_password"]
    admin = api.login("sys_admin")
    with db.cursor() as cursor:
        cursor.execute("select after::text from dudao.audit_logs"
                       " where subject_id = %s", (account["id"],))
        assert "$2" not in str(cursor.fetchall())
    unit = account["organization_id"]
    assert codes(admin.create("users", {
        "login": "zhangsan01", "display_name": "x", "organization_id": unit,
        "initial_password": "zhangsan01-2026"}, status=422)) == {
        "password-too-simple"}


@pytest.mark.parametrize("login", ["office_staff", "school_account"])
def test_others_see_their_own_account(api, login, account):
    client = api.login(login)
    assert [row["login"] for row in client.list("users")] == [login]
    client.get(f"/v1/users/{account['id']}", status=404)


def test_disable_enable_reset(api, account):
    admin = api.login("sys_admin")
    client = api.login(account["login"], PASSWORD)
    client.get("/v1/me", status=200)
    admin.act("users", account, "disable", {}, status=422)
    row = admin.act("users", account, "disable", {"reason": "调离"})
    assert row["status"] == "disabled"
    # within a second, on all workers
    wait_for(lambda: client.get("/v1/me").status_code == 401, 1,
             "the disabled account is refused")
    admin.act("users", account, "unlock", {}, status=409)
    admin.act("users", account, "enable", {"reason": "返岗"})
    row = admin.act("users", account, "reset-password",
                    {"new_password": "ling-yi-ge-kou-ling"})
    assert row["must_change_password"]
    api.login(account["login"], "ling-yi-ge-kou-ling", fresh=True)
    me = admin.get("/v1/me", status=200).json()
    assert admin.act("users", me["id"], "disable", {"reason": "x"},
                     status=422)["code"] == "separation-of-duties"
    api.login("chief_inspector").act("users", account, "disable",
                                     {"reason": "x"}, status=403)


def test_unlock(api, account):
    for _ in range(6):
        api.post("/v1/auth/login", status=(401, 429), json={
            "login": account["login"], "password": "wrong-wrong-wrong"})
    api.post("/v1/auth/login", status=429, json={
        "login": account["login"], "password": PASSWORD})
    row = api.login("sys_admin").act("users", account, "unlock", {})
    assert row["failed_count"] == 0
    api.login(account["login"], PASSWORD, fresh=True)


@pytest.mark.clause("4.1")
def test_one_proposes_another_approves(api, account):
    admin, chief = api.login("sys_admin"), api.login("chief_inspector")
    grant = admin.create("role-grants", {
        "user_id": account["id"], "role": "office_staff",
        "reason": "新入职"})
    assert grant["state"] == "proposed"
    client = api.login(account["login"], PASSWORD)
    assert client.get("/v1/me", status=200).json()["roles"] == []
    admin.act("role-grants", grant, "approve", {}, status=403)
    grant = chief.act("role-grants", grant, "approve", {"comment": "同意"})
    assert grant["state"] == "active" and grant["decided_by"]
    me = client.get("/v1/me", status=200).json()
    assert [role["role"] for role in me["roles"]] == ["office_staff"]
    expanded = admin.get(f"/v1/users/{account['id']}", status=200, params={
        "expand": ["grants", "person", "organization"]}).json()
    assert [g["id"] for g in expanded["grants"]] == [grant["id"]]
    assert expanded["person"] is None
    # who supervises does not sign for a unit
    problem = admin.create("role-grants", {
        "user_id": account["id"], "role": "auditor", "reason": "x"},
        status=422)
    assert codes(problem) == {"incompatible-roles"}
    assert admin.list("users", role="office_staff")
    grant = admin.act("role-grants", grant, "end", {"reason": "调离岗位"})
    assert grant["state"] == "ended" and grant["valid_to"]
    history = admin.get(f"/v1/role-grants/{grant['id']}/transitions",
                        status=200).json()["data"]
    assert [step["action"] for step in history] == ["approve", "end"]


def test_office_staff_grants_nothing(api, account):
    api.login("office_staff").create("role-grants", {
        "user_id": account["id"], "role": "office_staff", "reason": "x"},
        status=403)
