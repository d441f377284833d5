"""Parameters of operations: filters with their operators, sort, fields, include, paging, conditional headers."""

from collections.abc import Iterator
from typing import Any

from quire.actor import ANONYMOUS
from quire.api.idempotency import HEADER, MAX_LENGTH, PATTERN
from quire.api.openapi.schemas import ADMIN
from quire.declare.fields import Field
from quire.declare.query import MAX_PER_PAGE, MAX_SEARCH
from quire.declare.query_conditions import MAX_VALUES
from quire.declare.query_fields import (
    MAX_DEPTH,
    MAX_INCLUDES,
    filter_paths,
    operators_of,
    queryable_fields,
    relations,
    sort_names,
)
from quire.declare.record import REGISTRY, Record
from quire.declare.value_kinds import INT64, MAX_ID
from quire.store.search.search_index import MAX_HITS, MAX_RANKED

Schema = dict[str, Any]
_TEXT = ("contains", "icontains", "startswith", "endswith")
ID: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_ID}

WORDS = {
    "eq": "is", "ne": "is not", "lt": "is less than", "lte": "is at most", "gt": "is greater than",
    "gte": "is at least", "in": "is one of", "nin": "is none of", "contains": "contains",
    "icontains": "contains, ignoring case,", "startswith": "starts with", "endswith": "ends with",
    "isnull": "is null, or not, according to",
}  # fmt: skip
FILTER_VALUES = ("this value.", "these values.")
"""How the descriptions of filters end, for one value and for several."""


_SEVERAL = "Repeat the parameter for several values, or separate them by commas."


