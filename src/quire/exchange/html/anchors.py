"""Link targets in imported HTML: the id of an element becomes `{#id}` of a heading, or an anchor.

Generated ids, such as WordPress's `attachment_5`, are kept only if a link in the text points to them.
"""

import re
from html import escape
from itertools import islice
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag

from quire.declare.fragment_ids import slug

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset(
    "p pre hr li dt dd div section main figure figcaption blockquote ul ol dl table caption tr td th details".split()
)
"""Elements that keep their id; ids of inline elements and images stay only if linked to."""
_PARENTS = frozenset("ul ol dl table thead tbody tfoot tr".split())
"""Elements without text of their own: the anchor goes into the first descendant with text."""
_CELLS = ("li", "dt", "dd", "td", "th", "caption")
_VOID = frozenset("a img hr br pre code kbd samp input".split())
"""Elements that get an anchor before them, not inside."""
_GENERATED = re.compile(
    r"(?:attachment|caption-attachment|gallery|more|post|media|docs-internal-guid|yui|block)[-_]?[\d_a-f-]*"
)
_ATTRIBUTE_LIST_ID = re.compile(r"[.:-]*+[^\W_]++(?:(?:[.:-]++|_++)[^\W_]++)*+[.:-]*+")
"""Ids that contain no Markdown emphasis."""
_NEAREST = 20
"""The number of nodes searched for a cell."""
_DEPTH = 5
"""The number of levels searched for a paragraph."""
_ANCHOR = re.compile(r'<a id="[^"<>]*+"></a>')


def anchor(id: str) -> str:
    """An empty element that can be linked to."""
    return f'<a id="{escape(id)}"></a>' if id else ""


def without_anchors(markup: str) -> tuple[str, str]:
    """The anchors of `markup`, and `markup` without them: links cannot be nested."""
    if '<a id="' not in markup:
        return "", markup
    return "".join(_ANCHOR.findall(markup)), _ANCHOR.sub("", markup)


def place_anchors(soup: BeautifulSoup) -> None:
    """Keep the `id` of headings and of elements in _VOID; put anchors into all other elements."""
    targets = _targets(soup)
    for el in soup.find_all(lambda tag: tag.has_attr("id") or tag.has_attr("name")):
        id = _id_of(el)
        for name in ("id", "name") if el.name != "param" else ("id",):
            del el[name]
        if id and _is_address(el, id, targets):
            _place(soup, el, id)


def _id_of(el: Tag) -> str:
    name = el.get("name") if el.name == "a" else None
    return "-".join(str(el.get("id") or name or "").split())


def _targets(soup: BeautifulSoup) -> set[str]:
    links = (str(link["href"]).strip() for link in soup.find_all("a", href=True))
    return {unquote(href[1:]) for href in links if href.startswith("#")}


def _is_address(el: Tag, id: str, targets: set[str]) -> bool:
    if id in targets or el.name in HEADINGS:
        return True
    authored = el.name in _BLOCKS or el.name == "a"
    return authored and not _GENERATED.fullmatch(id)


def _place(soup: BeautifulSoup, el: Tag, id: str) -> None:
    if el.name in HEADINGS or el.name in _VOID:
        el["id"] = id
        return
    cell = _first_cell(el) if el.name in _PARENTS else el
    if isinstance(cell, Tag):
        _first_with_words(cell).insert(0, soup.new_tag("a", id=id))


def _first_cell(el: Tag) -> Tag | None:
    nearest = islice(el.descendants, _NEAREST)
    return next((cell for cell in nearest if isinstance(cell, Tag) and cell.name in _CELLS), None)


def _first_with_words(el: Tag) -> Tag:
    """The paragraph or heading that begins `el`, or else `el` itself: an anchor alone would become
    an empty paragraph."""
    inner = el
    for _ in range(_DEPTH):
        if inner.name in ("p", *HEADINGS):
            return inner
        first = next((c for c in inner.children if isinstance(c, Tag) or str(c).strip()), None)
        if not isinstance(first, Tag):
            return el
        inner = first
    return el


def heading_id(el: Tag, text: str) -> tuple[str, str]:
    """The text before and after a heading's words that gives it the id of `el`."""
    id = str(el.get("id") or "")
    words = " ".join(el.get_text().split())
    if not id or not words or (id == slug(escape(words)) and not text.endswith("}")):
        return "", ""
    if _ATTRIBUTE_LIST_ID.fullmatch(id):
        return "", f" {{#{id}}}"
    return anchor(id), ""
