"""The filter panel: a plain input for each field that can be filtered, in the query language of the
API."""

from dataclasses import dataclass
from typing import Any

from quire.actor import Actor
from quire.admin.list import presets
from quire.admin.list.cells import filter_path
from quire.admin.list.columns import without_parameters
from quire.admin.local_time import exact, to_local_text, to_utc_text
from quire.admin.past_tense import word_of, words_for
from quire.admin.urls import Pairs, narrowed_url
from quire.declare.fields import Field
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record
from quire.declare.text_codec import INPUT_TYPES

OWN = ("search", "q", "sort", "page", "per_page", "trashed", "view", "columns")
"""Parameters of a list that are not filters."""

WORDS = {
    "eq": "is",
    "ne": "is not",
    "gte": "from",
    "lte": "until",
    "gt": "is greater than",
    "lt": "is less than",
    "icontains": "contains",
    "contains": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "in": "is any of",
    "nin": "is none of",
}

NO_MOMENTS = ("__isnull", f"__{presets.OPERATOR}")
"""Operators of dates whose values are no dates."""


@dataclass(frozen=True)
class Filter:
    """An input of the filter panel; its name is a parameter of the query language."""

    name: str
    label: str
    value: str
    input: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    may_be_any: bool = True
    lookup_url: str | None = None


def has_tabs(field: Field) -> bool:
    """Whether the values of a field are tabs above the list, not a filter."""
    return field.name == "status" and bool(field.choices)


def _choices(field: Field) -> tuple[tuple[str, str], ...]:
    if field.kind.widget == "checkbox":
        return (("true", "Yes"), ("false", "No"))
    if words := words_for(field):
        return words
    return tuple((word, word.replace("_", " ").capitalize()) for word in field.choices)


def _word(field: Field, operator: str) -> str:
    is_number = field.kind.widget in ("number", "decimal")
    amounts = {"gte": "at least", "lte": "at most"} if is_number else {}
    return amounts.get(operator) or WORDS.get(operator, operator)


def _inputs(field: Field, path: str, values: dict[str, str], lookup: Any) -> list[Filter]:
    widget, label = field.kind.widget, field.label
    if choices := _choices(field):
        value = values.get(path, field.default_filter)
        return [Filter(path, label, value, choices=choices, may_be_any=not field.default_filter)]
    if field.target:
        return [Filter(path, label, values.get(path, ""), lookup_url=lookup(field.name))]
    if widget in ("datetime", "date", "number", "decimal"):
        bounds = [_bound(field, path, op, values) for op in ("gte", "lte")]
        return [_span(path, label, values), *bounds] if widget == "datetime" else bounds
    name = f"{path}__icontains" if field.kind.is_text else path
    return [Filter(name, label, values.get(name, ""))]


def _span(path: str, label: str, values: dict[str, str]) -> Filter:
    name = f"{path}__{presets.OPERATOR}"
    return Filter(name, label, values.get(name, ""), choices=presets.CHOICES)


def _bound(field: Field, path: str, operator: str, values: dict[str, str]) -> Filter:
    name, widget = f"{path}__{operator}", field.kind.widget
    value = values.get(name, "")
    shown = to_local_text(value) if widget == "datetime" else value
    words = f"{field.label} {_word(field, operator)}"
    return Filter(name, words, shown, INPUT_TYPES.get(widget, "text"))


def filters(record: Record, actor: Actor, pairs: Pairs, lookup: Any) -> list[Filter]:
    """The inputs of the filter panel; `status` has tabs, and `id` a page of its own."""
    paths = filter_paths(record, actor)
    values = dict(pairs)
    inputs: list[Filter] = []
    for name, one in paths.items():
        if "." not in name and name != "id" and not has_tabs(one):
            inputs += _inputs(one, filter_path(one, paths), values, lookup)
    return inputs


def clean(record: Record, actor: Actor, pairs: Pairs) -> Pairs:
    """The parameters that are set, times with their zone; invalid paging is dropped."""
    paths = filter_paths(record, actor)
    cleaned = []
    for name, text in pairs:
        one = paths.get(name.partition("__")[0])
        timed = one is not None and one.kind.widget == "datetime" and not name.endswith(NO_MOMENTS)
        value = to_utc_text(text.strip()) if timed else text.strip()
        number = name in ("page", "per_page")
        if value and not (number and not _is_page(value)):
            cleaned.append((name, value))
    return cleaned


def _is_page(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def chips(record: Record, actor: Actor, pairs: Pairs) -> list[dict[str, str]]:
    """The active filters, each with the URL of the list without it."""
    all_chips = []
    for name, value in pairs:
        if name in OWN or name == "status":
            continue
        rest = [pair for pair in without_parameters(pairs, "page") if pair != (name, value)]
        words = words_of(record, actor, name, value)
        all_chips.append({"label": words, "url": narrowed_url(record, rest)})
    return all_chips


def words_of(record: Record, actor: Actor, name: str, value: str) -> str:
    """A filter as people read it."""
    path, _, operator = name.partition("__")
    known = path in filter_paths(record, actor)
    field = record.fields_by_name.get(path.partition(".")[0]) if known else None
    return _chip(field, operator, value) if field else f"{name} {value}"


def _chip(field: Field, operator: str, value: str) -> str:
    if operator == presets.OPERATOR:
        return f"{field.label}: {presets.PRESETS.get(value, value).lower()}"
    if operator == "isnull":
        return f"{field.label} {'is empty' if value == 'true' else 'is not empty'}"
    return f"{field.label} {_word(field, operator or 'eq')} {_chip_value(field, value)}"


def _chip_value(field: Field, value: str) -> str:
    """The value of a filter as people read it."""
    if field.kind.widget == "checkbox":
        return "yes" if value == "true" else "no"
    if field.kind.widget == "datetime":
        return _moment_text(value)
    return word_of(field, value) or value


def _moment_text(value: str) -> str:
    try:
        return exact(value)
    except ValueError:
        return value
