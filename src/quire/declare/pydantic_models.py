"""Pydantic models generated from a declaration, for validation and the OpenAPI document."""

from functools import cache, lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, create_model
from pydantic import Field as PydanticField

from quire.declare.fields import Computed, Field
from quire.declare.record import Record, record_of
from quire.declare.rules import NOBODY

NEW, WHOLE, PART = "new", "whole", "part"
"""A new record; a replacement of one (PUT); a change of some fields (PATCH)."""

_STRICT = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=False)


def input_annotation(field: Field, free: bool = False) -> Any:
    """Return the annotation of an input value for `field`, including null if it may be empty."""
    accepts = field.kind.accepts
    if isinstance(field, Computed) and field.choice_words:
        accepts = Literal[field.choice_words]
    return accepts | None if field.nullable and (free or not field.required) else accepts


@lru_cache(500)
def input_model(
    record: Record, names: frozenset[str], form: str, free: bool = False
) -> type[BaseModel]:
    """Return a model of a body with the fields `names`; in a PART all may be omitted.

    With `free`, for the program itself, only what the table needs is required. A value that is not sent is not in
    `model_fields_set`.
    """
    fields: dict[str, Any] = {}
    for one in record.fields:
        if one.name in names:
            needed = is_required(one, free) and (form == NEW or one.readable)
            required = needed and form != PART
            fields[one.name] = (input_annotation(one, free), ... if required else None)
    return create_model(f"{record.model.__name__}Input", __config__=_STRICT, **fields)


def is_required(field: Field, free: bool = False) -> bool:
    """Whether a new record needs a value for `field`."""
    if field.required and not free:
        return True
    return field.on_create and not field.has_default and field.is_stored


def writable_fields(record: Record, *, new: bool) -> frozenset[str]:
    """Return the names that clients may set, on creation or later."""
    return frozenset(f.name for f in record.fields if (f.on_create if new else f.on_update))


@cache
def reference_model(table: str) -> type[BaseModel]:
    """Return a model of the small object by which other records show a record of `table`."""
    target = record_of(table)
    fields: dict[str, Any] = {
        name: (output_annotation(target.field(name)), ...) for name in target.reference_fields
    }
    return create_model(f"{target.model.__name__}Reference", **fields)


def output_annotation(field: Field) -> Any:
    """Return the annotation of `field` in output."""
    if field.target is not None:
        small = reference_model(field.target)
        if field.many is not None:
            return list[small]  # type: ignore[valid-type]
        return small | None if field.nullable else small
    kind_out = str if field.kind.is_text else _OUT.get(field.kind.name, field.kind.accepts)
    words = field.choices
    if words:
        kind_out = Literal[words]
    return kind_out | None if field.nullable and kind_out is not None else kind_out


def _text(schema: dict[str, Any]) -> Any:
    return Annotated[str, PydanticField(json_schema_extra=schema)]


_OUT: dict[str, Any] = {
    "time": _text({"format": "date-time"}),
    "day": _text({"format": "date"}),
    "decimal": str,
    "urls": list[str],
    "names": list[str],
    "scopes": list[str],
    "networks": list[str],
    "object": dict[str, Any],
    "nothing": None,
}


@lru_cache(500)
def output_model(record: Record, names: tuple[str, ...] | None = None) -> type[BaseModel]:
    """Return a model of a record in output with the fields `names`; None: the default ones.

    Fields that not everyone sees on every row may be missing.
    """
    fields: dict[str, Any] = {}
    for name in record.default_fields(record.field_names) if names is None else names:
        one = record.field(name)
        if one.readable and one.read_rule is not NOBODY:
            always = one.read_rule.needs == "nothing"
            fields[one.name] = (
                output_annotation(one),
                ... if always else PydanticField(default=None),
            )
    return create_model(record.model.__name__, __config__=ConfigDict(extra="forbid"), **fields)
