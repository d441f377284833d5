"""Filter, sort, include, fields, search and page parameters, accepted only if declared."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.query_conditions import (
    Condition,
    Group,
    Shape,
    parse_condition,
    parse_flag,
    parse_name,
)
from quire.declare.query_fields import filter_paths, included_paths, shown_paths, sort_names
from quire.declare.query_mistakes import read_all
from quire.declare.record import Record
from quire.declare.unicode_text import normalize
from quire.declare.value_kinds import INT64, SPACES
from quire.errors import BadRequest, invalid_parameter, unknown_parameter

PARAMETERS = (
    "page",
    "per_page",
    "cursor",
    "count",
    "sort",
    "fields",
    "include",
    "search",
    "q",
    "trashed",
)
"""The parameters of a list besides filters."""
_LISTS = frozenset({"sort", "fields", "include"})
MAX_PER_PAGE = 100
MAX_CONDITIONS = 200
"""More than the filters of any type: each of them once is a query, thousands are an attack."""
MAX_SEARCH = 200


class QueryShape(NamedTuple):
    """What the SQL of a query depends on: everything except the values. `nested` names the reference to a parent."""

    conditions: tuple[Shape, ...]
    sort: tuple[str, ...]
    searching: bool
    fields: tuple[str, ...] | None
    trashed: bool
    nested: str | None
    panel: bool


@dataclass(frozen=True)
class Query:
    """What a client requests of a type.

    All `conditions` must match; `sort` contains names with `-` for descending, `fields` and `include` are paths,
    `page` counts from 1 (None in cursor mode), `count` is whether the total is wanted.
    """

    conditions: tuple[Condition | Group, ...] = ()
    sort: tuple[str, ...] = ()
    search: str | None = None
    fields: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()
    page: int | None = 1
    per_page: int = 20
    cursor: str | None = None
    count: bool = True
    trashed: bool = False
    nested: tuple[str, int] | None = None
    panel: bool = False
    parameters: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @cached_property
    def shape(self) -> QueryShape:
        """What the SQL depends on."""
        return QueryShape(
            conditions=tuple(one.shape for one in self.conditions),
            sort=self.sort,
            searching=self.search is not None,
            fields=self.fields,
            trashed=self.trashed,
            nested=self.nested[0] if self.nested else None,
            panel=self.panel,
        )


EVERYTHING = Query()
"""The query without any parameter."""


def parse_query(
    record: Record,
    actor: Actor,
    parameters: Iterable[tuple[str, str]],
    without: Container[str] = (),
) -> Query:
    """Parse the query in `parameters`. Raises BadRequest, naming everything that is wrong.

    Of PARAMETERS, those in `without` are unknown here.
    """
    pairs = tuple(parameters)
    if not pairs:  # as in most requests for one record: parsing would take a thirtieth of one
        return EVERYTHING
    try:
        return _parse(record, actor, pairs, without)
    except BadRequest as problem:
        alone = (partial(_parse, record, actor, (one,), without) for one in _parts(pairs))
        read_all(alone, problem)
        raise


def _parts(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Return the parameters, with one entry for each name that takes a list."""
    for name, text in pairs:
        for part in split_list(text) if name in _LISTS else [text]:
            yield name, part


def _parse(
    record: Record, actor: Actor, pairs: tuple[tuple[str, str], ...], without: Container[str]
) -> Query:
    names = [n for n in PARAMETERS if n not in without and (n != "trashed" or record.has_trash)]
    plain: dict[str, str] = {}
    filters: list[tuple[str, str]] = []
    for name, text in pairs:
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise invalid_parameter(
                name, f"{name} contains characters that cannot be searched for."
            )
        if name not in names:
            filters.append((name, text))
        elif name not in plain:
            plain[name] = text
        elif name in _LISTS:
            plain[name] += f",{text}"
        else:
            raise invalid_parameter(name, f"{name} was sent more than once.")
    paths = filter_paths(record, actor)
    conditions = [_condition(name, text, paths, names) for name, text in _merge_lists(filters)]
    if len(conditions) > MAX_CONDITIONS:
        raise invalid_parameter("filter", f"A query can have at most {MAX_CONDITIONS} filters.")
    return build_query(record, actor, tuple(conditions), plain, pairs)


