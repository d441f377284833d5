"""Component schemas: the pydantic models that validate requests, as JSON Schema 2020-12."""

from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from quire.actor import Actor
from quire.api.openapi.examples import annotate, field_example
from quire.declare import fields
from quire.declare.action import Action
from quire.declare.pydantic_models import (
    NEW,
    PART,
    WHOLE,
    input_model,
    writable_fields,
)
from quire.declare.record import REGISTRY, Record, record_of
from quire.declare.rules import NOBODY
from quire.declare.value_kinds import EVENT_NAMES, MAX_ID, RECORD_TYPE, SCOPES
from quire.errors import DETAIL_CODES, ERROR_CODES
from quire.records.api_keys import known_scopes
from quire.records.saved_views import listed_types
from quire.records.webhooks import known_events
from quire.store.changes.preconditions import action_input_model

Schema = dict[str, Any]
START = "#/components/schemas/"
ADMIN = Actor("admin", 0)
"""Sees every field; the schemas do not differ by role."""

_CLOSED = ConfigDict(extra="forbid")
FORMS = {NEW: "New", WHOLE: "Replace", PART: "Change"}


class Detail(BaseModel):
    """One invalid field or parameter."""

    model_config = _CLOSED
    field: str
    code: Literal[*DETAIL_CODES]  # type: ignore[valid-type]
    message: str


class Error(BaseModel):
    """Why a request failed: `error` is the name of the status, `code` is meant for programs."""

    model_config = _CLOSED
    error: str
    code: Literal[*ERROR_CODES]  # type: ignore[valid-type]
    message: str = Field(description="An explanation for people.")
    details: list[Detail]
    request_id: str | None


class ProblemError(Error):
    """An error as RFC 9457 problem details, for `Accept: application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str


class StaleError(Error):
    """The record has changed since it was read."""

    current_version: int
    changed_fields: list[str] = Field(
        description="The fields that have changed since the given version."
    )


class StaleProblem(ProblemError, StaleError):
    """A stale version as RFC 9457 problem details."""


class Moved(BaseModel):
    """The new URL of a record whose slug has changed."""

    model_config = _CLOSED
    location: str


class SearchResult(BaseModel):
    """A search result; `snippet` is HTML with no elements except `mark`."""

    model_config = _CLOSED
    type: str
    id: int
    title: str
    snippet: str
    url: str


class Envelope(BaseModel):
    """A page of a list. With a cursor, `page` and `pages` are null.

    `total_is_minimum` is present, and true, if a search matched too many records to count.
    """

    model_config = _CLOSED
    total: int | None = Field(examples=[1])
    page: int | None
    per_page: int = Field(examples=[20])
    pages: int | None
    has_next: bool = Field(examples=[False])
    has_prev: bool = Field(examples=[False])
    next_cursor: str | None = Field(examples=[None])
    prev_cursor: str | None = Field(examples=[None])
    total_is_minimum: bool = False


def ref(name: str) -> Schema:
    """A reference to a component schema."""
    return {"$ref": START + name}


def list_schema(key: str, item: Schema) -> Schema:
    """The schema of a list with its rows under `key`."""
    schema = strip_titles_and_defaults(Envelope.model_json_schema())
    # the rows of the type "pages" take the key of the number of pages
    schema["properties"] = {**schema["properties"], key: {"type": "array", "items": item}}
    schema["required"] = list(dict.fromkeys([key, *schema["required"]]))
    return schema


def add_model(model: type[BaseModel], schemas: dict[str, Schema], name: str | None = None) -> None:
    """Add a model, and those it refers to, to the component schemas."""
    schema = model.model_json_schema(ref_template=START + "{model}")
    for other, inner in schema.pop("$defs", {}).items():
        schemas[other] = strip_titles_and_defaults(inner)
    schemas[name or model.__name__] = strip_titles_and_defaults(schema)


def strip_titles_and_defaults(schema: Any) -> Any:
    """Remove titles, which only repeat names, and defaults, which stand for "not sent"."""
    if isinstance(schema, list):
        return [strip_titles_and_defaults(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {k: v for k, v in schema.items() if k not in ("title", "default") or isinstance(v, dict)}
    if "properties" in rest:
        rest["properties"] = {
            name: strip_titles_and_defaults(one) for name, one in rest["properties"].items()
        }
    return {k: v if k == "properties" else strip_titles_and_defaults(v) for k, v in rest.items()}


def singular_name(record: Record) -> str:
    """The name of the type, as used in the names of components."""
    return str(record.model.__name__)


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add the schemas of errors, those shared by several types, and the request schemas of every type."""
    for model in (Error, ProblemError, StaleError, StaleProblem, Moved, SearchResult):
        add_model(model, schemas)
    schemas["SearchResultList"] = list_schema("results", ref("SearchResult"))
    schemas["Version"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"version": VERSION},
    }
    for record in REGISTRY.values():
        schemas[f"{singular_name(record)}Identifier"] = identifier(record)
        _write_schemas(record, schemas)
        for action in record.actions:
            add_model(action_input_model(record, action), schemas, action_name(record, action))
            _add_version(record, schemas[action_name(record, action)])


