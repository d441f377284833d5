"""The active filters of a list in words, each with the URL of the list without it."""

from typing import Any

from quire.actor import Actor
from quire.admin.list import presets
from quire.admin.list.columns import without_parameters
from quire.admin.list.filters import NUMBERS, OWN, TIMES, reference_in
from quire.admin.list.groups import ALL, ANY, inner_kind, split_name
from quire.admin.local_time import exact
from quire.admin.past_tense import word_of
from quire.admin.urls import MATCH, Pairs, narrowed_url
from quire.declare.fields import Field
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record
from quire.translations.messages import Message
from quire.web.language import gettext, noun, translate

PLACES = {"label": "", "value": ""}
CHIPS = {
    "eq": Message("%(label)s is %(value)s", **PLACES),
    "ne": Message("%(label)s is not %(value)s", **PLACES),
    "gte": Message("%(label)s from %(value)s", **PLACES),
    "lte": Message("%(label)s until %(value)s", **PLACES),
    "gt": Message("%(label)s is greater than %(value)s", **PLACES),
    "lt": Message("%(label)s is less than %(value)s", **PLACES),
    "icontains": Message("%(label)s contains %(value)s", **PLACES),
    "contains": Message("%(label)s contains %(value)s", **PLACES),
    "startswith": Message("%(label)s starts with %(value)s", **PLACES),
    "endswith": Message("%(label)s ends with %(value)s", **PLACES),
    "in": Message("%(label)s is any of %(value)s", **PLACES),
    "nin": Message("%(label)s is none of %(value)s", **PLACES),
    presets.OPERATOR: Message("%(label)s: %(value)s", **PLACES),
}
"""A filter in words, by its operator: whole phrases, since not every language puts a verb between."""
AMOUNTS = {
    "gte": Message("%(label)s at least %(value)s", **PLACES),
    "lte": Message("%(label)s at most %(value)s", **PLACES),
}
"""The same for numbers."""
MOMENTS = {
    "gt": Message("%(label)s after %(value)s", **PLACES),
    "lt": Message("%(label)s before %(value)s", **PLACES),
}
"""The same for dates."""
OTHER_CHIP = Message("%(label)s %(operator)s %(value)s", **PLACES, operator="")
EMPTY, NOT_EMPTY = (
    Message("%(label)s is empty", label=""),
    Message("%(label)s is not empty", label=""),
)


def chip_groups(record: Record, actor: Actor, pairs: Pairs) -> list[dict[str, Any]]:
    """The active filters by group, each with the URL of the list without it."""
    groups: dict[int, list[dict[str, str]]] = {}
    for name, value in pairs:
        number, inner = split_name(name)
        if number or not (name in OWN or name == "status"):
            rest = [pair for pair in without_parameters(pairs, "page") if pair != (name, value)]
            words = words_of(record, actor, inner, value)
            chip = {"label": words, "url": narrowed_url(record, rest)}
            groups.setdefault(number, []).append(chip)
    kind = ANY if (MATCH, ANY) in pairs else ALL
    return [
        {"number": number, "kind": inner_kind(kind) if number else kind, "chips": chips}
        for number, chips in sorted(groups.items())
    ]


def words_of(record: Record, actor: Actor, name: str, value: str) -> str:
    """A filter in words."""
    path, _, operator = split_name(name)[1].partition("__")
    known = path in filter_paths(record, actor)
    field = record.fields_by_name.get(path.partition(".")[0]) if known else None
    if field is None:
        return f"{name} {value}"
    reference = reference_in(record, actor, path, value) if operator in ("", "ne") else None
    return _chip(field, operator, reference.name if reference else value)


def _chip(field: Field, operator: str, value: str) -> str:
    label = translate(field.label)
    if operator == "isnull":
        return translate((EMPTY if value == "true" else NOT_EMPTY).with_values(label=label))
    shown = presets.name_of(value) if operator == presets.OPERATOR else _chip_value(field, value)
    return translate(_chip_form(field, operator or "eq").with_values(label=label, value=shown))


def _chip_form(field: Field, operator: str) -> Message:
    widget = field.kind.widget
    own = AMOUNTS if widget in NUMBERS else MOMENTS if widget in TIMES else {}
    return own.get(operator) or CHIPS.get(operator) or OTHER_CHIP.with_values(operator=operator)


def _chip_value(field: Field, value: str) -> str:
    """The value of a filter in words."""
    if field.kind.widget == "checkbox":
        return gettext("yes") if value == "true" else gettext("no")
    if field.kind.widget == "datetime":
        return _moment_text(value)
    return word_of(field, value) or (noun(value) if field.choices else value)


def _moment_text(value: str) -> str:
    try:
        return exact(value)
    except ValueError:
        return value
