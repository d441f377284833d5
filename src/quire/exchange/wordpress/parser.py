"""Parses the WordPress export format (WXR 1.0-1.2) item by item, so that files can have any size."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from quire.exchange.bounded_xml import DifferentNames
from quire.exchange.model import Unusable

_NAMESPACES = (
    ("/excerpt/", "excerpt"),
    ("/export/", "wp"),
    ("/modules/content/", "content"),
    ("/dc/elements/", "dc"),
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARED = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_CHUNK = 64 * 1024
LARGEST_TEXT = 5 * 1024**2
"""The most bytes between two tags, and in one tag."""
LARGEST_ITEM = 20 * 1024**2
MAX_ELEMENTS = 200_000
"""The most elements in one item; a post has about thirty, and each comment a dozen."""
MAX_UNKNOWN = 10_000
"""The most elements of a channel that an import cannot use; exports have about ten."""
_KNOWN = {"item", "wp:author", "wp:category", "wp:tag", "wp:term"}
"""The elements whose number grows with the blog, each with child elements."""


@dataclass(slots=True)
class WxrNode:
    """An element of the export: texts by name (`wp:post_id`, `title`), and its repeated children."""

    name: str
    texts: dict[str, str] = field(default_factory=dict)
    categories: list[dict[str, str]] = field(default_factory=list)
    meta: dict[str, list[str]] = field(default_factory=dict)
    comments: list["WxrNode"] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        """The text called `name`, without surrounding spaces; empty if there is none."""
        return self.texts.get(name, "").strip()


def read_nodes(file: Path) -> Iterator[WxrNode]:
    """Every child of the channel: `item`, `wp:author`, `wp:category`, `wp:tag`, `title`, `link` ...

    Raises Unusable if the file is not an export, is malformed from some line on, declares entities,
    or refers to external resources, which are never fetched.
    """
    try:
        with file.open("rb") as raw:
            stream = _CleanedStream(raw)
            yield from _nodes(stream)
            if stream.is_repaired:
                yield WxrNode(
                    "warning", {"": "is not entirely valid UTF-8; the rest is read as Windows-1252"}
                )
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror})") from None
    except DefusedXmlException:
        raise Unusable("declares entities or refers to other files, which is not allowed") from None
    except ParseError as error:
        raise Unusable(f"is not well-formed XML (line {error.position[0]})") from None
    except (ValueError, LookupError):
        raise Unusable("is not XML in a supported encoding") from None


def _nodes(stream: "_CleanedStream") -> Iterator[WxrNode]:
    above: list[Element] = []
    count, unknown, names = 0, 0, DifferentNames()
    for event, element in iterparse(stream, events=("start-ns", "start", "end"), forbid_dtd=True):
        if event == "start-ns":
            names.add_namespace(*element)
            continue
        stream.waiting = 0
        if event == "start":
            names.add(element.tag, element.keys())
            above.append(element)
            count += 1
            _expect_rss(above)
            _check_size(count, stream.size)
            continue
        above.pop()
        if len(above) == 2:
            node = _node(element)
            unknown += node.name not in _KNOWN or not len(element)
            if unknown > MAX_UNKNOWN:
                raise Unusable("has too many elements that are not posts")
            yield node
            above[-1].remove(element)  # frees the memory of processed elements
            stream.size = count = 0


def _check_size(count: int, size: int) -> None:
    if count > MAX_ELEMENTS or size > LARGEST_ITEM:
        raise Unusable("contains an item that is too large")


def _expect_rss(above: list[Element]) -> None:
    if len(above) == 1 and above[0].tag != "rss":
        raise Unusable("is not a WordPress export: it is not an RSS file")
    if len(above) > 200:
        raise Unusable("is nested too deeply")


def _name(element: Element) -> str:
    namespace, _, local = str(element.tag).rpartition("}")
    for part, prefix in _NAMESPACES:
        if part in namespace + "/":
            return f"{prefix}:{local}"
    return local


def _node(element: Element) -> WxrNode:
    node = WxrNode(_name(element), {"": element.text or ""})
    for child in element:
        name = _name(child)
        if name == "category":
            node.categories.append({**child.attrib, "name": (child.text or "").strip()})
        elif name == "wp:postmeta":
            _add_meta(node, child)
        elif name == "wp:comment":
            node.comments.append(_node(child))
        else:
            node.texts.setdefault(name, child.text or "")
    return node


def _add_meta(node: WxrNode, element: Element) -> None:
    texts = {_name(child): child.text or "" for child in element}
    node.meta.setdefault(texts.get("wp:meta_key", ""), []).append(texts.get("wp:meta_value", ""))


class _CleanedStream:
    """A file cleaned for the XML parser of stray controls, leading blank lines and invalid bytes.

    Only files that claim to be UTF-8 are cleaned; invalid bytes are read as Windows-1252.
    """

    def __init__(self, raw: BinaryIO):
        self.is_repaired = False
        self.waiting = self.size = 0
        self._raw = raw
        self._first = raw.read(_CHUNK)
        self._as_it_is = self._first.startswith(_UTF16) or not _claims_utf8(self._first)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        if not self._as_it_is:
            self._first = self._first.removeprefix(codecs.BOM_UTF8).lstrip()

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes; none at the end. Raises Unusable inside a text longer than in any export."""
        piece = self._next(size)
        self.waiting += len(piece)
        self.size += len(piece)
        if self.waiting > LARGEST_TEXT:
            raise Unusable(f"contains a text or a tag of more than {LARGEST_TEXT // 1024**2} MB")
        return piece

    def _next(self, size: int) -> bytes:
        while True:
            chunk, self._first = self._first or self._raw.read(max(size, _CHUNK)), b""
            if self._as_it_is:
                return chunk
            text = self._decoder.decode(chunk.translate(None, _CONTROLS), final=not chunk)
            if text or not chunk:
                return _NOT_UTF8.sub(self._repair, text).encode("utf-8")

    def _repair(self, match: re.Match[str]) -> str:
        self.is_repaired = True
        return bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace")


def _claims_utf8(start: bytes) -> bool:
    declared = _DECLARED.search(start[:1000])
    return declared is None or declared[1].lower() in (b"utf-8", b"utf8")
