"""Tokens of machines: 2.1, 4.1, RFC 6749 (2.3.1, 4.4, 5.2), RFC 7009, RFC 7662."""

import base64
import datetime
import time
import urllib.parse

import pytest

from support.client import unique


def in_days(n):
    moment = datetime.datetime.now(datetime.timezone.utc) \
        + datetime.timedelta(days=n)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(api, login="platform_service"):
    return api.login("sys_admin").one("users", login=login)["id"]


def body(api, **changes):
    return {"user_id": user(api), "name": unique("平台"),
            "scopes": ["platform_service"], "expires_at": in_days(30),
            **changes}


def make(api, **changes):
    return api.login("sys_admin").create("api-tokens", body(api, **changes))


def grant(api, token, status=200, **form):
    return api.post("/v1/oauth/token", status=status, data={
        "grant_type": "client_credentials", "client_id": token["id"],
        "client_secret": token["token"], **form})


def access(api, token, **form):
    return api.with_token(grant(api, token, **form).json()["access_token"])


def introspect(api, text):
    return api.login("auditor").post("/v1/oauth/introspect", status=200,
                                     data={"token": text}).json()


@pytest.mark.clause("4.1", "4.3")
def test_shown_once_and_kept_as_a_hash(api, db):
    token = make(api)
    admin = api.login("sys_admin")
    assert len(token["token"]) >= 43
    kept = admin.read("api-tokens", token["id"])
    assert "token" not in kept and kept["scopes"] == ["platform_service"]
    assert token["id"] in {row["id"] for row in admin.list("api-tokens")}
    # whose it is sees it too, others do not
    api.login("platform_service").read("api-tokens", token["id"])
    api.login("office_staff").read("api-tokens", token["id"], status=404)
    with db.cursor() as cursor:
        cursor.execute("select token_hash = sha256(convert_to(%s, 'UTF8'))"
                       " from dudao.api_tokens where id = %s",
                       (token["token"], token["id"]))
        assert cursor.fetchone()[0]
        cursor.execute("select count(*) from dudao.audit_logs"
                       " where after::text like %s", (f"%{token['token']}%",))
        assert cursor.fetchone()[0] == 0


@pytest.mark.clause("4.1", "4.3")
@pytest.mark.parametrize("changes, pointer, code", [
    ({"expires_at": in_days(367)}, "/expires_at", "token-too-long"),
    ({"expires_at": in_days(-1)}, "/expires_at", "date-in-past"),
    ({"scopes": ["platform_service", "auditor"]}, "/scopes", "role-not-held"),
])
def test_limits(api, changes, pointer, code):
    problem = api.login("sys_admin").create(
        "api-tokens", body(api, **changes), status=422)
    assert (pointer, code) in {(e["pointer"], e["code"])
                               for e in problem["errors"]}


@pytest.mark.clause("4.1", "4.3")
def test_who_makes_tokens(api):
    api.login("chief_inspector").create("api-tokens", body(api), status=403)
    api.login("office_staff").create("api-tokens", body(api), status=403)
    problem = api.login("sys_admin").create("api-tokens", body(
        api, user_id=user(api, "sys_admin"), scopes=["sys_admin"]),
        status=422)
    assert problem["code"] == "separation-of-duties"


@pytest.mark.clause("4.2", "C3.2.b")
def test_the_way_in(api):
    token = make(api)
    answer = grant(api, token)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "refresh_token" not in answer.json()
    assert "compliance:read" in answer.json()["scope"].split()
    machine = api.with_token(answer.json()["access_token"])
    assert machine.get("/v1/me", status=200).json()["login"] == \
        "platform_service"
    assert machine.list("compliance-checks")
    assert api.login("sys_admin").read(
        "api-tokens", token["id"])["last_used_at"] is not None


@pytest.mark.clause("4.2")
def test_narrowed(api):
    """A token has the roles that it was given, whatever the account has."""
    lead = user(api, "zone_lead")
    token = make(api, user_id=lead, scopes=["inspector_ft"])
    both = make(api, user_id=lead, scopes=["inspector_ft", "zone_lead"])
    for machine, mine, other in (
            (access(api, token), "inspector_ft", "zone_lead"),
            (access(api, both, scope="zone_lead"), "zone_lead",
             "inspector_ft")):
        machine.get("/v1/zones", status=200, headers={"X-Acting-Role": mine})
        machine.get("/v1/zones", status=403, headers={"X-Acting-Role": other})
    grant(api, token, status=401, scope="zone_lead")


