"""A query as a JSON body: the names and rules of the query string, with groups of conditions."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import orjson

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.query import Query, build_query
from quire.declare.query_conditions import (
    Comparison,
    Condition,
    Group,
    parse_condition,
    parse_name,
)
from quire.declare.query_fields import filter_paths
from quire.declare.query_mistakes import read_all
from quire.declare.record import Record
from quire.errors import BadRequest, invalid_parameter, unknown_parameter

MAX_DEPTH, MAX_COMPARISONS = 5, 50
WHERE = "where"
LISTS = ("sort", "fields", "include")
GROUPS = ("all", "any", "not")
_TYPES: dict[str, type] = {"page": int, "per_page": int, "trashed": bool}
_NAMES = ("sort", "search", "fields", "include", "page", "per_page", "cursor", "count")
_WORDS = {int: "a whole number", bool: "true or false", str: "text"}
Conditions = tuple[Condition | Group, ...]


def parse_body(record: Record, actor: Actor, body: Mapping[str, Any]) -> Query:
    """Parse a query that is a JSON object. Raises BadRequest, naming everything that is wrong."""
    try:
        return _parse(record, actor, body)
    except BadRequest as problem:
        read_all((partial(_parse, record, actor, one) for one in _parts(body)), problem)
        raise


def _parts(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the query in parts, each with one of its keys or one condition."""
    for name, value in body.items():
        if name == WHERE:
            yield from ({WHERE: one} for one in _comparisons(value))
        elif name in LISTS and isinstance(value, list):
            yield from ({name: [one]} for one in value)
        else:
            yield {name: value}


def _comparisons(value: Any) -> Iterator[dict[str, Any]]:
    """Return the comparisons in what may be conditions, without their groups."""
    for name, part in value.items() if isinstance(value, dict) else ():
        if name not in GROUPS:
            yield {name: part}
            continue
        for one in part if isinstance(part, list) else [part]:
            yield from _comparisons(one)


def _parse(record: Record, actor: Actor, body: Mapping[str, Any]) -> Query:
    keys = query_names(record)
    for name in body:
        if name not in keys:
            raise unknown_parameter(name, "key of a query", keys)
    plain = {name: _plain_text(name, value) for name, value in body.items() if name != WHERE}
    where = _Where(filter_paths(record, actor))
    conditions = where.top(body[WHERE]) if WHERE in body else ()
    where_text = orjson.dumps(body.get(WHERE), option=orjson.OPT_SORT_KEYS).decode()
    return build_query(record, actor, conditions, plain, ((WHERE, where_text), *plain.items()))


def query_names(record: Record) -> tuple[str, ...]:
    """Return the keys of a query."""
    return (WHERE, *_NAMES, *(["trashed"] if record.has_trash else []))


def _plain_text(name: str, value: Any) -> str:
    """Return a parameter as in the query string."""
    if name in LISTS and isinstance(value, list):
        return ",".join(_scalar_text(name, one, str) for one in value)
    return _scalar_text(name, value, _TYPES.get(name, str))


def _scalar_text(name: str, value: Any, expected_type: type) -> str:
    if type(value) is not expected_type:
        raise invalid_parameter(name, f"{name} must be {_WORDS[expected_type]}.")
    return str(value).lower() if expected_type is bool else str(value)


class _Where:
    """Parses the conditions of one query, and counts them."""

    def __init__(self, paths: Mapping[str, Field]):
        self.paths = paths
        self.count = 0

    def top(self, value: Any) -> Conditions:
        """Parse `where`; the conditions of an `all` at the top are not grouped."""
        conditions: list[Condition | Group] = []
        for one in self.parse(value, 1):
            if isinstance(one, Group) and one.kind == "all":
                conditions += one.parts
            else:
                conditions.append(one)
        return tuple(conditions)

    def parse(self, value: Any, depth: int) -> Conditions:
        """Parse the conditions in an object, all of which must match."""
        if depth > MAX_DEPTH:
            raise invalid_parameter(WHERE, f"{WHERE} can be at most {MAX_DEPTH} objects deep.")
        if not isinstance(value, dict) or not value:
            raise invalid_parameter(
                WHERE, f"{WHERE} is made of objects with at least one condition each."
            )
        return tuple(self._entry(name, part, depth) for name, part in value.items())

    def _entry(self, name: str, value: Any, depth: int) -> Condition | Group:
        if name == "not":
            return Group(name, self.parse(value, depth + 1))
        if name in GROUPS:
            return Group(name, tuple(self._together(one, depth) for one in self._list(name, value)))
        self.count += 1
        if self.count > MAX_COMPARISONS:
            raise invalid_parameter(
                WHERE, f"{WHERE} can have at most {MAX_COMPARISONS} conditions."
            )
        comparison = parse_name(name, self.paths, GROUPS)
        return parse_condition(comparison, _value_texts(comparison, value), self.paths)

    def _list(self, name: str, value: Any) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise invalid_parameter(WHERE, f"{name} takes a list of at least one condition.")
        return value

    def _together(self, value: Any, depth: int) -> Condition | Group:
        conditions = self.parse(value, depth + 1)
        return conditions[0] if len(conditions) == 1 else Group("all", conditions)


def _value_type(comparison: Comparison) -> type:
    """Return the Python type of a comparison's JSON values."""
    if comparison.operator == "isnull":
        return bool
    json_type = comparison.field.kind.query_schema.get("type")
    return {"integer": int, "boolean": bool}.get(str(json_type), str)


def _value_texts(comparison: Comparison, value: Any) -> list[str]:
    """Return the values as in the query string."""
    name, value_type = comparison.name, _value_type(comparison)
    if comparison.takes_list:
        if not isinstance(value, list) or not value:
            raise invalid_parameter(name, f"{name} takes a list of at least one value.")
        return [_scalar_text(name, one, value_type) for one in value]
    if value is None:
        raise invalid_parameter(name, f"{name} cannot be null; ask for {comparison.path}__isnull.")
    return [_scalar_text(name, value, value_type)]
