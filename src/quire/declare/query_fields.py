"""What clients may name in a query: fields to filter, sort and show, relations to include, as dotted paths."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from quire.actor import NO_SCOPES, Actor
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record, record_of
from quire.errors import invalid_parameter, unknown_parameter

OPERATORS = (
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "nin",
    "contains", "icontains", "startswith", "endswith", "isnull",
)  # fmt: skip
TEXT_OPERATORS = frozenset({"contains", "icontains", "startswith", "endswith"})
_ORDER = frozenset({"lt", "lte", "gt", "gte"})
MAX_DEPTH, MAX_INCLUDES = 3, 8
ALWAYS = ("id", "created_at")
"""Fields by which every type can be filtered and sorted, even if hidden: they reveal no more than the order does."""
ALWAYS_IF_VISIBLE = "updated_at"
"""Fields by which every type can be filtered and sorted if they are visible."""

Paths = tuple[str, ...]


def queryable_fields(record: Record, actor: Actor) -> Mapping[str, Field]:
    """Return the fields that `actor` may read on every row, as only these are allowed in queries."""
    return _queryable_fields(record, actor.cache_key_actor_for(NO_SCOPES))


@lru_cache(1000)
def _queryable_fields(record: Record, actor: Actor) -> Mapping[str, Field]:
    return {f.name: f for f in record.fields if f.readable and f.read_rule(actor) is True}


def filter_paths(record: Record, actor: Actor) -> Mapping[str, Field]:
    """Return every path that can be filtered, with the field whose values it takes."""
    return _filter_paths(record, actor.cache_key_actor_for(NO_SCOPES))


@lru_cache(1000)
def _filter_paths(record: Record, actor: Actor) -> Mapping[str, Field]:
    paths: dict[str, Field] = {}
    for name, one in _filter_fields(record, actor).items():
        if one.filter or name in (*ALWAYS, ALWAYS_IF_VISIBLE):
            paths[name] = one
        if isinstance(one.filter, tuple) and one.target:
            other = queryable_fields(record_of(one.target), actor)
            paths |= {f"{name}.{sub}": other[sub] for sub in one.filter if sub in other}
    return paths


def default_filters(
    record: Record, actor: Actor, active_paths: Iterable[str]
) -> list[tuple[str, str]]:
    """Return the panel's default filters as query parameters, except those on `active_paths`."""
    active = set(active_paths)
    paths = filter_paths(record, actor)
    return [
        (n, one.default_filter)
        for n, one in paths.items()
        if one.default_filter and n not in active
    ]


def sort_names(record: Record, actor: Actor) -> list[str]:
    """Return the names that a list can be sorted by."""
    fields = _filter_fields(record, actor)
    return [
        name
        for name, one in fields.items()
        if one.target is None and (one.sort or one.filter or name in (*ALWAYS, ALWAYS_IF_VISIBLE))
    ]


def _filter_fields(record: Record, actor: Actor) -> dict[str, Field]:
    """Return the queryable fields, and those that can be filtered and sorted in every type."""
    always = {name: record.field(name) for name in ALWAYS if name in record.fields_by_name}
    return {**queryable_fields(record, actor), **always}


def operators_of(one: Field) -> list[str]:
    """Return the operators that make sense for a field's values."""
    unordered = one.kind.name in ("flag", "ref", "refs")
    return [
        word
        for word in OPERATORS
        if (word not in TEXT_OPERATORS or one.kind.is_text)
        and (word not in _ORDER or not unordered)
    ]


@dataclass(frozen=True)
class Relation:
    """A relation from one record type to another, as `include` names it.

    `field` is the reference, of this type or, with `reverse`, of the `target`; `many` if several records may be at
    its other end.
    """

    target: Record
    field: Field
    reverse: bool = False
    many: bool = False

    def is_cycle(self, visited: Sequence[Record]) -> bool:
        """Whether it returns to a type that a path has left; `visited` are its types so far.

        A type may refer to itself: the parent of a comment is another comment.
        """
        return self.target is not visited[-1] and self.target in visited


