"""Marks in the document what its declaration calls deprecated: operations of types and of actions."""

from typing import Any

from quire.api.openapi import responses as answers
from quire.declare.deprecation import Deprecation
from quire.declare.record import REGISTRY

Schema = dict[str, Any]


def add_deprecations(paths: Schema) -> None:
    """Mark operations as deprecated, with the headers that say so."""
    for path, item in paths.items():
        deprecation = _of_path(path)
        if deprecation is not None:
            for method in item.keys() - {"parameters"}:
                item[method] = _with_deprecation(item[method], deprecation)


def _of_path(path: str) -> Deprecation | None:
    """What the record type of a path, or its action, says."""
    _, first, *_ = path.split("/")
    last = path.rpartition("/")[2]
    record, nested = REGISTRY.get(first), REGISTRY.get(last)
    if nested is not None and nested.nested_under:
        record = nested
    if record is None:
        return None
    action = record.action(last)
    return (action and action.deprecated) or record.deprecated


def _with_deprecation(operation: Schema, deprecation: Deprecation) -> Schema:
    headers = answers.headers(*deprecation.headers)
    responses = {
        status: {**one, "headers": one["headers"] | headers} if "headers" in one else one
        for status, one in operation["responses"].items()
    }
    text = f"{operation['description']} {deprecation.description}"
    return {**operation, "deprecated": True, "description": text, "responses": responses}
