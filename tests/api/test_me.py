"""The caller's own account: 10.3."""

import pytest

from support.client import unique


def test_me_of_an_inspector(api):
    me = api.login("inspector_ft").get("/v1/me", status=200).json()
    assert me["display_name"] == "演示督学02"
    assert me["inspector"]["current_employment"] == "full_time"
    assert "visits:write" in me["scopes"]
    assert me["person"]["name"] == "演示督学02"
    assert isinstance(me["unread_notifications"], int)


def test_me_of_a_zone_lead(api):
    client = api.login("zone_lead")
    me = client.get("/v1/me", status=200).json()
    zone = api.login("office_staff").one("zones", code="Z4")
    assert me["zone_ids"] == [zone["id"]]
    assert {role["role"] for role in me["roles"]} == {"zone_lead",
                                                      "inspector_ft"}
    acting = client.get("/v1/me", status=200, headers={
        "X-Acting-Role": "zone_lead"}).json()
    assert acting["acting_roles"] == ["zone_lead"]


def test_etag(api):
    client = api.login("leader_reader")
    answer = client.get("/v1/me", status=200)
    client.get("/v1/me", status=304,
               headers={"If-None-Match": answer.headers["ETag"]})
    api.get("/v1/me", status=401)


def test_change_of_password(api):
    admin = api.login("sys_admin")
    unit = api.login("office_staff").one("organizations",
                                         kind="supervision_office")
    login, old, new = unique("p").lower(), "di-yi-ge-kou-ling", \
        "di-er-ge-kou-ling"
    admin.create("users", {
        "login": login, "display_name": "演示·改口令",
        "organization_id": unit["id"], "initial_password": old})
    client = api.login(login, old)
    other = api.login(login, old, fresh=True)

    def change(body, status):
        return other.post("/v1/me/password", json=body, status=status)

    problem = change({"current_password": "wrong-password",
                      "new_password": new}, 422).json()
    assert problem["errors"][0]["code"] == "password-wrong"
    problem = change({"current_password": old, "new_password": old},
                     422).json()
    assert problem["errors"][0]["code"] == "password-unchanged"
    change({"current_password": old, "new_password": "short"}, 422)
    change({"current_password": old, "new_password": new}, 204)
    me = other.get("/v1/me", status=200).json()
    assert me["must_change_password"] is False
    client.get("/v1/me", status=401)
    api.login(login, new, fresh=True)
