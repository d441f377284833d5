"""Paths and schemas of drafts beside what is live, and of preview links."""

from copy import deepcopy
from typing import Any

from quire.actor import SYSTEM
from quire.api import openapi_answers as answers
from quire.api import openapi_parameters as parameters
from quire.api.openapi_paths import SIGNED_READ, SIGNED_WRITE, article, body, operation
from quire.api.openapi_schemas import VERSION, named, ref, tidy, word
from quire.api.previewing import PreviewLink
from quire.declare.fields import Field
from quire.declare.parse import draftable
from quire.declare.record import REGISTRY, Record, record_of
from quire.declare.schema import output_model

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
    "version": {**_COUNT, "description": "Counts the changes of the draft itself."},
    "base_version": {
        **_COUNT,
        "description": "The version of the record that the draft was begun on.",
    },
    "live_version": {**_COUNT, "description": "The version of the record now."},
    "changed_fields": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The fields that the draft gives another value.",
    },
    "updated_by": {"anyOf": [_PERSON, {"type": "null"}]},
}


def _drafted() -> list[Record]:
    return [record for record in REGISTRY.values() if record.drafts]


def paths() -> Schema:
    """The paths of all types that have drafts."""
    found: Schema = {}
    for record in _drafted():
        start, id = f"/{record.path}/{{id}}", [parameters.ref("id")]
        found[f"{start}/draft"] = {
            "parameters": id,
            "get": _get(record),
            "put": _write(record, "replace", "Replace"),
            "patch": _write(record, "change", "Change"),
            "delete": _delete(record),
        }
        found[f"{start}/previews"] = {
            "parameters": id,
            "post": _preview(record),
            "delete": _end_previews(record),
        }
    return found


def _preview(record: Record) -> Schema:
    made = answers.answer("A link that ends by itself.", ref("PreviewLink"))
    return operation(
        f"preview{word(record)}", f"Make a link that shows {article(record)} as it will be",
        record.label, SIGNED_WRITE,
        {"201": made, **answers.errors(403, 404, 409, 413, 415, 422)},
        description="Whoever has the link sees the record, with its draft if it has one.",
    )  # fmt: skip


def _end_previews(record: Record) -> Schema:
    return operation(
        f"endPreviewsOf{word(record)}", f"End all preview links to {article(record)}",
        record.label, SIGNED_WRITE,
        {"204": answers.empty("Done."), **answers.errors(403, 404, 413, 415, 422)},
    )  # fmt: skip


def _get(record: Record) -> Schema:
    found = answers.answer("As it will be.", ref(f"{word(record)}Draft"), "ETag")
    return operation(
        f"get{word(record)}Draft", f"Get the draft of {article(record)}", record.label, SIGNED_READ,
        {"200": found, "304": answers.fresh(), **answers.errors(403, 404)},
        parameters=[parameters.ref("If-None-Match")],
        description="The record with the values of the draft laid over it.",
    )  # fmt: skip


_KEPT = (
    "Types are checked at once (422); what is empty, too long or not of the right form is kept, and "
    "judged when the draft is published. Without a draft one is begun (201); `version` and If-Match "
    "are those of the draft, and those of the record as long as there is none."
)


def _write(record: Record, verb: str, title: str) -> Schema:
    name = f"{word(record)}Draft"
    held, made = (
        answers.answer(said, ref(name), *headers)
        for said, headers in (("As it is now.", ("ETag",)), ("Begun.", ("ETag", "Location")))
    )
    return operation(
        f"{verb}{name}", f"{title} the draft of {article(record)}", record.label, SIGNED_WRITE,
        {"200": held, "201": made, **answers.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=[parameters.ref("If-Match")], description=_KEPT,
        requestBody=body(ref(f"{name}Change"), merge=verb == "change"),
    )  # fmt: skip


def _delete(record: Record) -> Schema:
    statuses = (403, 404, 412, 413, 415, 422, 428)
    return operation(
        f"delete{word(record)}Draft", f"Throw away the draft of {article(record)}", record.label,
        SIGNED_WRITE, {"204": answers.empty("Done."), **answers.errors(*statuses)},
        parameters=[parameters.ref("If-Match")], requestBody=body(ref("Version"), required=False),
    )  # fmt: skip


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add those of drafts, which are made of the records' own."""
    named(PreviewLink, schemas)
    for record in _drafted():
        name = word(record)
        named(output_model(record, record.names), schemas, f"{name}Draft")
        _add_draft(record, schemas[f"{name}Draft"])
        schemas[f"{name}DraftChange"] = _written_schema(record, schemas[f"{name}Change"])


def _add_draft(record: Record, schema: Schema) -> None:
    for name in draftable(record, SYSTEM) & schema["properties"].keys():
        if record.field(name).target is not None:
            schema["properties"][name] = _loose_reference(record.field(name))
    schema["properties"] |= _ABOUT
    schema["required"] = [*dict.fromkeys([*schema["required"], *_ABOUT])]
    schema["description"] = f"A {record.one.lower()} as it will be when its draft is published."


def _loose_reference(field: Field) -> Schema:
    """The small object of a reference, or the part that is known of what is not there (yet)."""
    small = record_of(field.target or "").small
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
    drafted = draftable(record, SYSTEM)
    schema["properties"] = {
        name: _loose(one) for name, one in schema["properties"].items() if name in drafted
    }
    schema["properties"] |= {"version": VERSION, "base_version": _ABOUT["base_version"]}
    schema["description"] = f"What changes in the draft of a {record.one.lower()}."
    return schema


def _loose(schema: Schema) -> Schema:
    """A text of any length and form."""
    kept = {name: one for name, one in schema.items() if name not in _LIMITS}
    if "anyOf" in kept and not any("items" in one or "properties" in one for one in kept["anyOf"]):
        kept["anyOf"] = [_loose(one) for one in kept["anyOf"]]
    found: Schema = tidy(kept)
    return found
