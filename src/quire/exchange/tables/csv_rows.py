"""Reads CSV of many dialects row by row; files that would silently lose rows are rejected."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from quire.exchange.model import Unusable
from quire.exchange.tables.cells import LONGEST_CELL, MAX_COLUMNS, Row

DELIMITERS = ",;\t"
LONGEST_LINE = 4 * 1024**2
LONGEST_ROW = 8 * 1024**2
_SAMPLE = 64 * 1024
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=([^\r\n])\"?\r?\n", re.IGNORECASE)
"""The first line in which Excel and other programs name the separator."""

csv.field_size_limit(LONGEST_CELL)


def rows(file: Path, encoding: str) -> Iterator[Row]:
    """The rows of a CSV file with their numbers, from 1. Raises Unusable.

    The delimiter is the one in a line `sep=;`, or else the most frequent one in the first line. An
    unclosed quote is rejected, because it would pull all following rows into one cell.
    """
    with file.open(encoding=encoding, errors="replace", newline="") as text:
        sample = text.read(_SAMPLE)
        separator = _SEPARATOR_LINE.match(sample)
        text.seek(0)
        if separator is None:
            yield from _rows(text, _delimiter(sample), 1)
        else:
            text.readline()
            yield from _rows(text, separator[1], 2)


class _Lines:
    """The lines of a file, of limited length; `row_lines` are those of the current row."""

    def __init__(self, text: TextIO):
        self._text = text
        self.row_lines: list[str] = []
        self.is_ended = False

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_LINE + 1):
            self.row_lines.append(line)
            if len(line) > LONGEST_LINE or sum(map(len, self.row_lines[-2:])) > LONGEST_ROW:
                raise Unusable("has a line that is too long")
            yield line
        self.is_ended = True


def _rows(text: TextIO, delimiter: str, number: int) -> Iterator[Row]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unusable(_reason(lines, number, error)) from None
        if cells is None:
            return
        if len(lines.row_lines) > 1 or lines.is_ended:
            _check_quotes(lines, delimiter, number)
        if len(cells) > MAX_COLUMNS:
            raise Unusable(f"has more than {MAX_COLUMNS} columns (row {number})")
        yield number, cells
        lines.row_lines.clear()
        number += 1


def _reason(lines: _Lines, number: int, error: csv.Error) -> str:
    if len(lines.row_lines) > 1:
        return _unclosed_quote(number)
    return f"is not valid CSV ({error}, row {number})"


def _check_quotes(lines: _Lines, delimiter: str, number: int) -> None:
    """Check a row of several lines: its quotes must match, and the last one must be closed."""
    try:
        list(csv.reader(lines.row_lines, delimiter=delimiter, strict=True))
    except csv.Error:
        raise Unusable(_unclosed_quote(number)) from None


def _unclosed_quote(number: int) -> str:
    return f"has a quote in row {number} that is never closed"


def _delimiter(text: str) -> str:
    """The most frequent delimiter in the first line, outside quotes."""
    line: list[str] = []
    quoted = False
    for char in text:
        quoted ^= char == '"'
        if char == "\n" and not quoted and line:
            break
        if not quoted:
            line.append(char)
    return max(DELIMITERS, key=line.count)
