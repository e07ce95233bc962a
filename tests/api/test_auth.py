"""Sessions and tokens: 4.1, RFC 9068, RFC 9700 section 4.14."""

import base64
import hashlib
import hmac
import json
import subprocess
import time
import uuid

import pytest

from support.client import PASSWORD, unique
from support.service import wait_for
from support.workers import one_each

TOKEN_TYPE = "at+jwt"


@pytest.fixture
def account(db):
    """A fresh account of the office: what is done to it harms no other test."""
    login = unique("auth").lower()
    with db.cursor() as cursor:
        cursor.execute(
            "insert into dudao.users"
            " (login, display_name, password_hash, organization_id)"
            " select %s, '登录测试', app.password_hash(%s), u.organization_id"
            " from dudao.users u where u.login = 'office_staff'"
            " returning id", (login, PASSWORD))
        cursor.execute("select app.grant_role(%s, 'office_staff', '测试')",
                       cursor.fetchone())
    return login


def log_in(api, login, password=PASSWORD, **options):
    return api.post("/v1/auth/login",
                    json={"login": login, "password": password}, **options)


def refresh(api, token, **options):
    return api.post("/v1/auth/refresh", json={"refresh_token": token},
                    **options)


# --- login --------------------------------------------------------------------


def claims_of(token):
    header, payload, _ = token.split(".")
    return (json.loads(base64.urlsafe_b64decode(header + "==")),
            json.loads(base64.urlsafe_b64decode(payload + "==")))


def test_login(api, account):
    answer = log_in(api, account, status=200)
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert "zones:write" in body["scope"].split()
    header, claims = claims_of(body["access_token"])
    assert header["alg"] == "ES256" and header["typ"] == TOKEN_TYPE
    assert header["kid"] in [key["kid"] for key in api.get(
        "/.well-known/jwks.json", status=200).json()["keys"]]
    assert set(claims) == {"iss", "aud", "sub", "sid", "client_id", "scope",
                           "iat", "exp", "jti"}
    # short: it comes with every request; the answer lists what it grants
    assert claims["scope"] == "office_staff"
    assert len(body["access_token"]) < 700
    assert claims["exp"] - claims["iat"] == body["expires_in"] == 900
    assert abs(claims["iat"] - time.time()) < 30
    api.with_token(body["access_token"]).get("/v1/zones", status=200)


def test_login_takes_blanks_and_case(api, account):
    log_in(api, f" {account.upper()} ", status=200)


@pytest.mark.parametrize("body, status", [
    ({}, 422), ({"login": "x"}, 422), ({"login": "", "password": "x"}, 422),
    ({"login": "x", "password": "x", "otp": 1}, 422),
    ({"login": "x" * 101, "password": "x"}, 422), (["login"], 422),
    ({"login": 1, "password": None}, 422)])
def test_malformed_login(api, body, status):
    api.post("/v1/auth/login", json=body, status=status)


def test_unknown_login_looks_like_a_wrong_password(server, api, account):
    """Same words, same headers, and bcrypt has run for both."""
    unknown = log_in(api, unique("nobody").lower(), status=401)
    wrong = log_in(api, account, "wrong", status=401)
    documents = [a.json() for a in (unknown, wrong)]
    headers = [dict(a.headers) for a in (unknown, wrong)]
    ids = [d.pop("request_id") for d in documents]
    for one in headers:
        del one["X-Request-Id"], one["Date"]
    assert documents[0] == documents[1]
    assert headers[0] == headers[1]
    assert documents[0]["code"] == "invalid-credentials"
    took = [wait_for(lambda id=id: next(
        (e["duration_us"] for e in server.events("request")
         if e["request_id"] == id), None)) for id in ids]
    assert min(took) > 20_000, "a hash takes longer than that"


def test_disabled_account_looks_like_a_wrong_password(api, db, account):
    with db.cursor() as cursor:
        cursor.execute("update dudao.users set status = 'disabled'"
                       " where login = %s", (account,))
    assert log_in(api, account, status=401).json()["code"] \
        == "invalid-credentials"


