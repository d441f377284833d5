"""WordPress' export format (WXR 1.0-1.2), read item by item so that its size does not matter."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from quire.exchange.items import Unusable

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


@dataclass(slots=True)
class Node:
    """An element of the export: texts by name (`wp:post_id`, `title`) and what repeats below it."""

    name: str
    texts: dict[str, str] = field(default_factory=dict)
    categories: list[dict[str, str]] = field(default_factory=list)
    meta: dict[str, list[str]] = field(default_factory=dict)
    comments: list["Node"] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        """The text called `name`, without spaces around it; empty when it is not there."""
        return self.texts.get(name, "").strip()


def read_nodes(file: Path) -> Iterator[Node]:
    """Every child of the channel: `item`, `wp:author`, `wp:category`, `wp:tag`, `title`, `link` ...

    Raises Unusable when the file is no export, is broken from some line on, or declares entities
    or refers to something outside; nothing outside is ever fetched.
    """
    try:
        with file.open("rb") as raw:
            stream = _Cleaned(raw)
            yield from _nodes(stream)
            if stream.mended:
                yield Node("warning", {"": "is not UTF-8 everywhere, read there as Windows-1252"})
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror})") from None
    except DefusedXmlException:
        raise Unusable(
            "declares entities or refers to other files, which an export never needs: refused"
        ) from None
    except ParseError as error:
        raise Unusable(f"is not well-formed XML from line {error.position[0]} on") from None
    except (ValueError, LookupError):
        raise Unusable("is not XML in an encoding that can be read") from None


def _nodes(stream: "_Cleaned") -> Iterator[Node]:
    above: list[Element] = []
    for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            above.append(element)
            _expect_rss(above)
            continue
        above.pop()
        if len(above) == 2:
            yield _node(element)
            above[-1].remove(element)  # what is done leaves the memory


def _expect_rss(above: list[Element]) -> None:
    if len(above) == 1 and above[0].tag != "rss":
        raise Unusable("is no WordPress export: it is no RSS file")
    if len(above) > 200:
        raise Unusable("is nested deeper than an export is")


def _name(element: Element) -> str:
    namespace, _, local = str(element.tag).rpartition("}")
    for part, prefix in _NAMESPACES:
        if part in namespace + "/":
            return f"{prefix}:{local}"
    return local


def _node(element: Element) -> Node:
    node = Node(_name(element), {"": element.text or ""})
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


def _add_meta(node: Node, element: Element) -> None:
    texts = {_name(child): child.text or "" for child in element}
    node.meta.setdefault(texts.get("wp:meta_key", ""), []).append(texts.get("wp:meta_value", ""))


class _Cleaned:
    """A file that an XML parser accepts: exports have stray controls, blank lines first, old bytes.

    Only what claims to be UTF-8 is mended; bytes in it that are not are read as Windows-1252.
    """

    def __init__(self, raw: BinaryIO):
        self.mended = False
        self._raw = raw
        self._first = raw.read(_CHUNK)
        self._as_it_is = self._first.startswith(_UTF16) or not _claims_utf8(self._first)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        if not self._as_it_is:
            self._first = self._first.removeprefix(codecs.BOM_UTF8).lstrip()

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes; none at the end."""
        while True:
            chunk, self._first = self._first or self._raw.read(max(size, _CHUNK)), b""
            if self._as_it_is:
                return chunk
            text = self._decoder.decode(chunk.translate(None, _CONTROLS), final=not chunk)
            if text or not chunk:
                return _NOT_UTF8.sub(self._mend, text).encode("utf-8")

    def _mend(self, found: re.Match[str]) -> str:
        self.mended = True
        return bytes([ord(found[0]) - 0xDC00]).decode("cp1252", "replace")


def _claims_utf8(start: bytes) -> bool:
    declared = _DECLARED.search(start[:1000])
    return declared is None or declared[1].lower() in (b"utf-8", b"utf8")
