"""What a client may name in a query: fields to filter, sort and show, relations to include."""

from collections.abc import Iterable, Mapping
from functools import cache

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record, record_of

OPERATORS = (
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "nin",
    "contains", "icontains", "startswith", "endswith", "isnull",
)  # fmt: skip
_TEXT = frozenset({"contains", "icontains", "startswith", "endswith"})
_ORDER = frozenset({"lt", "lte", "gt", "gte"})
ALWAYS = ("id", "created_at")
"""What every type is filtered and sorted by, shown or not: both tell no more than the order."""


def usable(record: Record, actor: Actor) -> Mapping[str, Field]:
    """The fields that `actor` may read on every row: the only ones fit for queries."""
    return _usable(record, actor.typical)


@cache
def _usable(record: Record, actor: Actor) -> Mapping[str, Field]:
    return {f.name: f for f in record.fields if f.readable and f.to(actor) is True}


def filter_paths(record: Record, actor: Actor) -> Mapping[str, Field]:
    """Every path that may be filtered, with the field whose values it takes."""
    return _filter_paths(record, actor.typical)


@cache
def _filter_paths(record: Record, actor: Actor) -> Mapping[str, Field]:
    paths: dict[str, Field] = {}
    for name, one in _sought(record, actor).items():
        if one.filter or name in ALWAYS:
            paths[name] = one
        if isinstance(one.filter, tuple) and one.target:
            other = usable(record_of(one.target), actor)
            paths |= {f"{name}.{sub}": other[sub] for sub in one.filter if sub in other}
    return paths


def presets(record: Record, actor: Actor, given: Iterable[str]) -> list[tuple[str, str]]:
    """The filters that the panel adds to those on the paths `given`, as an address has them."""
    taken = set(given)
    paths = filter_paths(record, actor)
    return [(n, one.preset) for n, one in paths.items() if one.preset and n not in taken]


def sort_names(record: Record, actor: Actor) -> list[str]:
    """The names that a list may be sorted by."""
    known = _sought(record, actor)
    return [
        name
        for name, one in known.items()
        if one.target is None and (one.sort or one.filter or name in ALWAYS)
    ]


def _sought(record: Record, actor: Actor) -> dict[str, Field]:
    """The usable fields, and those that every type is filtered and sorted by."""
    always = {name: record.field(name) for name in ALWAYS if name in record.by_name}
    return {**usable(record, actor), **always}


def operators_of(one: Field) -> list[str]:
    """The operators that make sense for the values of a field."""
    unordered = one.kind.name in ("flag", "ref", "refs")
    return [
        word
        for word in OPERATORS
        if (word not in _TEXT or one.kind.text) and (word not in _ORDER or not unordered)
    ]


def relations(record: Record, actor: Actor) -> dict[str, Record]:
    """What `include` can bring: references, lists of them, and records nested below this type."""
    found = {n: record_of(f.target) for n, f in usable(record, actor).items() if f.target}
    for other in REGISTRY.values():
        for name in other.nested:
            if other.field(name).target == record.table.name:
                found.setdefault(other.path, other)
    return found
