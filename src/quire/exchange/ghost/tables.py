"""Reads the tables of a Ghost export row by row, so that files of any size fit into memory."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from quire.exchange.model import Unusable

LARGEST_VALUE = 16 * 1024**2
MAX_PARTS = 20_000
"""The most names and values in one row; Ghost has about fifty."""
_PIECE = 64 * 1024
_ABOVE: tuple[list[str], ...] = ([], ["db", "item"])
"""Where the tables are in the JSON: at its top level, or in the first database of a list."""
_DEEPEST = 100

Row = dict[str, Any]


class _LimitedReader:
    """A file for the JSON parser that limits the length of a single value."""

    def __init__(self, raw: IO[bytes]):
        self._raw = raw
        self.waiting = 0
        if raw.read(3) != codecs.BOM_UTF8:
            raw.seek(0)

    def read(self, size: int = _PIECE) -> bytes:
        """The next bytes. Raises Unusable inside a value that is longer than in any export."""
        piece = self._raw.read(size)
        self.waiting += len(piece)
        if self.waiting > LARGEST_VALUE:
            raise Unusable(f"contains a value of more than {LARGEST_VALUE // 1024**2} MB")
        return piece


def read_rows(file: Path) -> Iterator[tuple[str, Row | None]]:
    """Each row with the name of its table, and None at the beginning of a table.

    Raises Unusable if the file is not JSON or cannot be read.
    """
    try:
        with file.open("rb") as raw:
            yield from _rows(_LimitedReader(raw))
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror})") from None
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(
            f"is not valid JSON ({str(error).strip().partition(chr(10))[0][:80]})"
        ) from None


def _rows(stream: _LimitedReader) -> Iterator[tuple[str, Row | None]]:
    table, row, end = "", None, 0
    for path, event, value in _events(stream):
        stream.waiting = 0
        if row is not None:
            row.event(event, value)
            if event == "end_map" and len(path) == end:
                yield table, row.value
                row = None
        elif event == "start_array" and path[-2:-1] == ["data"] and path[:-2] in _ABOVE:
            table = path[-1]
            yield table, None
        elif event == "start_map" and path[-2:] == [table, "item"] and path[:-3] in _ABOVE:
            row, end = _RowBuilder(), len(path)
            row.event(event, value)


def _events(stream: _LimitedReader) -> Iterator[tuple[list[str], str, Any]]:
    """The events of the parser, each with the names of its ancestors. Raises Unusable for too much
    nesting."""
    path: list[str] = []
    for event, value in ijson.basic_parse(stream, buf_size=_PIECE, use_float=True):
        if event.startswith("end"):
            path.pop()
        yield path, event, value
        if event == "map_key":
            path[-1] = value
        elif event.startswith("start"):
            path.append("item" if event == "start_array" else "")
        if len(path) > _DEEPEST:
            raise Unusable("is nested too deeply")


class _RowBuilder(ijson.ObjectBuilder):
    """Builds one row, up to the size that rows can have."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = 0

    def event(self, event: str, value: Any) -> None:
        """Add one event of the parser. Raises Unusable."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Unusable("contains a row with too many values")
        super().event(event, value)
