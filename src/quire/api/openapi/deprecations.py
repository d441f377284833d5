"""Marks deprecated operations in the document: those of record types, actions and custom resources."""

import re
from typing import Any

from quire.api.custom_resources import RESOURCES
from quire.api.openapi import response_objects
from quire.declare.deprecation import Deprecation
from quire.declare.record import REGISTRY

Schema = dict[str, Any]
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def add_deprecations(paths: Schema) -> None:
    """Mark operations as deprecated, with the headers that say so."""
    custom = {
        _PARAMETER.sub(r"{\1}", path): one.deprecated for path, one in _deprecated_resources()
    }
    for path, item in paths.items():
        deprecation = custom.get(path) or _of_record(path)
        if deprecation is not None:
            for method in item.keys() - {"parameters"}:
                item[method] = _with_deprecation(item[method], deprecation)


def _deprecated_resources() -> list[tuple[str, Any]]:
    return [(path, one) for path, (one, _) in RESOURCES.items() if getattr(one, "deprecated", None)]


def _of_record(path: str) -> Deprecation | None:
    """The deprecation of a path's action, or of its record type."""
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
    headers = response_objects.headers(*deprecation.headers)
    responses = {
        status: {**one, "headers": one["headers"] | headers} if "headers" in one else one
        for status, one in operation["responses"].items()
    }
    text = f"{operation['description']} {deprecation.description}"
    return {**operation, "deprecated": True, "description": text, "responses": responses}