# --- lock-out -----------------------------------------------------------------


def parameter(db, key):
    with db.cursor() as cursor:
        cursor.execute("select app.parameter(%s)", (key,))
        return cursor.fetchone()[0]


@pytest.mark.parametrize("is_known", [True, False])
def test_guessing_is_locked_out(api, db, account, is_known):
    """Known and unknown logins alike; the right password does not help."""
    login = account if is_known else unique("guess").lower()
    for _ in range(parameter(db, "login_max_failures")):
        log_in(api, login, "guess", status=401)
    seconds = parameter(db, "login_lock_seconds")[0]
    for password in ("guess", PASSWORD):
        answer = log_in(api, login, password, status=429)
        assert answer.json()["code"] == "account-locked"
        assert 0 < int(answer.headers["Retry-After"]) <= seconds
    # As time would, by hand.
    with db.cursor() as cursor:
        cursor.execute("update app.login_attempts set locked_until = now()"
                       " where login = %s", (login,))
        assert cursor.rowcount == 1
    log_in(api, login, status=200 if is_known else 401)


def test_locks_grow_longer(api, db, account):
    most = parameter(db, "login_max_failures")
    seconds = parameter(db, "login_lock_seconds")
    for expected in seconds[:2]:
        for _ in range(most):
            log_in(api, account, "guess", status=401)
        left = int(log_in(api, account, "guess", status=429)
                   .headers["Retry-After"])
        assert expected - 10 < left <= expected
        with db.cursor() as cursor:
            cursor.execute("update app.login_attempts set locked_until ="
                           " now() where login = %s", (account,))


def test_one_success_forgets_the_failures(api, db, account):
    for _ in range(2):
        for _ in range(parameter(db, "login_max_failures") - 1):
            log_in(api, account, "guess", status=401)
        log_in(api, account, status=200)


# --- refresh ------------------------------------------------------------------


def test_refresh_rotates(api, account):
    first = log_in(api, account).json()
    second = refresh(api, first["refresh_token"], status=200).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert claims_of(second["access_token"])[1]["sid"] \
        == claims_of(first["access_token"])[1]["sid"]
    for tokens in (first, second):
        api.with_token(tokens["access_token"]).get("/v1/zones", status=200)
    refresh(api, second["refresh_token"], status=200)


def test_reused_refresh_token_ends_the_family(api, account):
    first = log_in(api, account).json()
    second = refresh(api, first["refresh_token"], status=200).json()
    other = log_in(api, account).json()     # another session of the same user
    answer = refresh(api, first["refresh_token"], status=401)
    assert answer.json()["code"] == "invalid-refresh-token"
    # The thief or the owner: neither goes on.
    refresh(api, second["refresh_token"], status=401)
    is_refused_everywhere(api, second["access_token"])
    api.with_token(other["access_token"]).get("/v1/zones", status=200)
    refresh(api, other["refresh_token"], status=200)


def test_unknown_refresh_token(api):
    refresh(api, "A" * 43, status=401)
    refresh(api, "short", status=422)


def test_expired_session_is_not_refreshed(api, db, account):
    tokens = log_in(api, account).json()
    with db.cursor() as cursor:
        cursor.execute("update dudao.sessions set expires_at = now()"
                       " where id = %s",
                       (claims_of(tokens["access_token"])[1]["sid"],))
    refresh(api, tokens["refresh_token"], status=401)
    is_refused_everywhere(api, tokens["access_token"])


# --- the end of a session -----------------------------------------------------


def is_refused_everywhere(api, token, status=401, code="token-revoked"):
    began = time.monotonic()
    assert_within_a_second(one_each(api.with_token(token)), began, status,
                           code)


