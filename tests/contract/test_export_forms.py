"""Every list can be taken as a whole: the contract says so."""

import pathlib
import re

import pytest

from support.contract import Contract

QUERIES = pathlib.Path(__file__).resolve().parents[2] / "db" / "queries"
FORMS = {"application/json", "text/csv", "application/x-ndjson"}


@pytest.fixture(scope="module")
def contract(server):
    return Contract(server.document())


def test_every_list_declares_its_exports(contract):
    lists = {name for path in QUERIES.glob("*.sql")
             for name in re.findall(r"^-- name: (\w+) :list", path.read_text(),
                                    re.M)}
    assert lists
    faults = []
    for _, _, operation in contract.operations():
        if operation["operationId"] not in lists:
            continue
        names = {contract.resolve(p)["name"]
                 for p in operation.get("parameters", [])}
        content = contract.resolve(operation["responses"]["200"])["content"]
        if not {"format", "bom"} <= names or not FORMS <= set(content):
            faults.append(operation["operationId"])
    assert not faults, "declare Format, Bom and the media types: %s" % faults
