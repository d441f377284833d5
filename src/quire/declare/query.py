"""Filter, sort, include, fields, search and page parameters, accepted only where declared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.values import INT64, SPACES
from quire.declare.vocabulary import (
    _TEXT,
    filter_paths,
    operators_of,
    relations,
    sort_names,
    usable,
)
from quire.errors import Malformed, detail

_PAGING = (
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
MAX_VALUES, MAX_PER_PAGE, MAX_DEPTH, MAX_INCLUDES = 100, 100, 3, 8
MAX_CONDITIONS = 200
"""More than the filters of any type: all of them once is a query, thousands are an attack."""
MAX_SEARCH = 200


@dataclass(frozen=True)
class Condition:
    """One comparison: a path such as `tags.name`, an operator of OPERATORS, its values."""

    path: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Query:
    """What a client wants to see of a type.

    `sort` names with `-` for descending, `fields` and `include` as paths, `page` from 1 (None in
    cursor mode), `count` whether the total is wanted.
    """

    conditions: tuple[Condition, ...] = ()
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
    sent: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def shape(self) -> tuple[Any, ...]:
        """What the SQL depends on: everything but the values."""
        conditions = tuple((c.path, c.operator, _form(c)) for c in self.conditions)
        nested = self.nested and self.nested[0]
        return (
            conditions, self.sort, self.search is not None, self.fields, self.trashed, nested,
            self.panel,
        )  # fmt: skip


def _form(condition: Condition) -> Any:
    return condition.values[0] if condition.operator == "isnull" else len(condition.values)


def unknown(name: str, what: str, allowed: Iterable[str]) -> Malformed:
    """400 for a name that is not known here, or that this actor may not know."""
    words = ", ".join(allowed)
    message = f"{name} is not a {what} here. Known: {words}."
    return Malformed(message, code="unknown_parameter", details=[detail(name, "unknown", message)])


def bad_value(name: str, message: str) -> Malformed:
    """400 for a parameter whose value cannot be used."""
    return Malformed(
        message, code="invalid_parameter", details=[detail(name, "bad_format", message)]
    )


def parse_query(record: Record, actor: Actor, sent: Iterable[tuple[str, str]]) -> Query:
    """The query that the parameters `sent` ask for. Raises Malformed, naming what is wrong."""
    pairs = tuple(sent)
    conditions: list[Condition] = []
    plain: dict[str, str] = {}
    paths = filter_paths(record, actor)
    for name, text in pairs:
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise bad_value(name, f"{name} holds characters that cannot be searched for.")
        if name in _PAGING and not (name == "trashed" and not record.trashes):
            if name in plain:
                raise bad_value(name, f"{name} is given twice.")
            plain[name] = text
        else:
            conditions.append(_condition(name, text, paths))
    if len(conditions) > MAX_CONDITIONS:
        raise bad_value("filter", f"At most {MAX_CONDITIONS} filters at once.")
    return _assembled(record, actor, tuple(conditions), plain, pairs)


def _assembled(
    record: Record,
    actor: Actor,
    conditions: tuple[Condition, ...],
    plain: dict[str, str],
    pairs: Any,
) -> Query:
    cursor = plain.get("cursor")
    if cursor is not None and "page" in plain:
        raise bad_value("cursor", "cursor and page cannot be used together.")
    include = _includes(record, actor, plain.get("include", ""))
    fields, brought = _fields(record, actor, plain.get("fields"))
    return Query(
        conditions=conditions,
        sort=_sort(record, actor, plain.get("sort", "")),
        search=_search(plain),
        fields=fields,
        include=tuple(dict.fromkeys((*include, *brought))),
        page=None
        if cursor is not None
        else _number("page", plain.get("page", "1"), 1, INT64 // 200),
        per_page=_number("per_page", plain.get("per_page", "20"), 1, MAX_PER_PAGE),
        cursor=cursor,
        count=_count(plain.get("count"), cursor),
        trashed=flag("trashed", plain.get("trashed", "false")),
        sent=pairs,
    )


def _condition(name: str, text: str, paths: Mapping[str, Field]) -> Condition:
    path, mark, operator = name.partition("__")
    if path not in paths or (mark and not operator):
        raise unknown(name, "parameter", [*paths, *_PAGING[:-1]])
    one = paths[path]
    allowed = operators_of(one)
    operator = operator or "eq"
    if operator not in allowed:
        raise unknown(name, "filter", (f"{path}__{word}" for word in allowed))
    if operator == "isnull":
        return Condition(path, operator, (flag(name, text),))
    texts = text.split(",") if operator in ("in", "nin") else [text]
    if len(texts) > MAX_VALUES:
        raise bad_value(name, f"{name} takes at most {MAX_VALUES} values.")
    return Condition(path, operator, tuple(_value(name, operator, part, one) for part in texts))


def _value(name: str, operator: str, text: str, one: Field) -> Any:
    try:
        value = one.kind.from_text(text)
    except (ValueError, ArithmeticError, LookupError, OverflowError):
        raise bad_value(name, f"{name} cannot be {text[:50]!r}.") from None
    if one.choices and operator not in _TEXT and value not in one.choices:
        raise bad_value(name, f"{name} must be one of: {', '.join(one.choices)}.")
    return value


def _search(plain: dict[str, str]) -> str | None:
    if "search" in plain and "q" in plain:
        raise bad_value("q", "search and q mean the same; send one of them.")
    text = plain.get("search", plain.get("q", "")).strip(SPACES)
    if len(text) > MAX_SEARCH:
        raise bad_value("search", f"A search is at most {MAX_SEARCH} characters long.")
    return text or None


def _sort(record: Record, actor: Actor, text: str) -> tuple[str, ...]:
    names = tuple(part for part in text.split(",") if part)
    known = sort_names(record, actor)
    for name in names:
        if name.removeprefix("-") not in known:
            raise unknown(name.removeprefix("-"), "field to sort by", known)
    first = {name.removeprefix("-"): name for name in reversed(names)}
    return tuple(name for name in dict.fromkeys(names) if first[name.removeprefix("-")] == name)


def _includes(record: Record, actor: Actor, text: str) -> tuple[str, ...]:
    paths: list[str] = []
    sent = [path for path in text.split(",") if path]
    if len(sent) > MAX_INCLUDES:
        raise bad_value("include", f"include takes at most {MAX_INCLUDES} relations.")
    for path in sent:
        parts = path.split(".")
        if len(parts) > MAX_DEPTH:
            raise bad_value("include", f"include goes at most {MAX_DEPTH} levels deep.")
        here = record
        for depth, part in enumerate(parts):
            known = relations(here, actor)
            if part not in known:
                raise unknown(part, "relation to include", known)
            here = known[part]
            paths.append(".".join(parts[: depth + 1]))
    return tuple(dict.fromkeys(paths))


def _fields(
    record: Record, actor: Actor, text: str | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The fields that are asked for, and the relations that must be brought for them."""
    if text is None:
        return None, ()
    names = tuple(dict.fromkeys(part for part in text.split(",") if part))
    known, related = usable(record, actor), relations(record, actor)
    brought = []
    for name in names:
        head, _, rest = name.partition(".")
        if head not in known and head not in related:
            raise unknown(name, "field", dict.fromkeys([*known, *related]))
        target = related.get(head)
        if rest and (target is None or rest not in usable(target, actor)):
            raise unknown(name, "field", () if target is None else usable(target, actor))
        if target is not None and (head not in known or (rest and rest not in target.small)):
            brought.append(head)
    return ("id", *(name for name in names if name != "id")), tuple(dict.fromkeys(brought))


def _number(name: str, text: str, least: int, most: int) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else least - 1
    if not least <= value <= most:
        raise bad_value(name, f"{name} must be a whole number from {least} to {most}.")
    return value


def flag(name: str, text: str) -> bool:
    """The value of a parameter that is true or false. Raises Malformed."""
    if text.lower() not in ("true", "false"):
        raise bad_value(name, f"{name} must be true or false.")
    return text.lower() == "true"


def _count(text: str | None, cursor: str | None) -> bool:
    if text not in (None, "exact", "none"):
        raise bad_value("count", "count must be exact or none.")
    return cursor is None if text is None else text == "exact"
