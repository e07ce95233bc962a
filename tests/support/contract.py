"""Holds answers against the served contract."""

import decimal
import json
import re

import jsonschema

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
DATE_TIME = re.compile(
    DATE.pattern + r"T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?Z")

FORMATS = jsonschema.FormatChecker(formats=())
for _name, _pattern in (("uuid", UUID), ("date", DATE),
                        ("date-time", DATE_TIME)):
    FORMATS.checks(_name)(
        lambda value, pattern=_pattern: not isinstance(value, str)
        or pattern.fullmatch(value) is not None)


def multiple_of(validator, factor, value, schema):
    """In decimal: 113.6731 is a multiple of 0.000001, whatever floats say."""
    if validator.is_type(value, "number") and decimal.Decimal(
            repr(value)) % decimal.Decimal(repr(factor)) != 0:
        yield jsonschema.ValidationError(
            f"{value!r} is not a multiple of {factor}")


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"multipleOf": multiple_of})


class ContractError(AssertionError):
    pass


class Contract:
    def __init__(self, document):
        self.document = document
        self.seen = set()       # (operationId, status)
        self._resolver = jsonschema.RefResolver("", document)
        self._validators = {}
        self._routes = []
        for template, item in document["paths"].items():
            parts = re.split(r"(\{[^}]+\})", template)
            pattern = "".join(
                "[^/]+" if part.startswith("{") else re.escape(part)
                for part in parts)
            self._routes.append((template.count("{"), re.compile(pattern),
                                 item))
        self._routes.sort(key=lambda route: route[0])

    def operations(self):
        """Yields (method, template, operation)."""
        for template, item in self.document["paths"].items():
            for method, operation in item.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    yield method, template, operation

    def find(self, method, path):
        """The operation, or None. HEAD is GET without its body."""
        method = "get" if method == "HEAD" else method.lower()
        for _, pattern, item in self._routes:
            if pattern.fullmatch(path):
                return item.get(method)
        return None

    def resolve(self, node):
        while "$ref" in node:
            _, node = self._resolver.resolve(node["$ref"])
        return node

    def validate(self, schema, value, what):
        key = id(schema)
        validator = self._validators.get(key)
        if validator is None:
            validator = Validator(
                schema, resolver=self._resolver, format_checker=FORMATS)
            self._validators[key] = validator
        faults = [
            "/" + "/".join(map(str, e.absolute_path)) + ": " + e.message[:300]
            for e in validator.iter_errors(value)]
        if faults:
            raise ContractError("\n".join([what] + faults[:20]))

    def check(self, answer):
        """Raises ContractError unless the contract allows the answer."""
        request = answer.request
        path = request.path_url.partition("?")[0]
        what = f"{request.method} {request.path_url}: {answer.status_code}"
        operation = self.find(request.method, path)
        if request.method == "OPTIONS":
            return
        if operation is None or answer.status_code == 405:
            if answer.status_code < 400:
                raise ContractError(f"{what}: not in the contract")
            self.check_problem(answer, what)
            return
        self.seen.add((operation["operationId"], answer.status_code))
        response = operation["responses"].get(str(answer.status_code))
        if response is None:
            raise ContractError(f"{what}: status is not documented for "
                                f"{operation['operationId']}\n{answer.text}")
        response = self.resolve(response)
        self.check_headers(answer, response, what)
        self.check_body(answer, response, what)

    def check_headers(self, answer, response, what):
        for name, header in response.get("headers", {}).items():
            header = self.resolve(header)
            value = answer.headers.get(name)
            if value is None:
                if header.get("required"):
                    raise ContractError(f"{what}: header {name} is missing")
                continue
            kind = self.resolve(header["schema"]).get("type")
            if kind == "integer" and re.fullmatch(r"-?\d+", value):
                value = int(value)
            self.validate(header["schema"], value, f"{what}: header {name}")

    def check_body(self, answer, response, what):
        content = response.get("content")
        if answer.request.method == "HEAD" or not content:
            if answer.content:
                raise ContractError(f"{what}: has a body")
            return
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        entry = content.get(media_type) or content.get("*/*")
        if entry is None:
            raise ContractError(f"{what}: content type {media_type!r}")
        # what "fields" leaves out is not missing
        whole = not re.search(r"[?&]fields=", answer.request.path_url)
        if media_type == "application/x-ndjson" and whole:
            page = self.resolve(content["application/json"]["schema"])
            for line in answer.text.split("\n")[:50]:
                if line:
                    self.validate(page["properties"]["data"]["items"],
                                  json.loads(line), what)
        elif media_type.endswith("json") and whole:
            self.validate(entry["schema"], answer.json(), what)
        if media_type == "application/problem+json":
            self.check_problem(answer, what)

    def check_problem(self, answer, what):
        if answer.request.method == "HEAD":
            return
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        if media_type != "application/problem+json":
            raise ContractError(f"{what}: not a problem document: "
                                f"{answer.text[:200]}")
        problem = answer.json()
        if problem["status"] != answer.status_code:
            raise ContractError(f"{what}: document says {problem['status']}")
        if problem["type"] != "/problems/" + problem["code"]:
            raise ContractError(f"{what}: type {problem['type']}")
