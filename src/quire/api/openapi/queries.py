"""Paths and schemas for querying, counting and exporting a list."""

from typing import Any

from quire.api.counts import GroupCounts
from quire.api.export import MIMETYPES
from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import body, plural
from quire.api.openapi.paths import list_rows, read_operation
from quire.api.openapi.schemas import ADMIN, add_model, ref, singular_name
from quire.declare.grouping import PERIODS, has_periods
from quire.declare.query import MAX_PER_PAGE, MAX_SEARCH
from quire.declare.query_body import MAX_COMPARISONS, MAX_DEPTH
from quire.declare.query_conditions import MAX_VALUES
from quire.declare.query_fields import MAX_INCLUDES, filter_paths, operators_of, sort_names
from quire.declare.record import REGISTRY, Record
from quire.store.group_counts import MAX_GROUPS
from quire.store.record_stream import MAX_ROWS, MAX_STREAMS

Schema = dict[str, Any]


def paths() -> Schema:
    """The paths of every type that has a list."""
    operations: Schema = {}
    for record in _types_with_lists():
        operations[f"/{record.path}/query"] = {"post": _query(record)}
        operations[f"/{record.path}/counts"] = {"get": _counts(record)}
        operations[f"/{record.path}/export"] = {"get": _export(record)}
    return operations


def add_schemas(schemas: Schema) -> None:
    """Add the schemas of their request bodies."""
    add_model(GroupCounts, schemas)
    for record in _types_with_lists():
        schemas[f"{singular_name(record)}Query"] = _query_schema(record)
        schemas[f"{singular_name(record)}Where"] = _where_schema(record)


def _types_with_lists() -> list[Record]:
    return [record for record in REGISTRY.values() if not record.singleton]


_QUERY = (
    "Lists records as GET does, with the parameters in the request body. `where` contains comparisons "
    "with the names of filters, and groups: `all` and `any` take lists, `not` takes an object; at most "
    f"{MAX_DEPTH} levels deep, with at most {MAX_COMPARISONS} comparisons. Changes nothing: no CSRF token "
    "is required, and API keys need the read scope. There are no `Link` headers."
)


def _query(record: Record) -> Schema:
    operation = read_operation(
        record, f"query{plural(record)}", f"Query {record.plural_noun}", list_rows(record),
        requestBody=body(ref(f"{singular_name(record)}Query")), description=_QUERY, errors=(413, 415),
    )  # fmt: skip
    operation["responses"].pop("304")
    return operation


_COUNTS = (
    f"The {MAX_GROUPS:,} largest groups, or the {MAX_GROUPS:,} latest periods. A record with several "
    "values, such as tags, is counted in several groups; a record without a value under the key null. "
    "`total` is the number of records."
)


def _counts(record: Record) -> Schema:
    response = response_objects.json_response("The groups.", ref("GroupCounts"), "ETag")
    by = parameters.parameter(
        "by", "The field to count by; `:year`, `:month` and `:day` group dates and times.",
        {"type": "string", "enum": _groupings(record)}, required=True,
    )  # fmt: skip
    return read_operation(
        record, f"count{plural(record)}", f"Count {record.plural_noun} by the values of a field",
        {"200": response}, parameters=[by, *parameters.filters(record)], description=_COUNTS,
    )  # fmt: skip


def _groupings(record: Record) -> list[str]:
    paths = filter_paths(record, ADMIN)
    moments = [name for name, field in paths.items() if has_periods(field)]
    return [*paths, *(f"{name}:{period}" for name in moments for period in PERIODS)]


_EXPORT = (
    f"At most {MAX_ROWS:,} rows, all as of the same moment; `X-Total-Count` is their number. One JSON "
    "object per line, or a table whose first row has the names of the columns. In the table, "
    "references are written as names, and text that a spreadsheet would read as a formula begins "
    f"with a quote. At most {MAX_STREAMS} exports run at the same time; others get 503 with `Retry-After`."
)


def _export(record: Record) -> Schema:
    schema = {
        "description": "The file.",
        "headers": response_objects.headers(
            "Content-Disposition", "X-Total-Count", "Cache-Control"
        ),
        "content": {mime: {"schema": {"type": "string"}} for mime in MIMETYPES.values()},
    }
    form = parameters.parameter(
        "format", "The format of the file, `ndjson` by default.",
        {"type": "string", "enum": list(MIMETYPES)},
    )  # fmt: skip
    own = parameters.names(record, "sort", "fields")
    export = read_operation(
        record, f"export{plural(record)}", f"Export {record.plural_noun}", {"200": schema},
        parameters=[form, *own, *parameters.filters(record)], description=_EXPORT,
    )  # fmt: skip
    export["responses"].pop("304")
    return export


def _query_schema(record: Record) -> Schema:
    """The request body: each key works like the query parameter of that name."""
    sorts = [mark + name for name in sort_names(record, ADMIN) for mark in ("", "-")]
    includes = list(parameters.include_paths(record))
    properties: Schema = {
        "where": ref(f"{singular_name(record)}Where"),
        "sort": _names(sorts),
        "search": {"type": "string", "maxLength": MAX_SEARCH},
        "fields": _names(list(parameters.field_paths(record))),
        "page": parameters.SHARED["page"]["schema"],
        "per_page": {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE},
        "cursor": {"type": "string"},
        "count": {"type": "string", "enum": ["exact", "none"]},
    }
    if includes:
        properties["include"] = _names(includes) | {"maxItems": MAX_INCLUDES}
    if record.has_trash:
        properties["trashed"] = {"type": "boolean"}
    described = f"Which {record.plural_noun} to return, and how."
    example = {"where": {"id__gte": 7}, "sort": ["-id"], "per_page": 50}
    return _object(properties, described) | {"examples": [example]}


def _names(names: list[str]) -> Schema:
    return {"type": "array", "items": {"type": "string", "enum": names}}


def _where_schema(record: Record) -> Schema:
    """Conditions that must all hold: comparisons and groups."""
    one = ref(f"{singular_name(record)}Where")
    several = {"type": "array", "minItems": 1, "items": one}
    properties: Schema = {"all": several, "any": several, "not": one}
    for path, field in filter_paths(record, ADMIN).items():
        for operator in operators_of(field):
            value = parameters.value_schema(field, operator)
            if operator in ("in", "nin"):
                value = {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": value}
            properties[parameters.filter_name(path, operator)] = value
    example = {"any": [{"id__lt": 100}, {"not": {"id__in": [101, 103]}}]}
    described = _object(properties, "Conditions that must all be met.")
    return described | {"minProperties": 1, "examples": [example]}


def _object(properties: Schema, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
    }
