"""Component schemas: the pydantic models that validate and describe, as JSON Schema 2020-12."""

from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from quire.actor import Actor
from quire.declare.fields import Field as Declared
from quire.declare.record import REGISTRY, Action, Record, record_of
from quire.declare.rules import NOBODY
from quire.declare.schema import NEW, PART, WHOLE, input_model, output_model, writable
from quire.declare.values import MAX_ID, SCOPES
from quire.declare.vocabulary import relations
from quire.errors import CODES, DETAIL_CODES
from quire.records.api_keys import all_scopes
from quire.store.inputs import input_of

Schema = dict[str, Any]
START = "#/components/schemas/"
ADMIN = Actor("admin", 0)
"""Who sees every name there is; what others may not use is not told apart."""

_CLOSED = ConfigDict(extra="forbid")
FORMS = {NEW: "New", WHOLE: "Whole", PART: "Change"}


class Detail(BaseModel):
    """One bad field or parameter."""

    model_config = _CLOSED
    field: str
    code: Literal[*DETAIL_CODES]  # type: ignore[valid-type]
    message: str


class Error(BaseModel):
    """Why a request failed: `error` is the status' name, `code` a word to switch on."""

    model_config = _CLOSED
    error: str
    code: Literal[*CODES]  # type: ignore[valid-type]
    message: str = Field(description="A sentence for a person.")
    details: list[Detail]
    request_id: str | None