def relations(record: Record, actor: Actor) -> dict[str, Relation]:
    """Return what `include` can add: references, lists of them, and records that refer to this type.

    The latter are lists of nested records, and single ones whose reference to this type is unique.
    """
    by_name = {
        name: Relation(record_of(one.target), one, many=one.many is not None)
        for name, one in queryable_fields(record, actor).items()
        if one.target
    }
    for other in REGISTRY.values():
        for name in other.nested_under:
            if other.field(name).target == record.table.name:
                by_name.setdefault(other.path, Relation(other, other.field(name), True, True))
        for one in other.fields:
            if one.target == record.table.name and one.is_stored and one.column.unique:
                name = other.singular.lower().replace(" ", "_")
                by_name.setdefault(name, Relation(other, one, reverse=True))
    return by_name


def included_paths(record: Record, actor: Actor, requested_paths: list[str]) -> Paths:
    """Return the relations in `requested_paths`, each after those it depends on. Raises BadRequest."""
    if len(requested_paths) > MAX_INCLUDES:
        raise invalid_parameter("include", f"include takes at most {MAX_INCLUDES} relations.")
    paths = (_prefixes(_relation_path(record, actor, path)) for path in requested_paths)
    return tuple(dict.fromkeys(path for some in paths for path in some))


def _prefixes(parts: list[str]) -> list[str]:
    return [".".join(parts[: depth + 1]) for depth in range(len(parts))]


def _relation_path(record: Record, actor: Actor, path: str) -> list[str]:
    parts = path.split(".")
    if len(parts) > MAX_DEPTH:
        raise invalid_parameter("include", f"include can be at most {MAX_DEPTH} levels deep.")
    visited = [record]
    for depth, part in enumerate(parts):
        available = relations(visited[-1], actor)
        if part not in available:
            raise unknown_parameter(
                path, "relation to include", _dotted_paths(parts[:depth], available)
            )
        _follow(available[part], visited, "include", path)
    return parts


def _dotted_paths(parts: list[str], names: Iterable[str]) -> list[str]:
    """Return the paths of what is called `names` at `parts`."""
    return [".".join([*parts, name]) for name in dict.fromkeys(names)]


def _follow(relation: Relation, visited: list[Record], name: str, path: str) -> None:
    if relation.is_cycle(visited):
        raise invalid_parameter(name, f"{path} leads back to a type it has already passed.")
    visited.append(relation.target)


def shown_paths(
    record: Record, actor: Actor, field_names: list[str] | None, include: Paths
) -> tuple[Paths | None, Paths]:
    """Return the paths to show (None: the default ones), and the relations to load for them. Raises BadRequest.

    What `include` adds is shown too, in full unless parts of it are named.
    """
    if field_names is None:
        return None, ()
    names = dict.fromkeys(["id", *field_names])
    needed: dict[str, None] = {}
    for name in field_names:
        needed.update(dict.fromkeys(_relations_for_field(record, actor, name)))
    for path in include:
        whole = any(prefix in names for prefix in _prefixes(path.split(".")))
        if not whole and not any(name.startswith(f"{path}.") for name in names):
            names[path] = None
    return tuple(names), tuple(needed)


def _relations_for_field(record: Record, actor: Actor, name: str) -> list[str]:
    """Return the relations on the way to the field `name` that small objects do not show."""
    parts = name.split(".")
    if len(parts) > MAX_DEPTH:
        raise invalid_parameter("fields", f"fields can be at most {MAX_DEPTH} levels deep.")
    visited, needed = [record], 0
    for depth, part in enumerate(parts):
        here = visited[-1]
        fields, related = queryable_fields(here, actor), relations(here, actor)
        if part not in related and (part not in fields or depth < len(parts) - 1):
            raise unknown_parameter(
                name, "field", _dotted_paths(parts[:depth], [*fields, *related])
            )
        if depth and part not in here.reference_fields:
            needed = depth
        if part in related:
            needed = needed if part in fields else depth + 1
            _follow(related[part], visited, "fields", name)
    return _prefixes(parts)[:needed]
