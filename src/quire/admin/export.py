"""CSV and XLSX of a list: every column the actor may see, read and sent in batches, formulas made harmless."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson

from quire.actor import Actor
from quire.admin.rows import every
from quire.declare.fields import Field
from quire.declare.query import Query
from quire.declare.record import Record
from quire.declare.typed import key_of

MOST = 50_000
"""Rows of one export; filters make smaller ones."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run (OWASP: CSV injection)."""


def harmless(text: str) -> str:
    """`text` with a quote in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else text


def _plain(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if field.kind.widget == "decimal":
        return str(value)
    return harmless(_text(field, value))


def _text(field: Field, value: Any) -> str:
    if field.kind.widget == "ref":
        return key_of(value, field)
    if field.kind.widget == "refs":
        return ", ".join(key_of(one, field) for one in value)
    if field.kind.widget == "lines":
        return "\n".join(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def table(record: Record, actor: Actor, query: Query) -> Iterator[list[Any]]:
    """The same for a workbook: numbers stay numbers, all else is text."""
    fields = [record.field(name) for name in record.seen_by(actor)]
    yield [one.name for one in fields]
    for state in every(record, actor, query, MOST):
        yield [_cell(one, state.get(one.name)) for one in fields]


def _cell(field: Field, value: Any) -> Any:
    return value if isinstance(value, int | float) else _plain(field, value)


def _line(values: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def lines(record: Record, actor: Actor, query: Query) -> Iterator[str]:
    """The lines of the file, the names of the fields first."""
    fields = [record.field(name) for name in record.seen_by(actor)]
    yield _line([one.name for one in fields])
    for state in every(record, actor, query, MOST):
        yield _line([_plain(one, state.get(one.name)) for one in fields])