def parameter(name: str, description: str, schema: Schema, **more: Any) -> Schema:
    """A query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema, **more}


def array(name: str, description: str, items: Schema, limit: int | None = None) -> Schema:
    """A query parameter that takes several values: repeated, or separated by commas."""
    limits = {} if limit is None else {"maxItems": limit}
    schema = {"type": "array", "items": items, **limits}
    return parameter(name, f"{description} {_SEVERAL}", schema, style="form", explode=True)


SHARED: dict[str, Schema] = {
    "id": {"name": "id", "in": "path", "required": True, "schema": ID, "description": "The id of the record."},
    "version": {
        "name": "version", "in": "path", "required": True, "schema": ID,
        "description": "The version number of the revision.",
    },
    "slug": {
        "name": "slug", "in": "path", "required": True, "description": "The current slug of the record, or a former one.",
        "schema": {"type": "string", "minLength": 1},
    },
    "page": parameter(
        "page", "The page number, 1 by default. Pages past the last one are empty.",
        {"type": "integer", "minimum": 1, "maximum": INT64 // 200},
    ),
    "per_page": parameter(
        "per_page", "The number of records per page, 20 by default.",
        {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE},
    ),
    "cursor": parameter(
        "cursor",
        "`next_cursor` or `prev_cursor` from a response to the same filters and sort order; empty "
        "for the first page. Cannot be combined with `page`.",
        {"type": "string"},
    ),
    "count": parameter(
        "count", "Whether to count `total`; the default is `exact` with page numbers, `none` with a cursor.",
        {"enum": ["exact", "none"]},
    ),
    "search": parameter(
        "search",
        "Full-text search, best match first unless `sort` is given. All words must match; the last "
        f"one also matches as a prefix. At most the newest {MAX_HITS:,} matches are counted; if there "
        "are more, `total` is a minimum, `total_is_minimum` is true, a cursor returns the rest, "
        "matches come in the order of the list, and a last word that occurs so often matches only as a whole "
        f"word. If there are fewer, the newest {MAX_RANKED:,} matches are ranked; others follow "
        "in the order of the list.",
        {"type": "string", "maxLength": MAX_SEARCH},
    ),
    "q": parameter(
        "q", "An alias for `search`; send only one of the two.",
        {"type": "string", "maxLength": MAX_SEARCH},
    ),
    "trashed": parameter("trashed", "List the records in the trash instead.", {"type": "boolean"}),
    "permanent": parameter(
        "permanent", "Delete permanently instead of moving to the trash.", {"type": "boolean"}
    ),
    "If-Match": {
        "name": "If-Match", "in": "header",
        "description": "The ETag of the version to change, from any of its representations, or `*`.",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "name": "Prefer", "in": "header",
        "description": "With `return=minimal`, the answer is 204 with `ETag` and `Location` instead "
        "of the object (RFC 7240), unless it shows a secret.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": HEADER, "in": "header",
        "description": "A text of your own, such as a UUID. The same request, sent again with it within "
        "24 hours, has no second effect and gets the first answer, with `Idempotency-Replayed: true`. "
        "An answer that showed a secret is not given again: 409 `already_created`. A refused request "
        "leaves the key free.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": PATTERN},
    },
    "If-None-Match": {
        "name": "If-None-Match", "in": "header",
        "description": "ETags of the cached responses; returns 304 if one of them is current.",
        "schema": {"type": "string"},
    },
}  # fmt: skip


def ref(name: str) -> Schema:
    """A reference to a component parameter."""
    return {"$ref": f"#/components/parameters/{name}"}


def components() -> dict[str, Schema]:
    """Every parameter."""
    parameters = dict(SHARED)
    for record in REGISTRY.values():
        if not record.singleton:
            parameters |= {
                f"{record.path}.{one['name']}": one for one in _list_query_parameters(record)
            }
        parameters |= {f"{record.path}.{one['name']}": one for one in _shape_parameters(record)}
    return parameters


def list_parameters(record: Record) -> list[Schema]:
    """The parameters of a list of `record`."""
    shared = ["page", "per_page", "cursor", "count", "search", "q", "If-None-Match"]
    if record.has_trash:
        shared.insert(-1, "trashed")
    own = [*_list_query_parameters(record), *_shape_parameters(record)]
    return [*map(ref, shared), *(ref(f"{record.path}.{one['name']}") for one in own)]


def names(record: Record, *parameter_names: str) -> list[Schema]:
    """Parameters specific to this type, such as `sort`."""
    return [ref(f"{record.path}.{name}") for name in parameter_names]


def filters(record: Record) -> list[Schema]:
    """The filters of a list, with `trashed` for types that have a trash."""
    names = (
        filter_name(path, operator)
        for path, field in filter_paths(record, ADMIN).items()
        for operator in operators_of(field)
    )
    trash = [ref("trashed")] if record.has_trash else []
    return [*(ref(f"{record.path}.{name}") for name in names), *trash]


def item_parameters(record: Record) -> list[Schema]:
    """The parameters for reading one record."""
    own = (ref(f"{record.path}.{one['name']}") for one in _shape_parameters(record))
    return [ref("If-None-Match"), *own]


def _list_query_parameters(record: Record) -> Iterator[Schema]:
    names = sort_names(record, ADMIN)
    both = {"enum": [direction + name for name in names for direction in ("", "-")]}
    described = "The fields to sort by, with `-` for descending order. Ties are sorted by id."
    yield array("sort", described, both)
    public = filter_paths(record, ANONYMOUS)
    for path, field in filter_paths(record, ADMIN).items():
        for operator in operators_of(field):
            yield _filter(path, field, operator, path in public)


def _filter(path: str, field: Field, operator: str, public: bool) -> Schema:
    name = filter_name(path, operator)
    ending = FILTER_VALUES[operator in ("in", "nin")]
    described = f"`{path}` {WORDS[operator]} {ending}" + ("" if public else " Administrators only.")
    value = value_schema(field, operator)
    schema = {} if field.deprecated is None else {"deprecated": True}
    if operator in ("in", "nin"):
        listed = array(name, described, value, MAX_VALUES)
        listed["schema"]["minItems"] = 1
        return listed | schema
    return parameter(name, described, value, **schema)


def filter_name(path: str, operator: str) -> str:
    """The name of a filter: `title` for `eq`, `title__in` for `in`."""
    return path if operator == "eq" else f"{path}__{operator}"


def value_schema(field: Field, operator: str) -> Schema:
    """The schema of one value that a filter compares with."""
    if operator == "isnull":
        return {"type": "boolean"}
    if field.choices and operator not in _TEXT:
        return {"enum": list(field.choices)}
    return dict(field.kind.query_schema)


def _shape_parameters(record: Record) -> Iterator[Schema]:
    described = (
        "The fields to return; for related records with dots, such as `author.username`, up to "
        f"{MAX_DEPTH} levels deep. `id` and the relations in `include` are always returned."
    )
    yield array("fields", described, {"enum": list(field_paths(record))})
    paths = list(include_paths(record))
    if paths:
        described = f"Related records to return in full, up to {MAX_DEPTH} levels deep."
        yield array("include", described, {"enum": paths}, MAX_INCLUDES)


def _next_relations(record: Record, way: tuple[Record, ...]) -> dict[str, Record]:
    """The relations that may extend a path that has passed through the types in `way`."""
    return {
        name: relation.target
        for name, relation in relations(record, ADMIN).items()
        if not relation.is_cycle((*way, record))
    }


def field_paths(record: Record, way: tuple[Record, ...] = ()) -> Iterator[str]:
    """Every path that `fields` accepts."""
    related, onward = relations(record, ADMIN), _next_relations(record, way)
    yield from dict.fromkeys(
        [*(n for n in queryable_fields(record, ADMIN) if n in onward or n not in related), *onward]
    )
    if len(way) + 1 < MAX_DEPTH:
        for name, target in onward.items():
            yield from (f"{name}.{path}" for path in field_paths(target, (*way, record)))


def include_paths(record: Record, way: tuple[Record, ...] = ()) -> Iterator[str]:
    """Every path that `include` accepts."""
    for name, target in _next_relations(record, way).items():
        yield name
        if len(way) + 1 < MAX_DEPTH:
            yield from (f"{name}.{path}" for path in include_paths(target, (*way, record)))
