"""What the contract says to its reader: texts, examples, every status."""

import re

import pytest

from support.contract import Contract

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SUMMARY = re.compile(r"[^·]*[\u4e00-\u9fff][^·]* · [A-Z][ -~]+")

# Of the service itself: neither the database nor a body.
WITHOUT_DATABASE = {
    "getJwks", "getOpenapi", "getDocs", "listProblemTypes", "getProblemType",
    "getLivez", "getMetrics"}


@pytest.fixture(scope="module")
def contract(server):
    return Contract(server.document())


def every(contract, check):
    """Faults of all operations, each under its name."""
    faults = {}
    for method, path, operation in contract.operations():
        found = [fault for fault in check(method, path, operation) if fault]
        if found:
            faults[operation["operationId"]] = found
    assert not faults, "\n".join(f"{k}: {v}" for k, v in faults.items())


def parameters(contract, path, operation):
    item = contract.document["paths"][path]
    return [contract.resolve(p) for p in item.get("parameters", [])
            + operation.get("parameters", [])]


def contents(contract, operation):
    """Yields (what, media type, entry) of the request and all responses."""
    body = contract.resolve(operation.get("requestBody", {}))
    for media_type, entry in body.get("content", {}).items():
        yield "request", media_type, entry
    for status, response in operation["responses"].items():
        content = contract.resolve(response).get("content", {})
        for media_type, entry in content.items():
            yield status, media_type, entry


def test_operations_are_described(contract):
    def check(method, path, operation):
        yield not SUMMARY.fullmatch(operation["summary"]) and "summary"
        yield not CHINESE.search(operation.get("description", "")) \
            and "description"
        yield len(operation.get("tags", [])) != 1 and "tag"
        for parameter in parameters(contract, path, operation):
            yield not CHINESE.search(parameter.get("description", "")) \
                and parameter["name"]
        for status, response in operation["responses"].items():
            yield not CHINESE.search(contract.resolve(response)[
                "description"]) and status

    every(contract, check)


def test_tags_are_described(contract):
    tags = {tag["name"]: tag.get("description", "")
            for tag in contract.document["tags"]}
    used = {operation["tags"][0] for _, _, operation in contract.operations()}
    assert used == set(tags)
    assert all(CHINESE.search(text) for text in tags.values())


def test_members_have_a_label(contract):
    """The Chinese title of every property, at hand or behind its reference."""
    missing = []

    def walk(node, place):
        if isinstance(node, list):
            for i, part in enumerate(node):
                walk(part, f"{place}/{i}")
        elif isinstance(node, dict):
            for name, member in node.get("properties", {}).items():
                if isinstance(member, dict) and not CHINESE.search(
                        member.get("title")
                        or contract.resolve(member).get("title", "")):
                    missing.append(f"{place}/{name}")
            for name, part in node.items():
                if name not in ("example", "examples"):
                    walk(part, f"{place}/{name}")

    walk(contract.document["components"]["schemas"], "")
    assert not missing, "\n".join(missing)


def test_bodies_have_examples_that_hold(contract):
    def check(method, path, operation):
        for what, media_type, entry in contents(contract, operation):
            examples = [entry["example"]] if "example" in entry else [
                contract.resolve(example)["value"]
                for example in entry.get("examples", {}).values()]
            if not examples and media_type.endswith("json"):
                yield f"{what}: no example"
            for example in examples:
                if media_type.endswith("json"):
                    try:
                        contract.validate(entry["schema"], example, what)
                    except AssertionError as error:
                        yield str(error)[:300]

    every(contract, check)


def test_every_status_is_documented(contract):
    """What the engine can answer by the operation's form alone."""
    def check(method, path, operation):
        name = operation["operationId"]
        needed = {"400", "500"}
        if path.startswith("/v1"):
            needed.add("429")
        if name not in WITHOUT_DATABASE:
            needed.add("503")
        if operation["security"] and {} not in operation["security"]:
            needed |= {"401", "403"}
        if "{" in path:
            needed.add("404")
        if "requestBody" in operation:
            needed |= {"413", "415"}
            if any(media_type.endswith("json") for media_type in
                   contract.resolve(operation["requestBody"])["content"]):
                needed.add("422")
        if method in ("patch", "delete"):
            needed |= {"409", "412", "428"}
        declared = {p["name"] for p in parameters(contract, path, operation)}
        if "If-None-Match" in declared:
            needed.add("304")
        if "If-Match" in declared:
            needed.add("412")
        if "Idempotency-Key" in declared:
            needed |= {"409", "422"}
        missing = needed - set(operation["responses"])
        yield missing and sorted(missing)
        yield not any(status.startswith("2")
                      for status in operation["responses"]) and "no success"

    every(contract, check)


def test_problems_name_their_operation_in_no_other_form(contract):
    """Refusals have one media type and one schema."""
    def check(method, path, operation):
        for what, media_type, entry in contents(contract, operation):
            if what >= "400" and what != "request":
                yield media_type != "application/problem+json" \
                    and f"{what}: {media_type}"
                yield entry["schema"].get("$ref", "").rpartition("/")[2] \
                    != "Problem" and f"{what}: schema"

    every(contract, check)