def created_name(record: Record) -> str:
    """The name of the schema of a record that has just been created."""
    return singular_name(record) + ("Created" if record.shown_once_fields else "")


def add_created(schemas: dict[str, Schema]) -> None:
    """Add the schemas of records with fields that are shown only once, on creation."""
    for record in REGISTRY.values():
        if record.shown_once_fields:
            schema = deepcopy(schemas[singular_name(record)])
            for field in record.shown_once_fields:
                schema["properties"][field.name] = {"type": "string", "description": field.help}
                schema["required"].append(field.name)
            schemas[created_name(record)] = schema


def _write_schemas(record: Record, schemas: dict[str, Schema]) -> None:
    for form, suffix in FORMS.items():
        names = writable_fields(record, new=form == NEW)
        rule = record.access.create if form == NEW else record.access.update
        if rule is NOBODY or (form == WHOLE and record.singleton):
            continue
        name = singular_name(record) + suffix
        add_model(input_model(record, names, form), schemas, name)
        _refine(record, schemas[name], form)
        schemas[name]["description"] = _DESCRIPTIONS[form]
        if form == NEW:
            _nested_schemas(record, schemas)


def _nested_schemas(record: Record, schemas: dict[str, Schema]) -> None:
    for reference_name in record.nested_under:
        parent = record_of(record.field(reference_name).target or "")
        schema = deepcopy(schemas[f"{singular_name(record)}New"])
        del schema["properties"][reference_name]
        schema["required"] = [n for n in schema["required"] if n != reference_name]
        schemas[f"{singular_name(parent)}{singular_name(record)}New"] = schema


_WORDS: Schema = {
    SCOPES.name: known_scopes,
    EVENT_NAMES.name: known_events,
    RECORD_TYPE.name: listed_types,
}
"""The allowed values of kinds whose values depend on the record types."""
_DESCRIPTIONS = {
    NEW: "The fields of the new record.",
    WHOLE: "All fields. Those that are left out are reset to their defaults.",
    PART: "The fields to change.",
}


_ON_REQUEST = "Returned only if `fields` names it; not changed by a PUT that leaves it out."


def _refine(record: Record, schema: Schema, form: str) -> None:
    for name in schema.get("properties", {}):
        field = record.field(name)
        if field.target is not None:
            schema["properties"][name] = reference(field)
        if (words := _WORDS.get(field.kind.name)) is not None:
            _restrict(schema["properties"][name], words())
        if described := f"{field.help} {_ON_REQUEST if field.on_request else ''}".strip():
            schema["properties"][name]["description"] = described
    annotate(record, schema)
    if form != NEW:
        _add_version(record, schema)


def _restrict(schema: Schema, words: list[str]) -> None:
    """Restrict a text, or each text of a list, to `words`."""
    if schema.get("type") == "array":
        schema["items"] = {"type": "string", "enum": words}
    else:
        schema["enum"] = words


VERSION = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_ID,
    "description": "The version that the change is based on. Returns 412 if it is not the current one.",
}


def _add_version(record: Record, schema: Schema) -> None:
    if record.is_versioned:
        schema.setdefault("properties", {})["version"] = VERSION


_NAMES = "The {}, the id, or the object as it was returned."


def identifier(record: Record) -> Schema:
    """What identifies a record in a request: a natural key, an id, or the object as it was returned."""
    id = {"type": "integer", "minimum": 1, "maximum": MAX_ID, "examples": [7]}
    schema: Schema = {"id": id}
    forms: list[Schema] = [id]
    if record.key != "id":
        key: Schema = {"type": "string", "minLength": 1, "description": f"The {record.key}."}
        key["examples"] = [field_example(record.field(record.key))]
        schema[record.key] = key
        forms.insert(0, key)
    objects = [{"type": "object", "required": [n], "properties": schema} for n in schema]
    return {"description": _NAMES.format(record.key), "anyOf": [*forms, *objects]}


def reference(field: fields.Field) -> Schema:
    """A reference in a request."""
    one = ref(f"{singular_name(record_of(field.target or ''))}Identifier")
    if field.many is not None:
        return {"type": "array", "maxItems": field.many.max_items, "items": one}
    return {"anyOf": [one, {"type": "null"}]} if field.nullable else one


def action_name(record: Record, action: Action) -> str:
    """The name of the schema of an action's inputs."""
    return singular_name(record) + action.name.title().replace("_", "") + "Input"
