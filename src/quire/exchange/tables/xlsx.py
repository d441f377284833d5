"""Reads and writes XLSX files row by row; imported only when needed."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from quire.exchange.model import Unusable
from quire.exchange.tables.xlsx_sheet import read_rows
from quire.store.files.checked_zip import ArchiveRefused, open_zip

MAX_BYTES = 300 * 1024**2
MAX_TIMES_SMALLER = 200
MAX_OF_DIRECTORY = 1024**2
"""The most bytes in the ZIP directory; a workbook has a few dozen members."""
LONGEST_CELL = 32_767
_BROKEN = (
    BadZipFile, ExpatError, zlib.error, KeyError, ValueError, IndexError, EOFError, OSError,
    NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip


def rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet with their numbers; formulas have their last computed values.

    Raises Unusable if the file is not a workbook, or is too large.
    """
    try:
        with file.open("rb") as raw:
            _check_size(raw)
            with open_zip(raw, MAX_OF_DIRECTORY) as zip:
                yield from read_rows(zip)
    except ArchiveRefused as error:
        raise Unusable(str(error)) from None
    except _BROKEN as error:
        raise Unusable(f"is not a valid XLSX file ({type(error).__name__})") from None


def _check_size(raw: IO[bytes]) -> None:
    with open_zip(raw, MAX_OF_DIRECTORY) as zip:
        packed = sum(info.compress_size for info in zip.infolist())
        size = sum(info.file_size for info in zip.infolist())
    if size > min(MAX_BYTES, max(packed, 64 * 1024) * MAX_TIMES_SMALLER):
        raise Unusable(f"decompresses to {size:,} bytes, which is too large")
    raw.seek(0)


def write_rows(lines: Iterable[list[Any]], piece: int = 64 * 1024) -> Iterator[bytes]:
    """A workbook of `lines`, in pieces; buffered on disk, not in memory."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in lines:
        sheet.append([_fit(value) for value in line])
    with TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while data := file.read(piece):
            yield data


def _fit(value: Any) -> Any:
    return ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_CELL] if isinstance(value, str) else value
