"""The document that the linters see is the one that is served."""

import importlib.util
import pathlib

import yaml

HERE = pathlib.Path(__file__).parent
ENGINE_ONLY = {"x-handler", "x-pool", "x-timeout-ms", "x-body-max"}


def bundled():
    spec = importlib.util.spec_from_file_location("bundle", HERE / "bundle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.bundle()


def without_engine_words(node):
    if isinstance(node, dict):
        return {key: without_engine_words(value)
                for key, value in node.items() if key not in ENGINE_ONLY}
    if isinstance(node, list):
        return [without_engine_words(item) for item in node]
    return node


def test_the_served_document_is_the_merged_one(server):
    served, ours = server.document(), without_engine_words(bundled())
    assert served["paths"].keys() == ours["paths"].keys()
    for path in ours["paths"]:
        assert served["paths"][path] == ours["paths"][path], path
    assert served == ours


def test_every_code_of_the_row_rules_has_its_words(db):
    with open(HERE.parents[1] / "openapi/problems.yaml",
              encoding="utf-8") as text:
        known = yaml.safe_load(text)
    with db.cursor() as cursor:
        cursor.execute("select distinct resource, code from app.row_rules")
        assert [row for row in cursor.fetchall() if row[1] not in known] == []