def _merge_lists(filters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the filters, joining repeated ones that take lists."""
    united: dict[tuple[str, int], str] = {}
    for number, (name, text) in enumerate(filters):
        key = name, 0 if name.endswith(("__in", "__nin")) else number
        united[key] = f"{united[key]},{text}" if key in united else text
    return [(name, text) for (name, _), text in united.items()]


def split_list(text: str) -> list[str]:
    """Return the parts of a comma-separated parameter, without duplicates."""
    return list(dict.fromkeys(part for part in text.split(",") if part))


def build_query(
    record: Record,
    actor: Actor,
    conditions: tuple[Condition | Group, ...],
    plain: Mapping[str, str],
    parameters: tuple[tuple[str, str], ...],
) -> Query:
    """Return the query with these conditions and the parameters in `plain`; `parameters` are all as sent.

    Raises BadRequest.
    """
    cursor = plain.get("cursor")
    if cursor is not None and "page" in plain:
        raise invalid_parameter("cursor", "cursor and page cannot be used together.")
    include = included_paths(record, actor, split_list(plain.get("include", "")))
    field_names = split_list(plain["fields"]) if "fields" in plain else None
    fields, relations = shown_paths(record, actor, field_names, include)
    return Query(
        conditions=conditions,
        sort=_sort(record, actor, plain.get("sort", "")),
        search=_search(plain),
        fields=fields,
        include=tuple(dict.fromkeys((*include, *relations))),
        page=None
        if cursor is not None
        else parse_number("page", plain.get("page", "1"), 1, INT64 // 200),
        per_page=parse_number("per_page", plain.get("per_page", "20"), 1, MAX_PER_PAGE),
        cursor=cursor,
        count=_count(plain.get("count"), cursor),
        trashed="trashed" in plain and parse_flag("trashed", plain["trashed"]),
        parameters=parameters,
    )


def _condition(
    name: str, text: str, paths: Mapping[str, Field], others: Sequence[str]
) -> Condition:
    comparison = parse_name(name, paths, others)
    texts = text.split(",") if comparison.takes_list else [text]
    return parse_condition(comparison, texts, paths)


def _search(plain: Mapping[str, str]) -> str | None:
    if "search" in plain and "q" in plain:
        raise invalid_parameter("q", "search and q mean the same: send only one of them.")
    name = "q" if "q" in plain else "search"
    raw_text = plain.get(name, "").strip(SPACES)
    if not raw_text:
        return None
    text = normalize(raw_text)
    if len(text) > MAX_SEARCH:
        raise invalid_parameter(name, f"A search can have at most {MAX_SEARCH} characters.")
    return text or None


def _sort(record: Record, actor: Actor, text: str) -> tuple[str, ...]:
    names = split_list(text)
    if not names:
        return ()
    allowed_names = sort_names(record, actor)
    for name in names:
        if name.removeprefix("-") not in allowed_names:
            raise unknown_parameter(name.removeprefix("-"), "field to sort by", allowed_names)
    first = {name.removeprefix("-"): name for name in reversed(names)}
    return tuple(name for name in dict.fromkeys(names) if first[name.removeprefix("-")] == name)


def parse_number(name: str, text: str, minimum: int, maximum: int) -> int:
    """Parse a parameter that is a whole number within bounds. Raises BadRequest."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else minimum - 1
    if not minimum <= value <= maximum:
        raise invalid_parameter(name, f"{name} must be a whole number from {minimum} to {maximum}.")
    return value


def _count(text: str | None, cursor: str | None) -> bool:
    if text not in (None, "exact", "none"):
        raise invalid_parameter("count", "count must be exact or none.")
    return cursor is None if text is None else text == "exact"
