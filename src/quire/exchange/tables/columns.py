"""Matches tables to record types, their columns to fields, and their cells to values."""

import re
from typing import Any

from quire.actor import Actor
from quire.declare.clock import rfc3339
from quire.declare.fields import Field, InputOnly
from quire.declare.pydantic_models import NEW, PART
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY
from quire.declare.settable_fields import is_settable
from quire.declare.text_values import OMITTED, decode_value
from quire.exchange.archive.format import has_file
from quire.exchange.dates import parse_datetime
from quire.exchange.tables.cells import FORMULA_QUOTE

WORDS = {
    **dict.fromkeys(("true", "yes", "y", "1", "x", "on"), True),
    **dict.fromkeys(("false", "no", "n", "0", "off", "-"), False),
}
ABOUT = ("id", "version")
DATED = ("datetime", "date")


def importable_types() -> list[Record]:
    """The types that can be imported from tables: those that users can create from text alone."""
    creatable = (
        one
        for one in REGISTRY.values()
        if one.exported and one.declared_access.create is not NOBODY
    )
    return [one for one in creatable if not has_file(one)]


def may_import(record: Record, actor: Actor) -> bool:
    """Whether `actor` may create records of this type in the panel, and so import them too."""
    return all(record.allows(actor, verb) is not False for verb in ("create", "panel"))


def importable_fields(record: Record, actor: Actor) -> list[Field]:
    """The fields that a table may set, with the id and version that identify rows."""
    return [one for one in record.fields if one.name in ABOUT or _fills(one, actor)]


def _fills(field: Field, actor: Actor) -> bool:
    if field.computed or field.read_rule is NOBODY or isinstance(field, InputOnly):
        return False
    return is_settable(field, actor, NEW) or is_settable(field, actor, PART)


def match_columns(headers: list[str], fields: list[Field]) -> list[str]:
    """The field name for each column, matched by name or label, ignoring case; empty for no match."""
    names = {_plain(word): one.name for one in reversed(fields) for word in (one.label, one.name)}
    matches: list[str] = []
    for header in headers:
        name = names.get(_plain(header), "")
        matches.append("" if name in matches else name)
    return matches


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold()


def cell_value(field: Field, text: str, *, creating: bool, order: str = "") -> Any:
    """The value of a cell as JSON; OMITTED for an empty one; text if it cannot be parsed.

    `order` is the order of day and month in the dates of its column.
    """
    text = FORMULA_QUOTE.sub("", text, count=1)
    widget, clean = field.kind.widget, text.strip()
    if widget == "checkbox":
        return WORDS.get(clean.casefold(), clean) if clean else OMITTED
    if widget in DATED and clean:
        moment = parse_datetime(clean, order)
        moment_text = rfc3339(moment) if moment else clean
        return moment_text if widget == "datetime" else moment_text.partition("T")[0]
    if field.choices and clean:
        return clean.casefold().replace(" ", "_")
    return decode_value(field, text, creating=creating)