@pytest.mark.clause("4.1")
def test_refused(api, db):
    token, other = make(api), make(api)
    good = grant(api, token).json()
    for form in ({"client_secret": other["token"]},
                 {"client_secret": "x"}, {"client_id": other["id"]},
                 {"client_id": "nobody"}, {"scope": "sys_admin"}):
        problem = grant(api, token, status=401, **form).json()
        assert problem["code"] == "invalid-client"
    for form in ({"grant_type": "password"}, {"grant_type": ""}):
        problem = grant(api, token, status=400, **form).json()
        assert problem["code"] == "unsupported-grant-type"
    # a member that is there twice counts for nothing (RFC 6749, 3.2)
    api.post("/v1/oauth/token", status=401, data=[
        ("grant_type", "client_credentials"), ("client_id", token["id"]),
        ("client_id", token["id"]), ("client_secret", token["token"])])
    api.post("/v1/oauth/token", status=415, json={})
    api.post("/v1/oauth/revoke", status=400, data={"x": "y"})
    far = make(api, ip_allowlist=["203.0.113.0/24"])
    grant(api, far, status=401)
    near = make(api, ip_allowlist=["203.0.113.0/24", "127.0.0.0/8"])
    grant(api, near)
    with db.cursor() as cursor:
        cursor.execute("update dudao.api_tokens set expires_at = now()"
                       " where id = %s", (token["id"],))
    grant(api, token, status=401)
    assert introspect(api, token["token"]) == {"active": False}
    assert introspect(api, good["access_token"]) == {"active": False}


def gone_within_a_second(client):
    began = time.monotonic()
    while time.monotonic() - began < 1:
        answer = client.get("/v1/me")
        if answer.status_code == 401:
            assert answer.json()["code"] == "token-revoked"
            # on all workers: each connection may meet another one
            client.http.close()
        else:
            began_again = answer.status_code
            assert began_again == 200
        time.sleep(0.02)
    for _ in range(20):
        client.http.close()
        client.get("/v1/me", status=401)


@pytest.mark.clause("4.1")
def test_revoked_by_the_administrator(api):
    token = make(api)
    machine = access(api, token)
    machine.get("/v1/me", status=200)
    admin = api.login("sys_admin")
    revoked = admin.act("api-tokens", token, "revoke", {"reason": "更换单位"})
    assert revoked["revoked_at"] and revoked["revoke_reason"] == "更换单位"
    gone_within_a_second(machine)
    grant(api, token, status=401)
    admin.act("api-tokens", token, "revoke", {"reason": "再次"}, status=409)
    api.login("platform_service").act("api-tokens", token, "revoke",
                                      {"reason": "x"}, status=403)


@pytest.mark.clause("4.1")
def test_revoked_by_its_holder(api):
    """RFC 7009: the access token, then the token itself; unknown is fine."""
    token = make(api)
    first, second = access(api, token), access(api, token)
    api.post("/v1/oauth/revoke", status=200, data={"token": first.token})
    gone_within_a_second(first)
    second.get("/v1/me", status=200)
    api.post("/v1/oauth/revoke", status=200, data={
        "token": token["token"], "token_type_hint": "access_token"})
    gone_within_a_second(second)
    api.post("/v1/oauth/revoke", status=200, data={"token": "unknown"})


@pytest.mark.clause("4.1")
def test_by_hand(api, db):
    """In psql, past the API."""
    token = make(api)
    machine = access(api, token)
    machine.get("/v1/me", status=200)
    with db.cursor() as cursor:
        cursor.execute("update dudao.api_tokens set revoked_at = now()"
                       " where id = %s", (token["id"],))
    gone_within_a_second(machine)


