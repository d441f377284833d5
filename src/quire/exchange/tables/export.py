"""Exports lists as tables, CSV or workbook rows: references by name, formulas escaped."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from types import NoneType
from typing import Any, cast

import orjson

from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.text_values import reference_key
from quire.exchange.tables.cells import escape_formula

PIECE = 64 * 1024
State = dict[str, Any]
Batches = Iterable[Sequence[State]]


def csv_pieces(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[bytes]:
    """The file in pieces: a header of `paths` such as `author.username`, then the rows in batches."""
    columns = [(_reader(path), _writer(record.fields_by_name.get(path))) for path in paths]
    rows = ([write(read(one)) for read, write in columns] for states in batches for one in states)
    return pieces(_csv_lines(chain([paths], rows)))


def pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines to pieces of PIECE bytes or a little more, so that no batch of long texts is copied whole."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(some)
            some, size = [], 0
    yield b"".join(some)


def workbook_rows(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[list[Any]]:
    """The rows of a workbook: numbers stay numbers, everything else is text."""
    columns = [(_reader(path), _writer(record.fields_by_name.get(path))) for path in paths]
    yield list(paths)
    for states in batches:
        for one in states:
            yield [_cell(write, read(one)) for read, write in columns]


def _reader(path: str) -> Callable[[State], Any]:
    """A function that reads the value at a path such as `author.username`."""
    names = path.split(".")
    if len(names) == 1:
        return lambda state: state.get(path)
    return lambda state: _value(state, names)


def _value(state: Any, path: Sequence[str]) -> Any:
    """The value at a path; for a list, the value in each of its objects."""
    for place, name in enumerate(path):
        if isinstance(state, list):
            return [_value(one, path[place:]) for one in state]
        state = state.get(name) if isinstance(state, dict) else None
    return state


class _Line:
    """A file for csv.writer, whose `writerow` returns the result of `write`: the line as bytes."""

    def write(self, text: str) -> bytes:
        """Return the line."""
        return text.encode()


def _csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    write: Callable[[Sequence[str]], Any] = csv.writer(cast(Any, _Line())).writerow
    return map(write, rows)


def _cell(write: Callable[[Any], str], value: Any) -> Any:
    return value if isinstance(value, int | float) else write(value)


def _writer(field: Field | None) -> Callable[[Any], str]:
    """A function that writes a value of `field`, or of a path into other records if None, as text."""
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
"""How lists and objects are written, by the widget of the field."""
