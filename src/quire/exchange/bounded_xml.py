"""XML of strangers, parsed piece by piece: no part of it has to fit into memory, nothing in it unfolds."""

from collections.abc import Iterator
from typing import IO, Protocol
from xml.parsers import expat

from quire.exchange.model import Unusable

PIECE = 64 * 1024
LONGEST_TOKEN = 1024**2
"""Bytes of one tag; parsers keep it whole."""

Attributes = dict[str, str]


class Handler(Protocol):
    """What is told of each element, by its name without a namespace."""

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Some of the text in the element that is open."""


def parse(stream: IO[bytes], handler: Handler) -> Iterator[None]:
    """Tell `handler` what stands in `stream`; returns to the caller after each piece.

    Raises Unusable for what declares a document type, or has a tag of more than a megabyte, and
    expat.ExpatError for what is not well-formed.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, given: handler.start(_local(name), given)
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