@pytest.mark.clause("4.1")
def test_introspection(api):
    token = make(api)
    machine = access(api, token)
    seen = introspect(api, machine.token)
    assert (seen["active"], seen["username"], seen["client_id"]) == (
        True, "platform_service", token["id"])
    assert seen["exp"] > seen["iat"]
    assert "compliance:read" in seen["scope"].split()
    assert introspect(api, token["token"])["client_id"] == token["id"]
    assert introspect(api, machine.token[:-4] + "AAAA") == {"active": False}
    api.post("/v1/oauth/introspect", status=401, data={"token": "x"})


# --- HTTP Basic: RFC 6749, 2.3.1 ----------------------------------------------

FORMS = {"token": {"grant_type": "client_credentials"},
         "revoke": {"token": "unknown"}, "introspect": {"token": "unknown"}}


def encoded(pair):
    return "Basic " + base64.b64encode(pair.encode()).decode()


def basic(token, quote=urllib.parse.quote_plus):
    return encoded(f"{quote(token['id'])}:{quote(token['token'])}")


def ask(api, endpoint, header, status=200, **form):
    return api.post(f"/v1/oauth/{endpoint}", status=status,
                    headers={"Authorization": header},
                    data={**FORMS[endpoint], **form})


def every_byte(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.clause("4.1", "4.2")
@pytest.mark.parametrize("quote", [urllib.parse.quote_plus, every_byte, str])
def test_basic_way_in(api, quote):
    token = make(api)
    answer = ask(api, "token", basic(token, quote))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "refresh_token" not in answer.json()
    machine = api.with_token(answer.json()["access_token"])
    assert machine.get("/v1/me", status=200).json()["login"] == \
        "platform_service"
    seen = ask(api, "introspect", basic(token, quote),
               token=machine.token).json()
    assert seen["active"] and seen["client_id"] == token["id"]
    ask(api, "revoke", basic(token, quote), token=machine.token)
    gone_within_a_second(machine)
    # the scheme's name is case-blind, the id may be said again in the form
    ask(api, "token", basic(token).replace("Basic", "bAsIc"),
        client_id=token["id"])
    # what is there without a value is not there (3.2)
    ask(api, "token", basic(token), client_secret="", client_id="")


def refused_client(answer):
    problem = answer.json()
    assert (problem["code"], problem["error"]) == ("invalid-client",
                                                   "invalid_client")
    assert answer.headers["WWW-Authenticate"] == \
        'Basic realm="dudao", charset="UTF-8"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.clause("4.1")
@pytest.mark.parametrize("endpoint", FORMS)
def test_basic_refused(api, endpoint):
    """5.2: 401 and the scheme that was tried, whatever is wrong with it."""
    token, other = make(api), make(api)
    good = basic(token)
    for header in (
            "Basic", "Basic ", good[:-1], good + "=", good + "!", good[:20],
            good.replace("Basic ", "Basic *"), good + " " + good[6:],
            encoded(token["id"]),                       # no colon
            encoded(f"{token['id']}%3A{token['token']}"),
            encoded(f"{token['id']}:{other['token']}"),
            encoded(f"{token['id']}:"), encoded(f":{token['token']}"),
            encoded(":"), encoded(f"nobody:{token['token']}"),
            encoded(f"{token['id']}:{token['token']}%"),
            encoded(f"{token['id']}:{token['token']}%00"),
            encoded(f"{token['id']}:{token['token']}+"),
            encoded(f"{token['id']}:" + "x" * 2000),
            encoded("x" * 2000 + f":{token['token']}")):
        refused_client(ask(api, endpoint, header, status=401))
    # more than a head may have (RFC 6585), and nothing of it is parsed
    answer = api.post(f"/v1/oauth/{endpoint}", status=431, validate=False,
                      headers={"Authorization": encoded("x:" + "y" * 20000)},
                      data=FORMS[endpoint])
    assert answer.json()["code"] == "header-fields-too-large"
    # the body's way fails in the same words
    refused_client(api.post("/v1/oauth/token", status=401, data={
        **FORMS["token"], "client_id": token["id"], "client_secret": "x"}))
    ask(api, endpoint, good)


@pytest.mark.clause("4.1")
@pytest.mark.parametrize("endpoint", FORMS)
def test_one_way_at_a_time(api, endpoint):
    """2.3: a client must not use more than one way in a request."""
    token, other = make(api), make(api)
    for form in ({"client_secret": token["token"]},
                 {"client_id": token["id"], "client_secret": token["token"]},
                 {"client_secret": [token["token"], token["token"]]},
                 {"client_secret": "%"}, {"client_id": other["id"]},
                 {"client_id": [token["id"], token["id"]]}):
        problem = ask(api, endpoint, basic(token), status=400, **form).json()
        assert (problem["code"], problem["error"]) == ("invalid-request",
                                                       "invalid_request")
    problem = ask(api, endpoint, "Bearer " + "x" * 20,
                  status=200 if endpoint == "revoke" else 401).json()
    assert problem.get("code") != "invalid-request"


@pytest.mark.clause("4.1", "4.3")
def test_failures_are_in_the_trail(api):
    token = make(api)
    for endpoint in FORMS:
        answer = ask(api, endpoint, encoded(token["id"] + ":x"), status=401)
        entry = api.login("auditor").one(
            "audit-logs", action="token", subject_type="api_tokens",
            request_id=answer.headers["X-Request-Id"])
        assert (entry["subject_id"], entry["result"]) == (token["id"],
                                                          "refused")


@pytest.mark.clause("4.1")
def test_a_client_revokes_its_own(api):
    """RFC 7009, 2.1: what was issued to another one stays."""
    token, other = make(api), make(api)
    of_other, user_token = access(api, other), api.login("zone_lead").token
    session = api.post("/v1/auth/login", status=200, json={
        "login": "zone_lead", "password": "dudao-demo"}).json()
    for text in (other["token"], of_other.token, user_token,
                 session["refresh_token"]):
        for way in ({"header": basic(token)},
                    {"header": None, "client_id": token["id"],
                     "client_secret": token["token"]}):
            problem = ask(api, "revoke", status=400, token=text, **way).json()
            assert (problem["code"], problem["error"]) == ("invalid-grant",
                                                           "invalid_grant")
    of_other.get("/v1/me", status=200)
    api.login("zone_lead").get("/v1/me", status=200)
    api.post("/v1/auth/refresh", status=200,
             json={"refresh_token": session["refresh_token"]})
    # who says who he is has to prove it, also with a token of his own
    mine = access(api, token)
    ask(api, "revoke", encoded(token["id"] + ":x"), status=401,
        token=mine.token)
    api.post("/v1/oauth/revoke", status=401, data={
        "token": mine.token, "client_id": token["id"], "client_secret": "x"})
    mine.get("/v1/me", status=200)
    api.post("/v1/oauth/revoke", status=200, data={
        "token": token["token"], "client_id": token["id"],
        "client_secret": token["token"]})
    gone_within_a_second(mine)
    refused_client(ask(api, "revoke", basic(token), status=401))
    of_other.get("/v1/me", status=200)


@pytest.mark.clause("4.1", "4.2")
def test_basic_opens_nothing_else(api):
    token = make(api)
    for path in ("/v1/me", "/v1/schools", "/v1/api-tokens"):
        answer = api.get(path, status=401,
                         headers={"Authorization": basic(token)})
        assert answer.json()["code"] == "unauthenticated"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
    far = make(api, ip_allowlist=["203.0.113.0/24"])
    refused_client(ask(api, "introspect", basic(far), status=401))
    api.login("sys_admin").act("api-tokens", token, "revoke", {"reason": "x"})
    for endpoint in FORMS:
        refused_client(ask(api, endpoint, basic(token), status=401))


def test_the_same_again(api):
    """A repeated create answers without the secret, and makes nothing."""
    wanted = body(api, id="0199c1d2-7a10-7c3e-8d21-" + unique("")[-6:] +
                  "c1d2e3")
    admin = api.login("sys_admin")
    assert admin.create("api-tokens", wanted)["token"]
    assert admin.create("api-tokens", wanted, status=200)["token"] is None


def test_keys_are_public(api):
    keys = api.get("/.well-known/jwks.json", status=200).json()["keys"]
    assert keys and all(key["alg"] == "ES256" for key in keys)
