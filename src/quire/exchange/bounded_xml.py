"""Parses untrusted XML piece by piece: no element has to fit into memory, and no entity is
expanded."""

from collections.abc import Iterator
from typing import IO, Protocol
from xml.parsers import expat

from quire.exchange.model import Unusable

PIECE = 64 * 1024
LONGEST_TOKEN = 1024**2
"""Most bytes of one tag, since parsers hold a tag in memory."""

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

    Raises Unusable for a document type declaration or a tag of more than a megabyte, and
    expat.ExpatError for XML that is not well-formed.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: handler.start(_local(name), attributes)
    parser.EndElementHandler = lambda name: handler.end(_local(name))
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse
    fed = 0
    while piece := stream.read(PIECE):
        parser.Parse(piece, False)
        fed += len(piece)
        if fed - parser.CurrentByteIndex > LONGEST_TOKEN:
            raise Unusable("contains a tag that is too large")
        yield
    parser.Parse(b"", True)
    yield


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse(*_: object) -> None:
    raise Unusable("declares entities, which are not allowed")