class ProblemError(Error):
    """The same in the form of RFC 9457, for `Accept: application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str


class StaleError(Error):
    """The record has changed since it was read."""

    current_version: int
    changed_fields: list[str] = Field(description="What differs from the version named.")


class StaleProblem(ProblemError, StaleError):
    """The same in the form of RFC 9457."""


class Moved(BaseModel):
    """Where it stands now."""

    model_config = _CLOSED
    location: str


class SearchResult(BaseModel):
    """Something found: `snippet` is HTML with no element but `mark`."""

    model_config = _CLOSED
    type: str
    id: int
    title: str
    snippet: str
    url: str


class Envelope(BaseModel):
    """What a list carries beside its rows; with a cursor `page` and `pages` are null."""

    model_config = _CLOSED
    total: int | None
    page: int | None
    per_page: int
    pages: int | None
    has_next: bool
    has_prev: bool
    next_cursor: str | None
    prev_cursor: str | None


def ref(name: str) -> Schema:
    """A reference to a component schema."""
    return {"$ref": START + name}


def listing(key: str, item: Schema) -> Schema:
    """The envelope of a list whose rows stand under `key`."""
    schema = tidy(Envelope.model_json_schema())
    # of the type "pages" the rows stand where others have the number of pages
    schema["properties"] = {**schema["properties"], key: {"type": "array", "items": item}}
    schema["required"] = list(dict.fromkeys([key, *schema["required"]]))
    return schema


def named(model: type[BaseModel], schemas: dict[str, Schema], name: str | None = None) -> None:
    """Add a model, and those it refers to, to the component schemas."""
    schema = model.model_json_schema(ref_template=START + "{model}")
    for other, inner in schema.pop("$defs", {}).items():
        schemas[other] = tidy(inner)
    schemas[name or model.__name__] = tidy(schema)


def tidy(schema: Any) -> Any:
    """Without titles, which only repeat names, and defaults, which stand for "not sent"."""
    if isinstance(schema, list):
        return [tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if k not in ("title", "default") or isinstance(v, dict)}
    if "properties" in kept:
        kept["properties"] = {name: tidy(one) for name, one in kept["properties"].items()}
    return {k: v if k == "properties" else tidy(v) for k, v in kept.items()}


def word(record: Record) -> str:
    """The name of one record as it stands in component names."""
    return str(record.model.__name__)


def components() -> dict[str, Schema]:
    """Every component schema."""
    schemas: dict[str, Schema] = {}
    for model in (Error, ProblemError, StaleError, StaleProblem, Moved, SearchResult):
        named(model, schemas)
    schemas["SearchResultList"] = listing("results", ref("SearchResult"))
    for record in REGISTRY.values():
        _read(record, schemas)
        _written(record, schemas)
        for action in record.actions:
            named(input_of(record, action), schemas, action_name(record, action))
            _add_version(record, schemas[action_name(record, action)])
    schemas["Version"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"version": VERSION},
    }
    return schemas


def _read(record: Record, schemas: dict[str, Schema]) -> None:
    name = word(record)
    named(output_model(record), schemas, name)
    schemas[name]["description"] = record.summary
    named(output_model(record, record.names), schemas, f"{name}Selection")
    _select(record, schemas[f"{name}Selection"])
    if not record.single:
        schemas[f"{name}List"] = listing(record.path, ref(name))
        item = {"allOf": [ref(f"{name}Selection"), {"required": ["id"]}]}
        schemas[f"{name}SelectionList"] = listing(record.path, item)


def made_name(record: Record) -> str:
    """The name of the schema of a record that has just been made."""
    return word(record) + ("Made" if record.revealed else "")


def _made(record: Record, schemas: dict[str, Schema]) -> None:
    """A new record with what is shown this once."""
    schema = deepcopy(schemas[word(record)])
    for field in record.revealed:
        schema["properties"][field.name] = {"type": "string", "description": field.help}
        schema["required"].append(field.name)
    schemas[made_name(record)] = schema


def _select(record: Record, schema: Schema) -> None:
    """What `fields` leaves and `include` brings: any of the keys, references in full or in part."""
    schema.pop("required", None)
    schema["description"] = f"{record.one} with the keys that `fields` and `include` ask for."
    for name, target in relations(record, ADMIN).items():
        own = record.by_name.get(name)
        full = ref(f"{word(target)}Selection")
        if own is None or own.many is not None:
            schema["properties"][name] = {"type": "array", "items": full}
        else:
            nothing = [{"type": "null"}] if own.nullable else []
            schema["properties"][name] = {"anyOf": [full, *nothing]}


def _written(record: Record, schemas: dict[str, Schema]) -> None:
    for form, suffix in FORMS.items():
        names = writable(record, new=form == NEW)
        rule = record.access.create if form == NEW else record.access.update
        if rule is NOBODY or (form == WHOLE and record.single):
            continue
        name = word(record) + suffix
        named(input_model(record, names, form), schemas, name)
        _mend(record, schemas[name], form)
        schemas[name]["description"] = _DESCRIPTIONS[form].format(record.one.lower())
        if form == NEW:
            _below(record, schemas)
            _made(record, schemas)


def _below(record: Record, schemas: dict[str, Schema]) -> None:
    """A new record under the address of another: the address says which."""
    for reference_name in record.nested:
        parent = record_of(record.field(reference_name).target or "")
        schema = deepcopy(schemas[f"{word(record)}New"])
        del schema["properties"][reference_name]
        schema["required"] = [n for n in schema["required"] if n != reference_name]
        schemas[f"{word(parent)}{word(record)}New"] = schema


_DESCRIPTIONS = {
    NEW: "What a new {} is made of.",
    WHOLE: "All of a {}: what is not sent goes back to its default.",
    PART: "What changes in a {}.",
}


_SELDOM = "Answers hold it where `fields` names it; a PUT without it leaves it as it is."


def _mend(record: Record, schema: Schema, form: str) -> None:
    for name in schema.get("properties", {}):
        field = record.field(name)
        if field.target is not None:
            schema["properties"][name] = reference(field)
        if field.kind is SCOPES:
            schema["properties"][name]["items"] = {"type": "string", "enum": all_scopes()}
        described = f"{field.help} {_SELDOM if field.seldom else ''}".strip()
        if described:
            schema["properties"][name]["description"] = described
    if form != NEW:
        _add_version(record, schema)


VERSION = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_ID,
    "description": "The version that the change is based on; a stale one gives 412.",
}


def _add_version(record: Record, schema: Schema) -> None:
    if record.versioned:
        schema.setdefault("properties", {})["version"] = VERSION


def reference(field: Declared) -> Schema:
    """A reference as it is written: an id, a natural key, or the object as it was read."""
    target = record_of(field.target or "")
    id = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
    forms: list[Schema] = [id, {"type": "object", "required": ["id"], "properties": {"id": id}}]
    if target.key != "id":
        forms.insert(1, {"type": "string", "minLength": 1, "description": f"Its {target.key}."})
    if field.many is not None:
        return {"type": "array", "items": {"anyOf": forms}}
    return {"anyOf": [*forms, {"type": "null"}] if field.nullable else forms}


def action_name(record: Record, action: Action) -> str:
    """The name of the schema of an action's inputs."""
    return word(record) + action.label.title().replace(" ", "") + "Input"
