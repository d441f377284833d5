"""Paths and schemas of drafts of published records, and of preview links."""

from copy import deepcopy
from typing import Any

from quire.actor import SYSTEM
from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import (
    AUTHENTICATED_READ,
    AUTHENTICATED_WRITE,
    article,
    body,
    operation,
)
from quire.api.openapi.schemas import (
    VERSION,
    add_model,
    ref,
    singular_name,
    strip_titles_and_defaults,
)
from quire.api.preview_links import PreviewLink
from quire.declare.fields import Field
from quire.declare.input_validation import draftable_fields
from quire.declare.pydantic_models import output_model
from quire.declare.record import REGISTRY, Record, record_of

Schema = dict[str, Any]
_COUNT: Schema = {"type": "integer", "minimum": 1}
_LIMITS = ("minLength", "maxLength", "pattern")
_PERSON: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "username"],
    "properties": {"id": {"type": "integer"}, "username": {"type": "string"}},
}
_ABOUT: Schema = {
    "version": {**_COUNT, "description": "The version of the draft itself."},
    "base_version": {
        **_COUNT,
        "description": "The version of the record that the draft is based on.",
    },
    "live_version": {**_COUNT, "description": "The current version of the record."},
    "changed_fields": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The fields that differ between the draft and the record.",
    },
    "updated_by": {"anyOf": [_PERSON, {"type": "null"}]},
}


def _records_with_drafts() -> list[Record]:
    return [record for record in REGISTRY.values() if record.drafts]


def paths() -> Schema:
    """The paths of all types that have drafts."""
    paths: Schema = {}
    for record in _records_with_drafts():
        start, id = f"/{record.path}/{{id}}", [parameters.ref("id")]
        paths[f"{start}/draft"] = {
            "parameters": id,
            "get": _get(record),
            "put": _write(record, "replace", "Replace"),
            "patch": _write(record, "change", "Change"),
            "delete": _delete(record),
        }
        paths[f"{start}/previews"] = {
            "parameters": id,
            "post": _preview(record),
            "delete": _end_previews(record),
        }
    return paths


def _preview(record: Record) -> Schema:
    created = response_objects.json_response("A preview link that expires.", ref("PreviewLink"))
    return operation(
        f"preview{singular_name(record)}", f"Create a preview link for {article(record)}",
        record.label, AUTHENTICATED_WRITE,
        {"201": created, **response_objects.errors(403, 404, 409, 413, 415, 422)},
        description="Anyone with the link can see the record, including the changes in its draft.",
    )  # fmt: skip


def _end_previews(record: Record) -> Schema:
    return operation(
        f"endPreviewsOf{singular_name(record)}", f"Revoke all preview links for {article(record)}",
        record.label, AUTHENTICATED_WRITE,
        {"204": response_objects.no_content("The preview links have been revoked."), **response_objects.errors(403, 404, 413, 415, 422)},
        description="Links that were sent to others stop working immediately.",
    )  # fmt: skip


def _get(record: Record) -> Schema:
    response = response_objects.json_response(
        "The record with the changes in its draft.", ref(f"{singular_name(record)}Draft"), "ETag"
    )
    return operation(
        f"get{singular_name(record)}Draft", f"Get the draft of {article(record)}", record.label, AUTHENTICATED_READ,
        {"200": response, "304": response_objects.not_modified(), **response_objects.errors(403, 404)},
        parameters=[parameters.ref("If-None-Match")],
        description="Returns the record with the values of the draft in place of the published ones.",
    )  # fmt: skip


_UNCHECKED_VALUES = (
    "Values of the wrong type are rejected (422). Empty, too long or malformed values are saved, and "
    "checked when the draft is published. If there is no draft, one is created (201). `version` and "
    "If-Match refer to the draft, or to the record while there is no draft."
)


def _write(record: Record, verb: str, title: str) -> Schema:
    name = f"{singular_name(record)}Draft"
    saved, created = (
        response_objects.json_response(description, ref(name), *headers)
        for description, headers in (
            ("The draft has been saved.", ("ETag",)),
            ("The draft has been created.", ("ETag", "Location")),
        )
    )
    return operation(
        f"{verb}{name}", f"{title} the draft of {article(record)}", record.label, AUTHENTICATED_WRITE,
        {"200": saved, "201": created, **response_objects.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=[parameters.ref("If-Match")], description=_UNCHECKED_VALUES,
        requestBody=body(ref(f"{name}Change"), merge=verb == "change"),
    )  # fmt: skip


def _delete(record: Record) -> Schema:
    statuses = (403, 404, 412, 413, 415, 422, 428)
    return operation(
        f"delete{singular_name(record)}Draft", f"Discard the draft of {article(record)}", record.label,
        AUTHENTICATED_WRITE, {"204": response_objects.no_content("The draft has been discarded."), **response_objects.errors(*statuses)},
        description="The record stays as it is. If-Match refers to the draft.",
        parameters=[parameters.ref("If-Match")], requestBody=body(ref("Version"), required=False),
    )  # fmt: skip


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add the schemas of drafts, derived from those of the records."""
    add_model(PreviewLink, schemas)
    for record in _records_with_drafts():
        name = singular_name(record)
        add_model(output_model(record, record.field_names), schemas, f"{name}Draft")
        _add_draft(record, schemas[f"{name}Draft"])
        schemas[f"{name}DraftChange"] = _written_schema(record, schemas[f"{name}Change"])


def _add_draft(record: Record, schema: Schema) -> None:
    for name in draftable_fields(record, SYSTEM) & schema["properties"].keys():
        if record.field(name).target is not None:
            schema["properties"][name] = _partial_reference(record.field(name))
    schema["properties"] |= _ABOUT
    schema["required"] = [*dict.fromkeys([*schema["required"], *_ABOUT])]
    schema["description"] = f"The {record.noun} as it will be when its draft is published."


def _partial_reference(field: Field) -> Schema:
    """The small object of a reference, or the known part of a record that does not exist (yet)."""
    small = record_of(field.target or "").reference_fields
    either: Schema = {"type": ["integer", "string", "null"]}
    one: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": list(small),
        "properties": dict.fromkeys(small, either),
    }
    if field.many is not None:
        return {"type": "array", "items": one}
    return {"anyOf": [one, {"type": "null"}]} if field.nullable else one


def _written_schema(record: Record, change: Schema) -> Schema:
    schema = deepcopy(change)
    drafted = draftable_fields(record, SYSTEM)
    schema["properties"] = {
        name: _without_limits(one) for name, one in schema["properties"].items() if name in drafted
    }
    schema["properties"] |= {"version": VERSION, "base_version": _ABOUT["base_version"]}
    schema["description"] = f"The fields to change in the draft of {article(record)}."
    return schema


def _without_limits(constrained: Schema) -> Schema:
    """The schema without limits on length and format."""
    unlimited = {name: one for name, one in constrained.items() if name not in _LIMITS}
    if "anyOf" in unlimited and not any(
        "items" in one or "properties" in one for one in unlimited["anyOf"]
    ):
        unlimited["anyOf"] = [_without_limits(one) for one in unlimited["anyOf"]]
    schema: Schema = strip_titles_and_defaults(unlimited)
    return schema
