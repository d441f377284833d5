"""Parses untrusted XML piece by piece: no element has to fit into memory, and no entity is expanded."""

import time
from collections.abc import Iterable, Iterator
from typing import IO, Protocol
from xml.parsers import expat

from quire.exchange.model import Unusable

PIECE = 64 * 1024
LONGEST_TOKEN = 1024**2
"""The most bytes in one tag, which the parser holds in memory."""
MAX_DEPTH = 100
"""The most levels of nesting: the parser keeps a record of each open element."""
MAX_NAMES = 10_000
"""The most distinct names of elements, attributes and namespaces: the parser keeps each of them."""
MAX_SECONDS = 15
"""The processor time allowed to parse a file; two million cells take up to eight seconds."""

Attributes = dict[str, str]


class Handler(Protocol):
    """Receives the events of the parser; names come without their namespace."""

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Part of the text in the current element."""


def parse(stream: IO[bytes], handler: Handler) -> Iterator[None]:
    """Feed `stream` to `handler`; yields after each piece.

    Raises Unusable for a document type declaration, a tag of more than a megabyte, nesting that is
    too deep, and files that take longer than MAX_SECONDS; expat.ExpatError for XML that is not
    well-formed.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    elements = _Elements(handler)
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    parser.StartNamespaceDeclHandler = elements.names.add_namespace
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse
    fed, seconds = 0, 0.0
    while piece := stream.read(PIECE):
        begun = time.thread_time()
        parser.Parse(piece, False)
        seconds += time.thread_time() - begun
        fed += len(piece)
        if fed - parser.CurrentByteIndex > LONGEST_TOKEN:
            raise Unusable("contains a tag that is too large")
        if seconds > MAX_SECONDS:
            raise Unusable("takes too long to read")
        yield
    parser.Parse(b"", True)
    yield


class DifferentNames:
    """The names in a file. Raises Unusable if there are too many different ones."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def add(self, name: str, attributes: Iterable[str]) -> None:
        """Note the names of an element."""
        self._names.add(name)
        self._names.update(attributes)
        if len(self._names) > MAX_NAMES:
            raise Unusable("has too many different names of elements")

    def add_namespace(self, prefix: str | None, uri: str | None) -> None:
        """Note a declared namespace."""
        self.add(f"xmlns:{prefix}", (uri or "",))


class _Elements:
    """Passes elements to a handler by their names without the namespace, and counts what the parser keeps."""

    def __init__(self, handler: Handler):
        self._handler, self._depth = handler, 0
        self.names = DifferentNames()

    def start(self, name: str, attributes: Attributes) -> None:
        self.names.add(name, attributes)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unusable("is nested too deeply")
        self._handler.start(_local(name), attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self._handler.end(_local(name))


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse(*_: object) -> None:
    raise Unusable("declares entities, which are not allowed")
