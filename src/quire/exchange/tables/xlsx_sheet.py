"""Reads the first sheet of an XLSX file cell by cell, and rejects oversized files while reading."""

import posixpath
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from quire.exchange.bounded_xml import Attributes, parse
from quire.exchange.model import Unusable
from quire.exchange.tables.cells import LONGEST_CELL, MAX_COLUMNS, cell_text

MAX_CELLS = 2_000_000
"""The most cells read, including empty ones: 100,000 rows of 20 columns, which take up to eight seconds."""
MAX_STRINGS = 1_000_000
_MAX_ELEMENTS = 200_000
_MAX_OF_ELEMENTS = 10 * 1024**2
"""The most characters in the attributes of all collected elements together."""
_WORKBOOK = "xl/workbook.xml"
_REF = re.compile(r"([A-Z]{1,3})\d*")
_NO_INTEGER = re.compile("[.eE]")

Row = tuple[int, list[str]]


def read_rows(zip: ZipFile) -> Iterator[Row]:
    """The rows in the file with their numbers. Raises Unusable, and other errors for broken files."""
    with TemporaryFile() as texts:
        book = _Workbook(zip, texts)
        sheet = _Sheet(book)
        with zip.open(book.first_sheet) as stream:
            for _ in parse(stream, sheet):
                yield from sheet.rows
                sheet.rows.clear()


@dataclass(slots=True)
class _ElementCollector:
    """Collects the elements with certain names, in their order."""

    names: frozenset[str]
    elements: list[tuple[str, Attributes]] = field(default_factory=list)
    size: int = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if name not in self.names:
            return
        self.elements.append((name, attributes))
        self.size += sum(len(one) + len(value) for one, value in attributes.items())
        if len(self.elements) > _MAX_ELEMENTS or self.size > _MAX_OF_ELEMENTS:
            raise Unusable("has too many styles or sheets")

    def end(self, name: str) -> None:
        """Ignored: only starting elements are collected."""

    def text(self, text: str) -> None:
        """Ignored: the collected elements have no text."""


@dataclass(slots=True)
class _SharedStrings:
    """The shared strings of a workbook, stored on disk."""

    file: IO[bytes]
    ends: "array[int]" = field(default_factory=lambda: array("Q", [0]))
    parts: list[str] = field(default_factory=list)
    length: int = 0
    is_phonetic: bool = False
    in_text: bool = False

    def start(self, name: str, attributes: Attributes) -> None:
        self.is_phonetic = self.is_phonetic or name == "rPh"
        self.in_text = name == "t" and not self.is_phonetic

    def end(self, name: str) -> None:
        self.in_text = False
        if name == "rPh":
            self.is_phonetic = False
        elif name == "si":
            self.file.write("".join(self.parts).encode("utf-8", "surrogatepass"))
            self.ends.append(self.file.tell())
            self.parts, self.length = [], 0
            if len(self.ends) > MAX_STRINGS:
                raise Unusable(f"has more than {MAX_STRINGS:,} strings")

    def text(self, text: str) -> None:
        if self.in_text:
            self.length += len(text)
            _check_length(self.length)
            self.parts.append(text)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self.ends) - 1:
            raise IndexError(index)
        self.file.seek(self.ends[index])
        return self.file.read(self.ends[index + 1] - self.ends[index]).decode("utf-8", "replace")


