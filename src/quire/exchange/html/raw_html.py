"""HTML that stays HTML inside Markdown: only allowed tags, and no blank lines."""

import re
from collections.abc import Callable
from html import escape

from bs4.element import NavigableString, Tag

from quire.exchange.html.anchors import HEADINGS, anchor, without_anchors

BLOCKS = frozenset(
    "address article aside blockquote caption dd details div dl dt figcaption figure footer h1 h2 h3 "
    "h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_INLINE = frozenset(
    "a abbr b bdo br cite code del dfn em i img ins kbd mark q rp rt ruby s samp small strong sub sup "
    "time u var".split()
)
_BLOCK_TAGS = BLOCKS - frozenset("address article aside div footer header main nav section".split())
_ATTRIBUTES = {
    "a": ("href", "title"),
    "abbr": ("title",),
    "img": ("src", "alt", "title", "width", "height"),
    "ol": ("start",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan"),
    "time": ("datetime",),
    **dict.fromkeys(HEADINGS, ("id",)),
}
_LINES_AFTER = frozenset(
    "caption dd dl dt figcaption li ol p table tbody tfoot thead tr ul".split()
)
_RENAMED = {"acronym": "abbr", "strike": "s", "tt": "code"}
_UNSAFE_IN_ADDRESS = {"(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", '"': "%22"}
_MARKS = re.compile(r"[\\`*_\[\]~]")
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def safe_url(text: str) -> str:
    """The URL escaped for a Markdown link; empty if its scheme is not allowed."""
    address = re.sub(r"\s+", "%20", text.strip())
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() not in ("http", "https", "mailto"):
        return ""
    return "".join(_UNSAFE_IN_ADDRESS.get(character, character) for character in address)


def raw_html(el: Tag, *, inline: bool = False) -> str:
    """`el` and its content as HTML that Markdown leaves unchanged.

    Markdown ignores a block of HTML as a whole; `inline` is for HTML in the middle of a text, where
    Markdown is parsed between the tags, so its marks are escaped there.
    """
    lines = (line.strip() for line in _tag(el, _in_line if inline else _in_block).split("\n"))
    return "\n".join(line for line in lines if line)


Write = Callable[[str], str]


def _in_block(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", escape(text, quote=False))


def _in_line(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", _in_block(text))


def _escape_preformatted(text: str) -> str:
    """Line breaks become character references: a blank line would end the HTML block."""
    return escape(text, quote=False).replace("\n", "&#10;")


def _inner(el: Tag, write: Write) -> str:
    return "".join(
        _tag(child, write) if isinstance(child, Tag) else write(str(child))
        for child in el.children
        if isinstance(child, Tag | NavigableString)
    )


def _tag(el: Tag, write: Write) -> str:
    name = _RENAMED.get(el.name, el.name)
    inner = _inner(el, _escape_preformatted if name == "pre" else write)
    if name not in _BLOCK_TAGS | _INLINE:
        return inner
    before = "" if name in HEADINGS else anchor(str(el.get("id") or ""))
    if name == "a":
        nested, inner = without_anchors(inner)
        before += nested
        if not el.get("href"):
            return f"{before}{inner}"
    opening = f"{before}<{name}{_attributes(el, name)}>"
    if name in ("br", "hr", "img"):
        return opening
    text = (
        inner.strip()
        if name in BLOCKS and name != "pre" and write is not _escape_preformatted
        else inner
    )
    return f"{opening}{text}</{name}>" + ("\n" if name in _LINES_AFTER else "")


def _attributes(el: Tag, name: str) -> str:
    attributes = ((key, str(el.get(key) or "")) for key in _ATTRIBUTES.get(name, ()))
    values = (
        (key, safe_url(value) if key in ("href", "src") else value) for key, value in attributes
    )
    return "".join(f' {key}="{escape(value)}"' for key, value in values if value)
