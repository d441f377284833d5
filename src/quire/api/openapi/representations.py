"""Schemas of records in responses: full objects, the small objects of references, and lists."""

from typing import Any

from quire.api.openapi.examples import annotate
from quire.api.openapi.schemas import ADMIN, Schema, add_model, list_schema, ref, singular_name
from quire.declare.pydantic_models import output_model
from quire.declare.query_fields import Relation, relations
from quire.declare.record import REGISTRY, Record
from quire.store.includes import MAX_NESTED

_ON_REQUEST = "Returned only if `fields` names it."


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add the response schemas of every type."""
    for record in REGISTRY.values():
        name = singular_name(record)
        add_model(output_model(record, record.field_names), schemas, name)
        _describe(record, schemas[name])
        if not record.singleton:
            schemas[f"{name}List"] = list_schema(record.path, ref(name))


def _describe(record: Record, schema: Schema) -> None:
    schema["description"] = record.summary
    for name, one in schema["properties"].items():
        if record.field(name).on_request:
            one["description"] = _ON_REQUEST
    annotate(record, schema)
    usual = record.default_fields(schema.get("required", ()))
    schema["required"] = usual


def add_includes(schemas: dict[str, Schema]) -> None:
    """Add the relations that `include` returns, as optional properties.

    A reference is a small object or, with `include`, the full record. Call this after all schemas
    with references have been added.
    """
    for record in REGISTRY.values():
        schemas[singular_name(record)]["properties"] |= _include_properties(record)
    for record in REGISTRY.values():
        whole, small = schemas[singular_name(record)], f"{singular_name(record)}Reference"
        if small in schemas:
            described = f"The {record.noun} that is referred to; in full if `include` names it."
            required = list(record.reference_fields)
            schemas[small] = {**whole, "description": described, "required": required}


def _include_properties(record: Record) -> dict[str, Schema]:
    properties: dict[str, Schema] = {}
    for name, relation in relations(record, ADMIN).items():
        if relation.reverse:
            properties |= _reverse(name, relation)
    return properties


def _reverse(name: str, relation: Relation) -> dict[str, Schema]:
    whole: dict[str, Any] = ref(singular_name(relation.target))
    described = "Returned only if `include` names it."
    if not relation.many:
        return {name: {"anyOf": [whole, {"type": "null"}], "description": described}}
    total = f"The total number; `include` returns the first {MAX_NESTED}."
    return {
        name: {"type": "array", "items": whole, "description": described},
        f"{name}_total": {"type": "integer", "minimum": 0, "description": total},
    }
