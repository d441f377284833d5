"""Tables as people have them, CSV or XLSX: read row by row, every cell as text."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from quire.exchange.items import Unusable

KINDS = ("csv", "xlsx")
MOST_ROWS = 100_000
MOST_COLUMNS = 200
LONGEST_CELL = 1_000_000
DELIMITERS = ",;\t"
_PIECE = 1024**2

csv.field_size_limit(LONGEST_CELL)


@dataclass(slots=True)
class Table:
    """A file that is a table: its `kind` (csv or xlsx), the names of its columns, how many rows."""

    file: Path
    kind: str
    headers: list[str] = field(default_factory=list)
    count: int = 0
    warnings: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not empty, by their numbers in a spreadsheet. Raises Unusable."""
        all_rows = _xlsx(self.file) if self.kind == "xlsx" else _csv(self.file)
        for number, cells in enumerate(all_rows, 1):
            if number > MOST_ROWS + 1:
                raise Unusable(f"has more than {MOST_ROWS:,} rows")
            if number > 1 and any(cell.strip() for cell in cells):
                yield number, cells


def opened(file: Path, kind: str) -> Table:
    """The table in `file`, read through once. Raises Unusable, saying what is wrong with it."""
    table = Table(file, kind)
    first = next(_xlsx(file) if kind == "xlsx" else _csv(file), [])
    table.headers = [" ".join(name.split()) for name in first]
    if not any(table.headers):
        raise Unusable("is empty: the first row must name the columns")
    if len(table.headers) > MOST_COLUMNS:
        raise Unusable(f"has more than {MOST_COLUMNS} columns")
    table.count = sum(1 for _ in table.rows())
    if kind == "csv" and _encoding(file) == "cp1252":
        table.warnings.append("is not UTF-8, read as Windows-1252")
    return table


def _xlsx(file: Path) -> Iterator[list[str]]:
    rows: Iterator[list[str]] = import_module("quire.exchange.workbooks").rows(file)
    return rows


def _csv(file: Path) -> Iterator[list[str]]:
    with file.open(encoding=_encoding(file), errors="replace", newline="") as lines:
        delimiter = _delimiter(lines.read(_PIECE // 16))
        lines.seek(0)
        try:
            yield from csv.reader(lines, delimiter=delimiter)
        except csv.Error as error:
            raise Unusable(f"is no CSV ({error})") from None


def _encoding(file: Path) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else Windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as bytes_:
        piece = bytes_.read(_PIECE)
        if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            while piece:
                decoder.decode(piece)
                piece = bytes_.read(_PIECE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _delimiter(text: str) -> str:
    """What stands most often in the first line, quoted parts aside."""
    line: list[str] = []
    quoted = False
    for char in text:
        quoted ^= char == '"'
        if char == "\n" and not quoted and line:
            break
        if not quoted:
            line.append(char)
    return max(DELIMITERS, key=line.count)


def text_of(value: Any) -> str:
    """A cell's value as one would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
