"""Parameters: each filter with each of its operators, sort, fields, include, pages, conditions."""

from collections.abc import Iterator
from typing import Any

from quire.actor import ANONYMOUS
from quire.api.openapi_schemas import ADMIN
from quire.declare.fields import Field
from quire.declare.query import MAX_DEPTH, MAX_INCLUDES, MAX_PER_PAGE, MAX_SEARCH, MAX_VALUES
from quire.declare.record import REGISTRY, Record
from quire.declare.values import INT64, MAX_ID
from quire.declare.vocabulary import filter_paths, operators_of, relations, sort_names, usable

Schema = dict[str, Any]
_TEXT = ("contains", "icontains", "startswith", "endswith")
ID: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_ID}

WORDS = {
    "eq": "is", "ne": "is not", "lt": "is less than", "lte": "is at most", "gt": "is more than",
    "gte": "is at least", "in": "is one of", "nin": "is none of", "contains": "contains",
    "icontains": "contains, in any case,", "startswith": "begins with", "endswith": "ends with",
    "isnull": "is empty (or not)",
}  # fmt: skip


def parameter(name: str, description: str, schema: Schema, **more: Any) -> Schema:
    """A query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema, **more}


def _list(name: str, description: str, items: Schema, most: int | None = None) -> Schema:
    limits = {} if most is None else {"maxItems": most}
    schema = {"type": "array", "items": items, **limits}
    return parameter(name, description, schema, style="form", explode=False)


SHARED: dict[str, Schema] = {
    "id": {"name": "id", "in": "path", "required": True, "schema": ID, "description": "Its id."},
    "version": {
        "name": "version", "in": "path", "required": True, "schema": ID,
        "description": "The version that the revision made.",
    },
    "slug": {
        "name": "slug", "in": "path", "required": True, "description": "Its slug, or an old one.",
        "schema": {"type": "string", "minLength": 1},
    },
    "page": parameter(
        "page", "The page, from 1; one past the end is empty.",
        {"type": "integer", "minimum": 1, "maximum": INT64 // 200, "default": 1},
    ),
    "per_page": parameter(
        "per_page", "Rows of a page.",
        {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE, "default": 20},
    ),
    "cursor": parameter(
        "cursor",
        "`next_cursor` or `prev_cursor` of an answer, with the same filters and sort; empty to "
        "begin. Not together with `page`.",
        {"type": "string"},
    ),
    "count": parameter(
        "count", "Whether `total` is wanted; `exact` is the default with pages, `none` with a cursor.",
        {"enum": ["exact", "none"]},
    ),
    "search": parameter(
        "search", "Full-text search, best first unless sorted.",
        {"type": "string", "maxLength": MAX_SEARCH},
    ),
    "q": parameter(
        "q", "The same as `search`; send one of them.",
        {"type": "string", "maxLength": MAX_SEARCH},
    ),
    "trashed": parameter("trashed", "What lies in the trash instead.", {"type": "boolean"}),
    "permanent": parameter(
        "permanent", "For good, not into the trash.", {"type": "boolean", "default": False}
    ),
    "If-Match": {
        "name": "If-Match", "in": "header",
        "description": "The ETag of any representation of the version to change, or `*`.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "name": "If-None-Match", "in": "header",
        "description": "ETags that the client has; 304 when one is current.",
        "schema": {"type": "string"},
    },
}  # fmt: skip


def ref(name: str) -> Schema:
    """A reference to a component parameter."""
    return {"$ref": f"#/components/parameters/{name}"}


def components() -> dict[str, Schema]:
    """Every parameter."""
    found = dict(SHARED)
    for record in REGISTRY.values():
        if not record.single:
            found |= {f"{record.path}.{one['name']}": one for one in _of_lists(record)}
        found |= {f"{record.path}.{one['name']}": one for one in _of_shape(record)}
    return found


def list_parameters(record: Record) -> list[Schema]:
    """What a list of `record` takes."""
    shared = ["page", "per_page", "cursor", "count", "search", "q", "If-None-Match"]
    if record.trashes:
        shared.insert(-1, "trashed")
    own = [*_of_lists(record), *_of_shape(record)]
    return [*map(ref, shared), *(ref(f"{record.path}.{one['name']}") for one in own)]


def item_parameters(record: Record) -> list[Schema]:
    """What reading one takes."""
    own = (ref(f"{record.path}.{one['name']}") for one in _of_shape(record))
    return [ref("If-None-Match"), *own]


def _of_lists(record: Record) -> Iterator[Schema]:
    names = sort_names(record, ADMIN)
    both = {"enum": [direction + name for name in names for direction in ("", "-")]}
    described = "Names to sort by, `-` for descending; the id breaks ties."
    yield _list("sort", described, both)
    public = filter_paths(record, ANONYMOUS)
    for path, field in filter_paths(record, ADMIN).items():
        for operator in operators_of(field):
            yield _filter(path, field, operator, path in public)


def _filter(path: str, field: Field, operator: str, public: bool) -> Schema:
    name = path if operator == "eq" else f"{path}__{operator}"
    described = f"{path} {WORDS[operator]} this." + ("" if public else " For administrators.")
    value = _value(field, operator)
    if operator in ("in", "nin"):
        listed = _list(name, described, value, MAX_VALUES)
        listed["schema"]["minItems"] = 1
        return listed
    return parameter(name, described, value)


def _value(field: Field, operator: str) -> Schema:
    if operator == "isnull":
        return {"type": "boolean"}
    if field.choices and operator not in _TEXT:
        return {"enum": list(field.choices)}
    return dict(field.kind.asked)


def _of_shape(record: Record) -> Iterator[Schema]:
    names = [*usable(record, ADMIN)]
    related = relations(record, ADMIN)
    for name, target in related.items():
        names += [name] if name not in names else []
        names += [f"{name}.{sub}" for sub in usable(target, ADMIN)]
    described = "The keys to answer with; `id` is always among them."
    yield _list("fields", described, {"enum": names})
    paths = list(include_paths(record))
    if paths:
        described = f"Relations to bring in full, down to {MAX_DEPTH} levels."
        yield _list("include", described, {"enum": paths}, MAX_INCLUDES)


def include_paths(record: Record, depth: int = 1) -> Iterator[str]:
    """Every path that `include` takes."""
    for name, target in relations(record, ADMIN).items():
        yield name
        if depth < MAX_DEPTH:
            yield from (f"{name}.{path}" for path in include_paths(target, depth + 1))
