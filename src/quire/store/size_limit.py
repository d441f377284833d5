"""How much an answer may hold: counted row by row, so that too much is never in memory."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from quire.errors import TooCostly, detail

FETCHED = 25
"""Rows that are read before they are counted: a list of the usual length in one go, since counting each row
by itself takes a tenth of its time."""


class SizeLimit:
    """The bytes that an answer may have; None for any number.

    Texts are counted by their characters, which are at most their bytes in UTF-8.
    """

    def __init__(self, limit: int | None = None):
        self.limit = limit
        self.size = 0

    def add(self, size: int) -> None:
        """Count `size` bytes more. Raises TooCostly beyond the limit."""
        if self.limit is not None:
            self.size += size
            self.check(self.size)

    def check(self, size: int) -> None:
        """Raises TooCostly where `size` bytes alone are beyond the limit."""
        if self.limit is not None and size > self.limit:
            raise _too_costly(self.limit)

    def fetch(self, places: Sequence[int]) -> Callable[[Any], list[Any]]:
        """What reads the rows of a cursor or a result as `fetch_rows` does."""
        return partial(self.fetch_rows, places=places)

    def fetch_rows(self, result: Any, places: Sequence[int]) -> list[Any]:
        """The rows of a cursor or a result, FETCHED at a time counted by their values at `places`."""
        if self.limit is None or not places:
            return list(result.fetchall())
        rows: list[Any] = []
        more = True
        while more:
            some = result.fetchmany(FETCHED)
            self.add(_long_texts(some, places))
            rows += some
            more = len(some) == FETCHED
        return rows


UNLIMITED = SizeLimit()
"""Counts nothing: for readers inside the program, which choose themselves what they read."""


def _long_texts(rows: Sequence[Any], places: Sequence[int]) -> int:
    """The characters at `places`: nearly all are texts, for which a call each would cost more."""
    size = 0
    for row in rows:
        for place in places:
            value = row[place]
            size += len(value) if type(value) is str else text_size(value)
    return size


def text_size(value: Any) -> int:
    """The characters of all texts in a JSON value."""
    if isinstance(value, str):
        return len(value)
    size = 0
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, str):  # most parts are: a call for each takes twice the time
                size += len(part)
            elif isinstance(part, dict | list):
                size += text_size(part)
    return size


def _too_costly(limit: int) -> TooCostly:
    message = (
        f"The answer would be larger than {limit} bytes. Ask for less with per_page, "
        "include or fields."
    )
    details = [detail(name, "too_large", message) for name in ("per_page", "include")]
    return TooCostly(message, details=details)
