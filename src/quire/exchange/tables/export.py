"""Exports lists as tables, CSV or workbook rows: references by name, formulas escaped."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import NoneType
from typing import Any

import orjson

from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.text_codec import reference_key
from quire.exchange.tables.cells import escape_formula

State = dict[str, Any]
Batches = Iterable[Sequence[State]]


def csv_pieces(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[str]:
    """The file in pieces: a header of `paths` such as `author.username`, then the rows in batches."""
    columns = [(_reader(path), _writer(record.fields_by_name.get(path))) for path in paths]
    yield _csv_text([paths])
    for states in batches:
        yield _csv_text([write(read(one)) for read, write in columns] for one in states)


def workbook_rows(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[list[Any]]:
    """The rows of a workbook: numbers stay numbers, all else is text."""
    columns = [(_reader(path), _writer(record.fields_by_name.get(path))) for path in paths]
    yield list(paths)
    for states in batches:
        for one in states:
            yield [_cell(write, read(one)) for read, write in columns]


def _reader(path: str) -> Callable[[State], Any]:
    """What reads the value at a path such as `author.username`."""
    names = path.split(".")
    if len(names) == 1:
        return lambda state: state.get(path)
    return lambda state: _value(state, names)


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


def _cell(write: Callable[[Any], str], value: Any) -> Any:
    return value if isinstance(value, int | float) else write(value)


def _writer(field: Field | None) -> Callable[[Any], str]:
    """What writes a value of `field`, or of any other object where it is None, as text."""
    widget = field.kind.widget if field is not None else ""
    by_type: dict[type, Callable[[Any], str]] = {
        NoneType: lambda value: "",
        bool: lambda value: str(value).lower(),
        int: str,
        float: str,
        str: str if widget == "decimal" else escape_formula,
    }
    to_text = _TEXTS.get(widget, lambda value, field: orjson.dumps(value).decode())

    def write(value: Any) -> str:
        write_scalar = by_type.get(type(value))
        return write_scalar(value) if write_scalar else escape_formula(to_text(value, field))

    return write


_TEXTS: dict[str, Callable[[Any, Any], str]] = {
    "ref": reference_key,
    "refs": lambda value, field: ", ".join(reference_key(one, field) for one in value),
    "lines": lambda value, field: "\n".join(value),
}
"""How a list or an object is written, by the widget of its field."""
