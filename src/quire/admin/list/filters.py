"""The filter panel: a plain input for each field that can be filtered, in the query language of the API."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from quire.actor import Actor
from quire.admin.autocomplete import NamedReference, find_reference
from quire.admin.list import presets
from quire.admin.list.cells import filter_path
from quire.admin.list.groups import (
    ALL,
    ANY,
    MAX_GROUPS,
    has_tabs,
    split_groups,
    split_name,
)
from quire.admin.local_time import to_local_text, to_utc_text
from quire.admin.past_tense import words_for
from quire.admin.urls import MATCH, Pairs
from quire.declare.fields import Field
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record, record_of
from quire.declare.text_values import INPUT_TYPES
from quire.translations.messages import Message
from quire.web.language import gettext, translate, word_label

OWN = ("search", "q", "sort", "page", "per_page", "trashed", "view", "columns", "match")
"""Parameters of a list that are not filters."""

FROM, UNTIL = Message("%(label)s from", label=""), Message("%(label)s until", label="")
AT_LEAST, AT_MOST = Message("%(label)s at least", label=""), Message("%(label)s at most", label="")
"""Labels of inputs for bounds."""
ALTERNATIVE, FURTHER = Message("or %(label)s", label=""), Message("and %(label)s", label="")
"""Labels of inputs for one more value."""
NUMBERS, TIMES = ("number", "decimal"), ("datetime", "date")
"""Widgets of numbers and of times."""

NO_MOMENTS = ("__isnull", f"__{presets.OPERATOR}")
"""Operators of dates whose values are not dates."""


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
    shown_name: str = ""


def _choices(field: Field) -> tuple[tuple[str, str], ...]:
    if field.kind.widget == "checkbox":
        return (("true", gettext("Yes")), ("false", gettext("No")))
    if words := words_for(field):
        return words
    return tuple((word, word_label(word)) for word in field.choices)


def _inputs(field: Field, path: str, values: dict[str, str], lookup: Any) -> list[Filter]:
    widget, label = field.kind.widget, translate(field.label)
    if choices := _choices(field):
        value = values.get(path, field.default_filter)
        return [Filter(path, label, value, choices=choices, may_be_any=not field.default_filter)]
    if field.target:
        return [Filter(path, label, values.get(path, ""), lookup_url=lookup(field.name))]
    if widget in (*TIMES, *NUMBERS):
        bounds = [_bound_filter(field, path, op, values) for op in ("gte", "lte")]
        return [_span(path, label, values), *bounds] if widget == "datetime" else bounds
    name = f"{path}__icontains" if field.kind.is_text else path
    return [Filter(name, label, values.get(name, ""))]


def _span(path: str, label: str, values: dict[str, str]) -> Filter:
    name = f"{path}__{presets.OPERATOR}"
    return Filter(name, label, values.get(name, ""), choices=presets.choices())


def _bound_filter(field: Field, path: str, operator: str, values: dict[str, str]) -> Filter:
    name, widget = f"{path}__{operator}", field.kind.widget
    value = values.get(name, "")
    shown = to_local_text(value) if widget == "datetime" else value
    lowest, highest = (AT_LEAST, AT_MOST) if widget in NUMBERS else (FROM, UNTIL)
    label = (lowest if operator == "gte" else highest).with_values(label=translate(field.label))
    return Filter(name, translate(label), shown, INPUT_TYPES.get(widget, "text"))


@dataclass(frozen=True)
class Section:
    """The inputs of one group of filters, 0 for those outside groups; `kept` are filters in the URL that no input
    shows.
    """

    number: int
    inputs: list[Filter]
    kept: Pairs
    is_new: bool = False


def filter_sections(record: Record, actor: Actor, pairs: Pairs, lookup: Any) -> list[Section]:
    """The filter panel: the filters outside groups, each group, and an empty one to add."""
    groups = split_groups([pair for pair in pairs if pair[0] not in OWN])
    any_match = (MATCH, ANY) in pairs
    sections = [
        _section(record, actor, number, own, lookup, (number > 0) != any_match)
        for number, own in groups.items()
    ]
    free = next((n for n in range(1, MAX_GROUPS + 1) if n not in groups), None)
    if free and sections[0].inputs:
        sections.append(replace(_section(record, actor, free, [], lookup, False), is_new=True))
    return sections


def _section(
    record: Record, actor: Actor, number: int, pairs: Pairs, lookup: Any, alternatives: bool
) -> Section:
    inputs = filters(record, actor, pairs, lookup, in_group=number > 0)
    names = {one.name for one in inputs}
    shown = dict(pairs)
    further = [pair for pair in pairs if pair[0] in names and pair != (pair[0], shown[pair[0]])]
    more = ALTERNATIVE if alternatives else FURTHER
    for one in list(inputs):
        values = [value for name, value in further if name == one.name]
        if alternatives and one.value and one.may_be_any:
            values.append("")  # the empty one
        place = inputs.index(one) + 1
        label = translate(more.with_values(label=one.label))
        inputs[place:place] = [replace(one, label=label, value=v) for v in values]
    # the state outside groups belongs to the tabs
    kept = [pair for pair in pairs if pair[0] not in names and (number or pair[0] != "status")]
    prefix = f"{number}." if number else ""
    return Section(
        number,
        [
            replace(_with_shown_name(record, actor, one), name=f"{prefix}{one.name}")
            for one in inputs
        ],
        [(f"{prefix}{name}", value) for name, value in kept],
    )


def _with_shown_name(record: Record, actor: Actor, one: Filter) -> Filter:
    """An input for records with the name of the one whose key it contains."""
    if not (one.lookup_url and one.value):
        return one
    reference = reference_in(record, actor, one.name, one.value)
    return replace(one, shown_name=reference.name) if reference else one


def reference_in(record: Record, actor: Actor, path: str, text: str) -> NamedReference | None:
    """The record that a filter with this value refers to, if any."""
    field = _referring_field(record, filter_paths(record, actor), path)
    if field is None:
        return None
    is_id = path == field.name and text.isdigit()
    return find_reference(record, actor, field, f"#{text}" if is_id else text)


def _optional(one: Filter, values: dict[str, str]) -> Filter:
    """A condition that has a value outside groups has none in a group."""
    return replace(one, value=one.value if one.name in values else "", may_be_any=True)


def filters(
    record: Record, actor: Actor, pairs: Pairs, lookup: Any, *, in_group: bool = False
) -> list[Filter]:
    """The inputs of the filter panel; `status` has tabs, and `id` a page of its own."""
    paths = filter_paths(record, actor)
    values = dict(pairs)
    inputs: list[Filter] = []
    for name, one in paths.items():
        if "." not in name and name != "id" and (in_group or not has_tabs(one)):
            field_inputs = _inputs(one, filter_path(one, paths), values, lookup)
            inputs += [_optional(i, values) for i in field_inputs] if in_group else field_inputs
    return inputs


def clean(record: Record, actor: Actor, pairs: Pairs) -> Pairs:
    """The parameters with values, times with their zone; invalid paging is dropped."""
    paths = filter_paths(record, actor)
    cleaned = []
    for name, text in pairs:
        value = _stored_value(record, actor, paths, split_name(name)[1], text.strip())
        number = name in ("page", "per_page")
        if value and not (number and not _is_page(value)) and (name, value) != (MATCH, ALL):
            cleaned.append((name, value))
    return cleaned


def _stored_value(
    record: Record, actor: Actor, paths: Mapping[str, Field], name: str, text: str
) -> str:
    """The value to look for when someone has typed `text`."""
    path, _, operator = name.partition("__")
    one = paths.get(path)
    if one is not None and one.kind.widget == "datetime" and not name.endswith(NO_MOMENTS):
        return to_utc_text(text)
    reference = None if operator else reference_in(record, actor, path, text)
    if reference is None:
        return text
    return reference.key if "." in path else str(reference.id)


def _referring_field(record: Record, paths: Mapping[str, Field], path: str) -> Field | None:
    """The field of references whose keys or ids `path` compares: `category.slug`, `post`.

    None for other fields, and if keys are names already.
    """
    one = record.fields_by_name.get(path.partition(".")[0])
    if one is None or one.target is None or path not in paths:
        return None
    target = record_of(one.target)
    if target.key == target.title_field and "." in path:
        return None
    return one if filter_path(one, paths) == path else None


def _is_page(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0
