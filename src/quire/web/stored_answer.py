"""A finished response as it is stored in memory: short bodies are packed, with what the response depends on."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from quire.web.response_key import Environ

Headers = list[tuple[str, str]]
HEADER_BYTES = 1700
"""Bytes of memory that a response takes in addition to its body, roughly."""
PACKED_BYTES = range(1024, 8192)
"""The lengths of bodies that are packed: there are many short ones, and unpacking one takes 1 % of the time needed
to create it; unpacking a long list would take as long as finding it."""
PACK_LEVEL = 1


class State(Protocol):
    """The state of the database `now`: versions, and the time of the next scheduled change."""

    now: datetime
    until: datetime

    def versions_of(self, names: Iterable[str]) -> Mapping[str, Any] | None:
        """Return the versions of these names; None if one of them has none."""

    def has(self, versions: Mapping[str, Any]) -> bool:
        """Whether all of these are current."""


@dataclass(slots=True)
class Answer:
    """A finished response, and what it depends on; `length` is that of its body, which is stored if it `is_shared`.

    `stored` is the body, packed if that saves anything.
    """

    headers: Headers
    stored: bytes
    length: int
    etag: str
    last_modified: str
    versions: Mapping[str, Any]
    route: str
    since: datetime
    until: datetime
    checks: tuple[Callable[[], bool], ...]
    repeated: tuple[Callable[[Environ], object], ...]
    is_shared: bool

    def holds(self, state: State) -> bool:
        """Whether it is still valid."""
        is_present = self.since <= state.now < self.until and state.has(self.versions)
        return is_present and all(check() for check in self.checks)

    def body(self) -> bytes:
        """The body as it is sent."""
        is_packed = len(self.stored) < self.length
        return zlib.decompress(self.stored) if is_packed else self.stored


def memory_of(answer: Answer) -> int:
    """Return roughly how many bytes a response takes."""
    return len(answer.stored) + HEADER_BYTES


def pack(body: bytes, environ: Environ) -> bytes:
    """Return `body`, packed if it is not compressed already and becomes shorter."""
    if environ["HTTP_ACCEPT_ENCODING"] != "identity" or len(body) not in PACKED_BYTES:
        return body
    packed = zlib.compress(body, PACK_LEVEL)
    return packed if len(packed) < len(body) else body
