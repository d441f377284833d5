"""Paths and schemas of revisions that are compared and restored."""

from typing import Any

from quire.api import openapi_answers as answers
from quire.api import openapi_parameters as parameters
from quire.api.history import TO, RestoreRevision
from quire.api.openapi_paths import SIGNED_READ, SIGNED_WRITE, article, body, operation
from quire.api.openapi_schemas import named, ref, word
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
    "description": "What differs between two revisions: texts word by word, other values whole.",
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
    """Those of every type that has revisions."""
    found: Schema = {}
    for record in REGISTRY.values():
        if record.versioned and record.history and record.access.update is not NOBODY:
            start = f"/{record.path}/{{id}}/revisions/{{version}}"
            place = [parameters.ref("id"), parameters.ref("version")]
            found[f"{start}/diff"] = {"parameters": place, "get": _diff(record)}
            found[f"{start}/restore"] = {"parameters": place, "post": _restore(record)}
    return found


def _diff(record: Record) -> Schema:
    to = parameters.parameter("to", "The version to compare with; the present one by default.", TO)
    found = answers.answer("What differs.", ref("RevisionDifference"), "ETag")
    return operation(
        f"compare{word(record)}Revisions", f"Compare two revisions of {article(record)}",
        record.label, SIGNED_READ,
        {"200": found, "304": answers.fresh(), **answers.errors(403, 404)},
        parameters=[parameters.ref("If-None-Match"), to],
    )  # fmt: skip


def _restore(record: Record) -> Schema:
    done = answers.answer("As it is now.", ref(word(record)), "ETag")
    return operation(
        f"restore{word(record)}Revision", f"Give {article(record)} the values of an old revision",
        record.label, SIGNED_WRITE,
        {"200": done, **answers.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=[parameters.ref("If-Match")],
        requestBody=body(ref("RestoreRevision"), required=False),
        description="A change like any other, with a new version. Whether it is public stays as it is.",
    )  # fmt: skip


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add what these paths refer to."""
    named(RestoreRevision, schemas)
    schemas["RestoreRevision"].pop("required", None)
    schemas["RevisionDifference"] = DIFFERENCE
