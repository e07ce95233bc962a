"""A client of the API whose every answer is held against the contract."""

import itertools
import time
import uuid

import requests

from support.contract import Contract

PASSWORD = "dudao-demo"
TOKEN_SECONDS = 600     # below the 15 minutes of an access token

_numbers = itertools.count(1)


def unique(prefix="T"):
    """A code that no other test uses."""
    return f"{prefix}{next(_numbers)}-{uuid.uuid4().hex[:6]}"


class Client:
    """Anonymous until login(); methods take a path below the service's root.

    status= states what is expected; anything else is an assertion that shows
    the answer. if_match= takes a version or a whole resource, key= is an
    Idempotency-Key, lang= an Accept-Language.
    """

    def __init__(self, service, contract=None, token=None, name="anonymous"):
        self.service = service
        self.contract = contract or Contract(service.document())
        self.token = token
        self.name = name
        self.http = requests.Session()
        self.http.trust_env = False

    def with_token(self, token, name="token"):
        return Client(self.service, self.contract, token, name)

    def login(self, login, password=PASSWORD, fresh=False):
        """A client that bears an access token of that account."""
        kept = self.service.tokens.get(login)
        if fresh or kept is None or time.monotonic() > kept[1]:
            answer = self.post("/v1/auth/login", status=200, json={
                "login": login, "password": password})
            kept = (answer.json()["access_token"],
                    time.monotonic() + TOKEN_SECONDS)
            self.service.tokens[login] = kept
        return self.with_token(kept[0], login)

    def request(self, method, path, status=None, if_match=None, key=None,
                lang=None, headers=None, validate=True, **options):
        merged = {}
        if self.token:
            merged["Authorization"] = "Bearer " + self.token
        if if_match is not None:
            version = (if_match["version"] if isinstance(if_match, dict)
                       else if_match)
            merged["If-Match"] = f'"{version}"'
        if key:
            merged["Idempotency-Key"] = key
        if lang:
            merged["Accept-Language"] = lang
        merged.update(headers or {})
        options.setdefault("timeout", 30)
        answer = self.http.request(method, self.service.url + path,
                                   headers=merged, **options)
        if validate:
            self.contract.check(answer)
        if status is not None:
            allowed = status if isinstance(status, (tuple, set, list)) \
                else (status,)
            assert answer.status_code in allowed, (
                f"{method} {path} as {self.name}: {answer.status_code}, "
                f"expected {status}\n{answer.text[:3000]}")
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def patch(self, path, json=None, headers=None, **options):
        headers = {"Content-Type": "application/merge-patch+json",
                   **(headers or {})}
        return self.request("PATCH", path, json=json, headers=headers,
                            **options)

    # --- the same in the words of resources -----------------------------------

    def create(self, resource, body, status=201, **options):
        """POST /v1/<resource>; the new resource."""
        return self.post(f"/v1/{resource}", json=body, status=status,
                         **options).json()

    def read(self, resource, id, status=200, **options):
        return self.get(f"/v1/{resource}/{id}", status=status,
                        **options).json()

    def change(self, resource, row, body, status=200, **options):
        """PATCH of a resource that was read: its version is the If-Match."""
        return self.patch(f"/v1/{resource}/{row['id']}", json=body,
                          if_match=row, status=status, **options).json()

    def act(self, resource, id, action, body=None, status=200, **options):
        """POST /v1/<resource>/<id>/<action>; the resource afterwards."""
        if isinstance(id, dict):
            id = id["id"]
        if body is not None:
            options["json"] = body
        return self.post(f"/v1/{resource}/{id}/{action}", status=status,
                         **options).json()

    def list(self, resource, status=200, **params):
        """All rows of a list, over all pages."""
        rows, cursor = [], {}
        params.setdefault("limit", 200)
        while True:
            page = self.get(f"/v1/{resource}", status=status,
                            params={**params, **cursor}).json()
            rows += page["data"]
            if not page["page"]["has_more"]:
                return rows
            cursor = {"cursor": page["page"]["next_cursor"]}

    def one(self, resource, **params):
        """The first row of a list, which must not be empty."""
        rows = self.get(f"/v1/{resource}", status=200,
                        params={"limit": 1, **params}).json()["data"]
        assert rows, f"no {resource} with {params} for {self.name}"
        return rows[0]
