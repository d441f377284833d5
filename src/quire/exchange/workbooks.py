"""XLSX files, read and written row by row; loaded only when one is at hand."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from quire.exchange.items import Unusable
from quire.exchange.sheets import text_of

MOST_BYTES = 300 * 1024**2
MOST_TIMES_SMALLER = 200
LONGEST_CELL = 32_767
_BROKEN = (
    BadZipFile, InvalidFileException, DefusedXmlException, ParseError, KeyError, ValueError,
    TypeError, AttributeError, IndexError, EOFError, OSError, NotImplementedError, RuntimeError,
)  # fmt: skip


def rows(file: Path) -> Iterator[list[str]]:
    """The rows of the first sheet; values of formulas as they were last computed.

    Raises Unusable for what is no workbook, or would burst.
    """
    try:
        with file.open("rb") as raw:
            _check_size(raw)
            book = load_workbook(raw, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # which some programs write wrongly
            for row in sheet.iter_rows(values_only=True):
                yield [text_of(value) for value in row]
            book.close()
    except _BROKEN as error:
        raise Unusable(f"is no XLSX, or is damaged ({type(error).__name__})") from None


def _check_size(raw: IO[bytes]) -> None:
    with ZipFile(raw) as zip:
        packed = sum(info.compress_size for info in zip.infolist())
        size = sum(info.file_size for info in zip.infolist())
    if size > min(MOST_BYTES, max(packed, 64 * 1024) * MOST_TIMES_SMALLER):
        raise Unusable(f"unpacks to {size:,} bytes: a zip bomb, or more than can be read")
    raw.seek(0)


def written(lines: Iterable[list[Any]], piece: int = 64 * 1024) -> Iterator[bytes]:
    """A workbook of `lines`, in pieces; it waits on the disk, never in memory."""
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
