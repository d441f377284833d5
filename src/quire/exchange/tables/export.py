"""Exports lists as tables, CSV or workbook rows: references by name, formulas escaped."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.text_codec import reference_key

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of text that a spreadsheet would run (OWASP: CSV injection)."""

State = dict[str, Any]
Batches = Iterable[Sequence[State]]


def escape_formula(text: str) -> str:
    """`text`, quoted if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else text


def csv_pieces(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[str]:
    """The file in pieces: a header of `paths` such as `author.username`, then the rows in batches."""
    columns = _columns(record, paths)
    yield _csv_text([paths])
    for states in batches:
        yield _csv_text([_plain(f, _value(one, p)) for p, f in columns] for one in states)


def workbook_rows(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[list[Any]]:
    """The rows of a workbook: numbers stay numbers, all else is text."""
    columns = _columns(record, paths)
    yield list(paths)
    for states in batches:
        for one in states:
            yield [_cell(field, _value(one, path)) for path, field in columns]


def _columns(record: Record, paths: Sequence[str]) -> list[tuple[list[str], Field | None]]:
    """Each path with its field, if that belongs to the record itself."""
    return [(path.split("."), record.fields_by_name.get(path)) for path in paths]


def _value(state: Any, path: Sequence[str]) -> Any:
    """The value at a path; for a list, that of each of its objects."""
    for place, name in enumerate(path):
        if isinstance(state, list):
            return [_value(one, path[place:]) for one in state]
        state = state.get(name) if isinstance(state, dict) else None
    return state


def _csv_text(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(field: Field | None, value: Any) -> Any:
    return value if isinstance(value, int | float) else _plain(field, value)


def _plain(field: Field | None, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) or (field and field.kind.widget == "decimal"):
        return str(value)
    return escape_formula(_text(field, value))


def _text(field: Field | None, value: Any) -> str:
    if isinstance(value, str):
        return value
    if field is not None and field.kind.widget == "ref":
        return reference_key(value, field)
    if field is not None and field.kind.widget == "refs":
        return ", ".join(reference_key(one, field) for one in value)
    if field is not None and field.kind.widget == "lines":
        return "\n".join(value)
    return orjson.dumps(value).decode()