def warm(api, token):
    """A connection to each worker, which all know the session already."""
    each = one_each(api.with_token(token))
    for one in each.values():
        one.get("/v1/zones", status=200)
        one.get("/v1/zones", status=200)
    return each


def assert_within_a_second(each, began, status, code):
    for one in each.values():
        while (answer := one.get("/v1/zones")).status_code == 200:
            assert time.monotonic() - began < 1, "still let in"
        assert answer.status_code == status
        assert answer.json()["code"] == code


def test_logout(api, account):
    tokens = log_in(api, account).json()
    each = warm(api, tokens["access_token"])
    began = time.monotonic()
    next(iter(each.values())).post("/v1/auth/logout", status=204)
    assert_within_a_second(each, began, 401, "token-revoked")
    refresh(api, tokens["refresh_token"], status=401)


BY_HAND = {
    "session revoked": (
        "update dudao.sessions s set revoked_at = now(), revoked_for = 'test'"
        " from dudao.users u where u.id = s.user_id and u.login = %s",
        401, "token-revoked"),
    "session deleted": (
        "delete from dudao.sessions s using dudao.users u"
        " where u.id = s.user_id and u.login = %s", 401, "token-revoked"),
    "account disabled": (
        "update dudao.users set status = 'disabled' where login = %s",
        401, "token-revoked"),
    "password changed": (
        "update dudao.users set password_hash = app.password_hash('new')"
        " where login = %s", 401, "token-revoked"),
    "role withdrawn": (
        "select app.end_grants(u.id, 'office_staff', '测试')"
        " from dudao.users u where u.login = %s", 403, "insufficient-scope"),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_change_by_hand_is_heard(api, db, account, change):
    """In psql, past the API: within a second on all workers."""
    statement, status, code = BY_HAND[change]
    each = warm(api, log_in(api, account).json()["access_token"])
    assert len(each) == 2
    began = time.monotonic()
    with db.cursor() as cursor:
        cursor.execute(statement, (account,))
    assert_within_a_second(each, began, status, code)


def test_new_role_is_heard(api, db, account):
    """A session that lives on gains what its user is granted."""
    with db.cursor() as cursor:
        cursor.execute(BY_HAND["role withdrawn"][0], (account,))
    token = log_in(api, account).json()["access_token"]
    each = one_each(api.with_token(token))
    for one in each.values():
        one.get("/v1/zones", status=403)
    began = time.monotonic()
    with db.cursor() as cursor:
        cursor.execute("select app.grant_role(u.id, 'office_staff', '测试')"
                       " from dudao.users u where u.login = %s", (account,))
    for one in each.values():
        while one.get("/v1/zones", status=(200, 403)).status_code == 403:
            assert time.monotonic() - began < 1, "still shut out"


# --- forged tokens ------------------------------------------------------------


def encode(part):
    if not isinstance(part, bytes):
        part = json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def key_paths(server):
    return sorted((server.state / "keys").glob("*.pem"),
                  key=lambda p: (p.stat().st_mtime_ns, p.name))


def public_pem(path):
    return subprocess.run(["openssl", "pkey", "-in", path, "-pubout"],
                          check=True, stdout=subprocess.PIPE).stdout


def signed(path, header, claims):
    """ES256 with openssl: its DER signature becomes r and s."""
    text = encode(header) + "." + encode(claims)
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", path],
                         check=True, input=text.encode(),
                         stdout=subprocess.PIPE).stdout
    numbers, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        number = der[at + 2:at + 2 + length].lstrip(b"\0")
        numbers += number.rjust(32, b"\0")
        at += 2 + length
    return text + "." + encode(numbers)


@pytest.fixture
def parts(server, api, account):
    """(key file, header, claims) of a token that is good."""
    token = log_in(api, account).json()["access_token"]
    header, claims = claims_of(token)
    for path in key_paths(server):
        good = signed(path, header, claims)
        if api.with_token(good).get("/v1/zones").status_code == 200:
            return path, header, claims
    pytest.fail("none of the keys is the signer's")


