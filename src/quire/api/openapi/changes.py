"""The change feed in the document."""

from typing import Any

from quire.actor import ANONYMOUS
from quire.api.changes import DEFAULT_LIMIT, MAX_LIMIT, MAX_WAIT_SECONDS
from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import PUBLIC, operation
from quire.api.openapi.schemas import START, ref, singular_name
from quire.declare.record import REGISTRY, Record

Schema = dict[str, Any]
TAG = "Changes"
TAG_DESCRIPTION = "What has changed since, for apps and sites that keep copies."
EXAMPLE = {
    "changes": [
        {
            "type": "posts", "id": 7, "op": "delete", "version": 4,
            "changed_at": "2026-03-01T09:30:00Z", "record": None,
        }
    ],
    "next": "WyIzZjA5...", "more": False,
}  # fmt: skip


def schemas() -> Schema:
    """The schemas of a change and of a part of the feed."""
    entries = {one.path: f"{singular_name(one)}FeedEntry" for one in _types_with_changes()}
    part = {
        "changes": {"type": "array", "maxItems": MAX_LIMIT, "items": ref("Change")},
        "next": {"type": "string", "description": "The cursor for the next request."},
        "more": {"type": "boolean", "description": "Whether more changes are available now."},
    }
    change = {
        "oneOf": [ref(name) for name in entries.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {path: f"{START}{name}" for path, name in entries.items()},
        },
    }
    records = {entries[one.path]: _entry(one) for one in _types_with_changes()}
    return {**records, "Change": change, "ChangeList": _whole(part)}


def _entry(record: Record) -> Schema:
    change = {
        "type": {"type": "string", "const": record.path},
        "id": parameters.ID,
        "op": {
            "type": "string",
            "enum": ["upsert", "delete"],
            "description": "`delete`: the record is gone, or you can no longer see it.",
        },
        "version": {"type": ["integer", "null"]},
        "changed_at": {"type": ["string", "null"], "format": "date-time"},
        "record": {
            "anyOf": [ref(singular_name(record)), {"type": "null"}],
            "description": "The record as it is read by its id now; null for `delete`.",
        },
    }
    return _whole(change)


def _types_with_changes() -> list[Record]:
    return [one for one in REGISTRY.values() if one.is_versioned]


def _whole(properties: Schema) -> Schema:
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


def get_changes() -> Schema:
    """The operation that reads the feed."""
    part = response_objects.json_response("A part of the feed.", ref("ChangeList"))
    part["content"]["application/json"]["example"] = EXAMPLE
    return operation(
        "getChanges", "Get what has changed since a cursor", TAG, PUBLIC,
        {"200": part, **response_objects.errors(403, 410)},
        parameters=_parameters(),
        description="Changes are returned in commit order, each record once per response, as you can see it "
        "now. Without `since` the response is only a cursor for later changes; `start` begins with "
        "everything that is visible. The `X-Changes-Cursor` header of a list is such a cursor, too. "
        "410 `cursor_expired`: the cursor is too old, or was issued when you could see other records.",
    )  # fmt: skip


def _parameters() -> list[Schema]:
    types = [one.path for one in _types_with_changes() if one.allows(ANONYMOUS, "read") is not None]
    parameter = parameters.parameter
    return [
        parameter("since", "A cursor, or `start`.", {"type": "string", "maxLength": 1000}),
        parameters.array("types", "Only these types.", {"enum": types}),
        parameter("limit", f"The maximum number of changes, {DEFAULT_LIMIT} by default.",
              {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
        parameter("wait", "Seconds to wait for the next change when there is none; 0 by default.",
              {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS}),
    ]  # fmt: skip
