"""The size limit of a response, counted row by row, so that memory stays bounded."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from quire.errors import TooCostly, detail

FETCHED = 25
"""Rows that are read before they are counted. A list of the default length is read in one go, since counting
each row separately takes a tenth of its time."""


class SizeLimit:
    """The maximum number of bytes in a response, None for no limit.

    Texts are counted in characters, of which there are at most as many as bytes in UTF-8.
    """

    def __init__(self, limit: int | None = None):
        self.limit = limit
        self.size = 0

    def add(self, size: int) -> None:
        """Count `size` more bytes. Raises TooCostly beyond the limit."""
        if self.limit is not None:
            self.size += size
            self.check(self.size)

    def check(self, size: int) -> None:
        """Raise TooCostly if `size` bytes alone exceed the limit."""
        if self.limit is not None and size > self.limit:
            raise _too_costly(self.limit)

    def fetch(self, places: Sequence[int]) -> Callable[[Any], list[Any]]:
        """A function that reads the rows of a cursor or result like `fetch_rows`."""
        return partial(self.fetch_rows, places=places)

    def fetch_rows(self, result: Any, places: Sequence[int]) -> list[Any]:
        """The rows of a cursor or result, read FETCHED at a time and counted by their values at `places`."""
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
"""No limit, for readers inside the program, which decide themselves what they read."""


def _long_texts(rows: Sequence[Any], places: Sequence[int]) -> int:
    """The number of characters at `places`; one loop, because a call per value would cost more."""
    size = 0
    for row in rows:
        for place in places:
            value = row[place]
            size += len(value) if type(value) is str else text_size(value)
    return size


def text_size(value: Any) -> int:
    """The number of characters of all texts in a JSON value."""
    if isinstance(value, str):
        return len(value)
    size = 0
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, str):  # most parts are texts: a call for each would double the time
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