FORGERIES = {
    "no algorithm": lambda path, h, c:
        encode({**h, "alg": "none"}) + "." + encode(c) + ".",
    "no algorithm, with a signature": lambda path, h, c:
        encode({**h, "alg": "none"}) + "." + encode(c) + "."
        + signed(path, h, c).rsplit(".", 1)[1],
    "HMAC with the public key": lambda path, h, c: hmac_signed(
        public_pem(path), {**h, "alg": "HS256"}, c),
    "HMAC that calls itself ES256": lambda path, h, c: hmac_signed(
        public_pem(path), h, c),
    "HMAC with no key": lambda path, h, c: hmac_signed(
        b"", {**h, "alg": "HS256"}, c),
    "another subject": lambda path, h, c: tampered(
        signed(path, h, c), {**c, "sub": str(uuid.uuid4())}),
    "more scope": lambda path, h, c: tampered(
        signed(path, h, c), {**c, "scope": c["scope"] + " users:write"}),
    "longer life": lambda path, h, c: tampered(
        signed(path, h, c), {**c, "exp": c["exp"] + 10**6}),
    "zero signature": lambda path, h, c:
        encode(h) + "." + encode(c) + "." + encode(bytes(64)),
    "short signature": lambda path, h, c:
        signed(path, h, c)[:-4],
    "unknown key": lambda path, h, c:
        signed(path, {**h, "kid": "x" * 43}, c),
    "no key id": lambda path, h, c: signed(
        path, {k: v for k, v in h.items() if k != "kid"}, c),
    "a path as key id": lambda path, h, c:
        signed(path, {**h, "kid": "../../etc/passwd"}, c),
    "a critical extension": lambda path, h, c:
        signed(path, {**h, "crit": ["b64"], "b64": False}, c),
    "an id token": lambda path, h, c: signed(path, {**h, "typ": "JWT"}, c),
    "another issuer": lambda path, h, c:
        signed(path, h, {**c, "iss": "https://evil.example"}),
    "another audience": lambda path, h, c:
        signed(path, h, {**c, "aud": "https://other.example"}),
    "issued tomorrow": lambda path, h, c:
        signed(path, h, {**c, "iat": c["iat"] + 86400}),
    "without an end": lambda path, h, c: signed(
        path, h, {k: v for k, v in c.items() if k != "exp"}),
    "a session that is none": lambda path, h, c:
        signed(path, h, {**c, "sid": "' or 1=1 --"}),
    "the session of another": lambda path, h, c:
        signed(path, h, {**c, "sub": str(uuid.uuid4())}),
    "payload is a list": lambda path, h, c: signed(path, h, [c]),
    "too long": lambda path, h, c: signed(path, h, {**c, "x": "y" * 9000}),
    "two parts": lambda path, h, c: encode(h) + "." + encode(c),
    "nonsense": lambda path, h, c: "nonsense",
}


def hmac_signed(key, header, claims):
    text = encode(header) + "." + encode(claims)
    return text + "." + encode(
        hmac.new(key, text.encode(), hashlib.sha256).digest())


def tampered(token, claims):
    header, _, signature = token.split(".")
    return f"{header}.{encode(claims)}.{signature}"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_token(api, parts, forgery):
    token = FORGERIES[forgery](*parts)
    answer = api.with_token(token).get("/v1/zones", status=401)
    assert answer.json()["code"] == "token-invalid"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_expired_token(api, parts):
    path, header, claims = parts
    old = {**claims, "iat": claims["iat"] - 1000, "exp": claims["iat"] - 1}
    answer = api.with_token(signed(path, header, old)).get(
        "/v1/zones", status=401)
    assert answer.json()["code"] == "token-expired"


