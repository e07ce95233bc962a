#!/usr/bin/python3
"""bundle.py [FILE] -- the contract as one JSON document, merged as the engine
does at its start: openapi.yaml, components/*.yaml and paths/*.yaml, deep; a
key that stands in two files is an error."""

import json
import pathlib
import sys

import yaml

OPENAPI = pathlib.Path(__file__).resolve().parents[2] / "openapi"


class CoreLoader(yaml.CSafeLoader):
    """YAML 1.2 core schema: no dates, no yes and no."""


CoreLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers
            if tag.rpartition(":")[2] in ("null", "int", "float", "merge")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()}
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    yaml.resolver.re.compile("^(?:true|True|TRUE|false|False|FALSE)$"),
    list("tTfF"))


class DuplicateKey(Exception):
    pass


def merge(into, tree, place=""):
    for key, value in tree.items():
        if key not in into:
            into[key] = value
        elif isinstance(into[key], dict) and isinstance(value, dict):
            merge(into[key], value, f"{place}/{key}")
        elif (place, key) == ("", "tags"):
            into[key] = into[key] + value
        else:
            raise DuplicateKey(f"{place}/{key}")


def bundle(directory=OPENAPI):
    document = {}
    files = [directory / "openapi.yaml"]
    for part in ("components", "paths"):
        files += sorted((directory / part).glob("*.yaml"))
    for file in files:
        with open(file, encoding="utf-8") as text:
            tree = yaml.load(text, CoreLoader)
        try:
            merge(document, tree)
        except DuplicateKey as key:
            raise SystemExit(f"{file}: {key} stands in two files")
    return document


if __name__ == "__main__":
    out = open(sys.argv[1], "w", encoding="utf-8") if sys.argv[1:] \
        else sys.stdout
    json.dump(bundle(), out, ensure_ascii=False, indent=1)
