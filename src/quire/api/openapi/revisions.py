"""Paths and schemas for comparing and restoring revisions."""

from typing import Any

from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import (
    AUTHENTICATED_READ,
    AUTHENTICATED_WRITE,
    article,
    body,
    operation,
)
from quire.api.openapi.paths import list_rows
from quire.api.openapi.schemas import add_model, ref, singular_name
from quire.api.revisions import TO, RestoreRevision
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY

Schema = dict[str, Any]
_NUMBER: Schema = {"type": "integer", "minimum": 1}
_PART: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["op", "text"],
    "properties": {"op": {"enum": ["equal", "delete", "insert"]}, "text": {"type": "string"}},
}


def _field(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["field", *properties],
        "properties": {"field": {"type": "string"}, **properties},
    }


DIFFERENCE: Schema = {
    "type": "object",
    "description": "The differences between two revisions: texts word by word, other values as a whole.",
    "additionalProperties": False,
    "required": ["type", "record_id", "from", "to", "fields"],
    "properties": {
        "type": {"type": "string"},
        "record_id": _NUMBER,
        "from": _NUMBER,
        "to": _NUMBER,
        "fields": {
            "type": "array",
            "items": {
                "anyOf": [
                    _field(parts={"type": "array", "items": _PART}),
                    _field(before={}, after={}),
                ]
            },
        },
    },
}


def paths() -> Schema:
    """The paths of every type that has revisions."""
    paths: Schema = {}
    for record in REGISTRY.values():
        if record.is_versioned and record.history and record.access.update is not NOBODY:
            below = f"/{record.path}/{{id}}/revisions"
            start = f"{below}/{{version}}"
            place = [parameters.ref("id"), parameters.ref("version")]
            paths[below] = {"parameters": place[:1], "get": _revisions(record)}
            paths[start] = {"parameters": place, "get": _revision(record)}
            paths[f"{start}/diff"] = {"parameters": place, "get": _diff(record)}
            paths[f"{start}/restore"] = {"parameters": place, "post": _restore(record)}
    return paths


def _revisions(record: Record) -> Schema:
    revisions = REGISTRY["revisions"]
    return operation(
        f"list{singular_name(record)}Revisions", f"List the revisions of {article(record)}", record.label,
        AUTHENTICATED_READ,
        {**list_rows(revisions), "304": response_objects.not_modified(), **response_objects.errors(403, 404)},
        parameters=parameters.list_parameters(revisions), description="Oldest first, for those who may edit the record.",
    )  # fmt: skip


def _revision(record: Record) -> Schema:
    response = response_objects.json_response("The revision.", ref("Revision"), "ETag")
    return operation(
        f"get{singular_name(record)}Revision", f"Get {article(record)} as it was at a version", record.label,
        AUTHENTICATED_READ, {"200": response, "304": response_objects.not_modified(), **response_objects.errors(403, 404)},
        parameters=[parameters.ref("If-None-Match")],
        description="For those who may edit the record; `data` is its state at that version.",
    )  # fmt: skip


def _diff(record: Record) -> Schema:
    to = parameters.parameter("to", "The version to compare with; the current one by default.", TO)
    response = response_objects.json_response("The differences.", ref("RevisionDifference"), "ETag")
    return operation(
        f"compare{singular_name(record)}Revisions", f"Compare two revisions of {article(record)}",
        record.label, AUTHENTICATED_READ,
        {"200": response, "304": response_objects.not_modified(), **response_objects.errors(403, 404)},
        parameters=[parameters.ref("If-None-Match"), to],
        description="Texts are compared word by word, other values as a whole.",
    )  # fmt: skip


def _restore(record: Record) -> Schema:
    done = response_objects.json_response(
        "The record after the change.", ref(singular_name(record)), "ETag"
    )
    return operation(
        f"restore{singular_name(record)}Revision", f"Restore a revision of {article(record)}",
        record.label, AUTHENTICATED_WRITE,
        {"200": done, **response_objects.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=[parameters.ref("If-Match")],
        requestBody=body(ref("RestoreRevision"), required=False),
        description="Sets the values of the revision in a new version. Does not publish or unpublish the record.",
    )  # fmt: skip


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add the schemas that these paths refer to."""
    add_model(RestoreRevision, schemas)
    schemas["RestoreRevision"].pop("required", None)
    schemas["RevisionDifference"] = DIFFERENCE
