"""Opens tables, CSV or XLSX, and reads them row by row, with every cell as text."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from threading import BoundedSemaphore

from quire.errors import Unavailable
from quire.exchange.model import Unusable
from quire.exchange.tables.cells import MAX_COLUMNS, Row
from quire.exchange.tables.date_order import DateOrder
from quire.web.threads import blocking

KINDS = ("csv", "xlsx")
MAX_ROWS = 100_000
MAX_EMPTY_ROWS = 10_000
"""Consecutive empty rows after which a table ends."""
MAX_READERS = 2
"""The most uploaded tables read at the same time: a large one takes seconds of processor time."""
_PIECE = 1024**2
_readers = BoundedSemaphore(MAX_READERS)


@dataclass(slots=True)
class Table:
    """A table in a file: its `kind` (csv or xlsx), the names of its columns, the number of rows.

    `orders` has the order of day and month in the dates of each column, by the names in DateOrder.
    """

    file: Path
    kind: str
    headers: list[str] = field(default_factory=list)
    count: int = 0
    warnings: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """The non-empty rows below the header, with their numbers in a spreadsheet. Raises Unusable."""
        return islice(_all_rows(self, []), 1, None)


def open_table(file: Path, kind: str) -> Table:
    """Open the table in `file` and read it through once. Raises Unusable with the reason."""
    table = Table(file, kind)
    all_rows = _all_rows(table, table.warnings)
    _, first = next(all_rows, (0, []))
    table.headers = [" ".join(name.split()) for name in first]
    if not any(table.headers):
        raise Unusable("is empty: the first row must contain the column names")
    if len(table.headers) > MAX_COLUMNS:
        raise Unusable(f"has more than {MAX_COLUMNS} columns")
    orders = [DateOrder() for _ in table.headers]
    for _, cells in all_rows:
        table.count += 1
        for order, text in zip(orders, cells, strict=False):
            order.see(text)
    table.orders = [order.name for order in orders]
    return table


@contextmanager
def reader_slot() -> Iterator[None]:
    """Context of reading an uploaded table, which leaves other requests to other threads.

    Raises Unavailable while MAX_READERS tables are being read.
    """
    if not _readers.acquire(blocking=False):
        message = "Other tables are being read. Try again soon."
        raise Unavailable(message, headers={"Retry-After": "10"})
    try:
        with blocking():
            yield
    finally:
        _readers.release()


def _all_rows(table: Table, warnings: list[str]) -> Iterator[Row]:
    for count, row in enumerate(_with_words(table.file, table.kind, warnings)):
        if count > MAX_ROWS:
            raise Unusable(f"has more than {MAX_ROWS:,} rows")
        yield row


def _with_words(file: Path, kind: str, warnings: list[str]) -> Iterator[Row]:
    """The first row and all non-empty rows; messages about the file are added to `warnings`.

    Sheets are often formatted far below their last row, so reading stops after many empty rows.
    """
    empty = last = 0
    for number, cells in _xlsx(file) if kind == "xlsx" else _csv(file):
        if not last or any(cell.strip() for cell in cells):
            yield number, cells
            empty, last = 0, number
        elif (empty := empty + 1) > MAX_EMPTY_ROWS:
            warnings.append(f"has only empty rows after row {last}, so reading stopped there")
            break
    if kind == "csv" and _encoding(file) == "cp1252":
        warnings.append("is not valid UTF-8, read as Windows-1252")


def _xlsx(file: Path) -> Iterator[Row]:
    rows: Iterator[Row] = import_module("quire.exchange.tables.xlsx").rows(file)
    return rows


def _csv(file: Path) -> Iterator[Row]:
    rows: Iterator[Row] = import_module("quire.exchange.tables.csv_rows").rows(
        file, _encoding(file)
    )
    return rows


def _encoding(file: Path) -> str:
    """UTF-8 with or without a BOM, UTF-16 with one, otherwise Windows-1252."""
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