def test_token_ends_in_the_cache(api, parts):
    """One that was good when it came is not good for ever."""
    path, header, claims = parts
    short = {**claims, "exp": int(time.time()) + 2}
    client = api.with_token(signed(path, header, short))
    client.get("/v1/zones", status=200)
    wait_for(lambda: client.get("/v1/zones").status_code == 401, 5,
             "end of the token")
    assert time.time() >= short["exp"]
    assert client.get("/v1/zones").json()["code"] == "token-expired"


def test_unknown_session(api, parts):
    path, header, claims = parts
    token = signed(path, header, {**claims, "sid": str(uuid.uuid4())})
    assert api.with_token(token).get("/v1/zones", status=401).json()[
        "code"] == "token-revoked"


def test_scope_is_what_the_roles_grant_now(api, db, parts):
    """What a token says about itself adds nothing."""
    path, header, claims = parts
    token = signed(path, header,
                   {**claims, "scope": claims["scope"] + " users:write"})
    api.with_token(token).post("/v1/users", json={}, status=403)


@pytest.mark.parametrize("header", [
    None, "Bearer", "Basic b2ZmaWNlX3N0YWZmOng=",
    "bearer-token x", "Token x"])
def test_no_token(api, header):
    answer = api.get("/v1/zones", status=401, headers={} if header is None
                     else {"Authorization": header})
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")


def test_token_belongs_into_the_header(api):
    # one of few scopes: longer ones do not fit into a request's line
    token = api.login("third_party").token
    api.get("/v1/zones", params={"access_token": token}, status=401)
    api.get("/v1/zones", cookies={"access_token": token}, status=401)


def test_scheme_is_case_blind(api):
    token = api.login("office_staff").token
    api.get("/v1/zones", headers={"Authorization": f"bEARER {token}"},
            status=200)


# --- X-Acting-Role ------------------------------------------------------------


def test_acting_role(api, db, account):
    """A person with several roles acts in one, and the audit says which."""
    with db.cursor() as cursor:
        cursor.execute(
            "select app.grant_role(u.id, 'committee_member', '测试')"
            " from dudao.users u where u.login = %s", (account,))
    client = api.with_token(log_in(api, account).json()["access_token"])
    zone = {"code": unique("A").upper(), "name": "甲",
            "active_from": "2026-01-01"}
    client.post("/v1/zones", json=zone, status=403,
                headers={"X-Acting-Role": "committee_member"})
    client.post("/v1/zones", json=zone, status=201,
                headers={"X-Acting-Role": "office_staff"})


@pytest.mark.parametrize("role", [
    "sys_admin", "system", "public", "office_staff,sys_admin",
    "{office_staff}", "Office_Staff", "office", '"', "office_staff}"])
def test_role_that_is_not_held(api, role):
    answer = api.login("office_staff").get(
        "/v1/zones", headers={"X-Acting-Role": role}, status=(400, 403))
    assert answer.json()["code"] in ("not-held-role", "invalid-parameter")


# --- secrets ------------------------------------------------------------------


def test_passwords_and_tokens_are_in_no_log(server, api, account):
    secret = f"geheim-{uuid.uuid4().hex}"
    log_in(api, account, secret, status=401)
    log_in(api, unique("nobody"), secret, status=401)
    log_in(api, [secret], secret, status=422)
    api.post("/v1/auth/login", data='{"password": "%s' % secret, status=400,
             headers={"Content-Type": "application/json"})
    # The database refuses it: NUL is no text.
    log_in(api, account, secret + "\0", status=(401, 422, 400))
    tokens = log_in(api, account).json()
    client = api.with_token(tokens["access_token"])
    client.get("/v1/zones", params={"nonsense": secret}, status=400)
    mark = f"mark-{uuid.uuid4().hex}"
    client.get("/livez", headers={"X-Request-Id": mark})
    wait_for(lambda: mark in server.log())
    logs = server.log() + (server.state / "log/postgresql.log").read_text(
        errors="replace")
    for word in (secret, tokens["access_token"], tokens["refresh_token"],
                 tokens["access_token"].rsplit(".", 1)[1]):
        assert word not in logs
