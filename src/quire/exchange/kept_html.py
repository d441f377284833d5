"""The HTML that stays HTML inside Markdown: only tags that readers are shown, no blank lines."""

import re
from html import escape

from bs4 import NavigableString, Tag

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
}
_LINES_AFTER = frozenset("caption dd dl dt figcaption li ol p table tbody tfoot thead tr ul".split())
_RENAMED = {"acronym": "abbr", "strike": "s", "tt": "code"}
_UNSAFE_IN_ADDRESS = {"(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", '"': "%22"}
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.I)


def address_of(text: str) -> str:
    """An address that fits between Markdown's parentheses; empty when its scheme does not belong."""
    address = re.sub(r"\s+", "%20", text.strip())
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() not in ("http", "https", "mailto"):
        return ""
    return "".join(_UNSAFE_IN_ADDRESS.get(character, character) for character in address)


def kept(el: Tag) -> str:
    """`el` and what is in it as HTML that Markdown leaves alone."""
    lines = (line.strip() for line in _tag(el, False).split("\n"))
    return "\n".join(line for line in lines if line)


def _inner(el: Tag, preformatted: bool) -> str:
    return "".join(
        _tag(child, preformatted) if isinstance(child, Tag) else _text(child, preformatted)
        for child in el.children
        if isinstance(child, Tag | NavigableString)
    )


def _text(text: NavigableString, preformatted: bool) -> str:
    """Line breaks in preformatted text are written as references: a blank line ends the HTML."""
    escaped = escape(str(text), quote=False)
    return escaped.replace("\n", "&#10;") if preformatted else re.sub(r"[ \t\r\n]+", " ", escaped)


def _tag(el: Tag, preformatted: bool) -> str:
    name = _RENAMED.get(el.name, el.name)
    inner = _inner(el, preformatted or name == "pre")
    if name not in _BLOCK_TAGS | _INLINE:
        return inner
    opening = f"<{name}{_attributes(el, name)}>"
    if name in ("br", "hr", "img"):
        return opening
    text = inner.strip() if name in BLOCKS and not preformatted and name != "pre" else inner
    return f"{opening}{text}</{name}>" + ("\n" if name in _LINES_AFTER else "")


def _attributes(el: Tag, name: str) -> str:
    found = ((key, str(el.get(key) or "")) for key in _ATTRIBUTES.get(name, ()))
    values = ((key, address_of(value) if key in ("href", "src") else value) for key, value in found)
    return "".join(f' {key}="{escape(value)}"' for key, value in values if value)
