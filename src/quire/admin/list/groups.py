"""Groups of filters in the URL of a list: `match=any`, and names with the number of a group in front.

`status=draft&1.author.username=ann&1.author.username=abe` finds drafts by ann or abe: all filters must match, and
in a group any. With `match=any` one filter is enough, and those in a group must all match. They become the same
conditions as groups in a query of the API.
"""

import re
from dataclasses import replace

from quire.actor import Actor
from quire.admin.list import presets
from quire.admin.urls import MATCH, Pairs
from quire.declare.fields import Field
from quire.declare.query import PARAMETERS, Query, parse_query
from quire.declare.query_body import MAX_COMPARISONS
from quire.declare.query_conditions import Condition, Group, comparisons
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record
from quire.errors import invalid_parameter
from quire.translations.messages import Message

MAX_GROUPS = 9
ALL, ANY = "all", "any"
_IN_GROUP = re.compile(r"([1-9])\.(.+)")
Part = Condition | Group


def has_tabs(field: Field) -> bool:
    """Whether the values of a field are tabs above the list rather than a filter."""
    return field.name == "status" and bool(field.choices)


def split_name(name: str) -> tuple[int, str]:
    """The number of the group that a parameter belongs to, 0 for none, and its name there."""
    match = _IN_GROUP.fullmatch(name)
    return (int(match[1]), match[2]) if match else (0, name)


def split_groups(pairs: Pairs) -> dict[int, Pairs]:
    """The parameters by the number of their group; 0 are those outside groups."""
    groups: dict[int, Pairs] = {0: []}
    for name, value in pairs:
        number, inner = split_name(name)
        groups.setdefault(number, []).append((inner, value))
    return dict(sorted(groups.items()))


def outer_kind(pairs: Pairs) -> str:
    """Whether all filters must match, or any. Raises BadRequest."""
    kind = dict(pairs).get(MATCH, ALL)
    if kind not in (ALL, ANY):
        raise invalid_parameter(MATCH, f"{MATCH} must be {ALL} or {ANY}.")
    return kind


def inner_kind(kind: str) -> str:
    """What applies within groups."""
    return ALL if kind == ANY else ANY


def parse_list_query(record: Record, actor: Actor, pairs: Pairs) -> Query:
    """The query that the parameters of a list ask for. Raises BadRequest."""
    kind = outer_kind(pairs)
    groups = split_groups([pair for pair in pairs if pair[0] != MATCH])
    plain = groups.pop(0)
    alone = [pair for pair in plain if kind == ALL or _always_holds(record, actor, pair[0])]
    query = parse_query(record, actor, presets.expand(alone))
    parts = [_part(record, actor, pair) for pair in plain if pair not in alone]
    inner = inner_kind(kind)
    parts += [
        _together(inner, tuple(_part(record, actor, pair) for pair in filters))
        for filters in groups.values()
    ]
    if kind == ANY and parts:
        parts = [_together(ANY, tuple(parts))]
    conditions = (*query.conditions, *parts)
    if len(list(comparisons(conditions))) > MAX_COMPARISONS:
        words = Message("A list can have at most %(limit)s filters.", limit=MAX_COMPARISONS)
        raise invalid_parameter("filter", words)
    return replace(query, conditions=conditions)


def _always_holds(record: Record, actor: Actor, name: str) -> bool:
    """Whether a parameter always applies: a tab, a default filter, the search."""
    field = filter_paths(record, actor).get(name.partition("__")[0])
    if field is None:
        return name in PARAMETERS
    return (has_tabs(field) and name == field.name) or bool(field.default_filter)


def _part(record: Record, actor: Actor, pair: tuple[str, str]) -> Part:
    """One filter; a span of time is two comparisons."""
    query = parse_query(record, actor, presets.expand([pair]), without=PARAMETERS)
    return _together(ALL, query.conditions)


def _together(kind: str, parts: tuple[Part, ...]) -> Part:
    return parts[0] if len(parts) == 1 else Group(kind, parts)