class _Workbook:
    """Data of a workbook apart from its sheets: names, strings and styles."""

    def __init__(self, zip: ZipFile, texts: IO[bytes]):
        """`texts` is an empty file for the shared strings."""
        self._zip, self._texts = zip, texts

    def _elements(self, member: str, *names: str) -> list[tuple[str, Attributes]]:
        elements = _ElementCollector(frozenset(names))
        with self._zip.open(member) as stream:
            for _ in parse(stream, elements):
                pass
        return elements.elements

    @cached_property
    def _settings(self) -> list[tuple[str, Attributes]]:
        return self._elements(_WORKBOOK, "sheet", "workbookPr")

    @cached_property
    def first_sheet(self) -> str:
        """The ZIP member of the first worksheet. Raises Unusable if there is none."""
        related = self._elements("xl/_rels/workbook.xml.rels", "Relationship")
        targets = {
            one["Id"]: one["Target"] for _, one in related if one["Type"].endswith("/worksheet")
        }
        ids = [_relation(one) for name, one in self._settings if name == "sheet"]
        existing = [targets[id] for id in ids if id in targets]
        if not existing:
            raise Unusable("has no worksheet")
        target = existing[0]
        return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")

    @cached_property
    def epoch(self) -> datetime:
        """The day that dates are counted from."""
        settings = [one for name, one in self._settings if name == "workbookPr"]
        is_mac = any(one.get("date1904") in ("1", "true") for one in settings)
        return MAC_EPOCH if is_mac else WINDOWS_EPOCH

    @cached_property
    def formats(self) -> list[str]:
        """The number format of each style of a cell."""
        if "xl/styles.xml" not in self._zip.namelist():
            return []
        names = ("numFmt", "xf", "cellXfs", "cellStyleXfs", "dxfs")
        formats, codes, is_cell = dict(BUILTIN_FORMATS), list[str](), False
        for name, attributes in self._elements("xl/styles.xml", *names):
            if name == "numFmt":
                formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
            elif name == "xf" and is_cell:
                codes.append(formats.get(int(attributes.get("numFmtId", "0")), ""))
            elif name != "xf":
                is_cell = name == "cellXfs"
        return codes

    @cached_property
    def strings(self) -> _SharedStrings:
        """The shared strings."""
        strings = _SharedStrings(self._texts)
        with self._zip.open("xl/sharedStrings.xml") as stream:
            for _ in parse(stream, strings):
                pass
        return strings


def _relation(sheet: Attributes) -> str:
    return next((value for name, value in sheet.items() if name.endswith(" id")), "")


class _Sheet:
    """Collects rows as they end; `rows` are those not yet taken."""

    def __init__(self, book: _Workbook):
        self.rows: list[Row] = []
        self._book = book
        self._number = self._column = self._count = self._length = 0
        self._cells: list[str] = []
        self._cell: Attributes = {}
        self._parts: list[str] = []
        self._in_value = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            number = attributes.get("r", "")
            row_number = (
                int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 0
            )
            self._number, self._column, self._cells = max(row_number, self._number + 1), 0, []
        else:
            self._in_value = name in ("v", "t")

    def _begin_cell(self, attributes: Attributes) -> None:
        self._count += 1
        if self._count > MAX_CELLS:
            raise Unusable(f"has more than {MAX_CELLS:,} cells")
        reference = _REF.match(attributes.get("r", ""))
        column_number = _column(reference[1]) if reference else 0
        self._column = max(column_number, self._column + 1)
        self._cell, self._parts, self._length = attributes, [], 0

    def text(self, text: str) -> None:
        if self._in_value:
            self._length += len(text)
            _check_length(self._length)
            self._parts.append(text)

    def end(self, name: str) -> None:
        self._in_value = False
        if name == "c" and self._parts:
            self._end_cell()
        elif name == "row":
            self.rows.append((self._number, self._cells))

    def _end_cell(self) -> None:
        if self._column > MAX_COLUMNS:
            raise Unusable(f"has more than {MAX_COLUMNS} columns (row {self._number})")
        self._cells += [""] * (self._column - 1 - len(self._cells))
        self._cells.append(self._value("".join(self._parts)))

    def _value(self, text: str) -> str:
        read = _VALUES.get(self._cell.get("t", "n"))
        if read is not None:
            return read(self._book, text)
        style = self._cell.get("s", "0")
        formats = self._book.formats
        code = formats[int(style)] if style.isdigit() and int(style) < len(formats) else ""
        return _number(text, code, self._book)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _number(text: str, code: str, book: _Workbook) -> str:
    try:
        value = float(text) if _NO_INTEGER.search(text) else int(text)
    except ValueError:
        return text
    if not code or not is_date_format(code):
        return cell_text(value)
    return cell_text(from_excel(value, book.epoch, timedelta=is_timedelta_format(code)))


_VALUES: dict[str, Callable[[_Workbook, str], str]] = {
    "s": lambda book, text: book.strings[int(text)],
    "b": lambda book, text: "true" if text.strip() == "1" else "false",
    **dict.fromkeys(("str", "inlineStr", "e", "d"), lambda book, text: text),
}
"""Parsers of cell values by type; other types are numbers."""


def _check_length(length: int) -> None:
    if length > LONGEST_CELL:
        raise Unusable(f"has a cell with more than {LONGEST_CELL:,} characters")
