"""Ids in the HTML of a text, so that links to its parts work.

Headings get ids as on GitHub (https://github.com/gjtorikian/html-pipeline, toc filter), ids by their authors stay,
and no text can have an id that a page needs for itself.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

# cleaned HTML has every attribute in double quotes and every "<" in text escaped
_ATTRIBUTES = r'[^"<>]*+(?:"[^"]*+"[^"<>]*+)*+'
_TAG = re.compile(rf"<[a-z][a-z0-9]*+{_ATTRIBUTES}>")
_ATTRIBUTE = re.compile(r' ([a-z]++)="([^"]*+)"')
_HEADING = re.compile(
    rf"<(h[1-6])({_ATTRIBUTES})>(.*?)</\1>(?:\n<p>(\{{:[^{{}}<>]*+\}})</p>)?", re.DOTALL
)
_ATTRIBUTE_LIST = re.compile(r"(?<=[^\s])\s*+(\{:?\s*+[#.][^{}<>]*+\})\s*+$")
_CUSTOM = re.compile(r"#([^\s{}<>\"&#]++)")
_ANY_TAG = re.compile(rf"</?[a-z][a-z0-9]*+{_ATTRIBUTES}>")
MAX_LENGTH = 200

PAGE_IDS = frozenset(
    "content comments comments-title contents related-title say say-title newer delete q q-error body "
    "body-error body-hint parent parent-error subject subject-error csrf_token csp_nonce".split()
)
"""Ids used by the pages that show texts."""
_PAGE_ID = re.compile(r"(?:comment-|year-|foot-|c-[0-9a-f]{8}-).*", re.DOTALL)


def with_ids(markup: str, prefix: str = "") -> str:
    """Return cleaned HTML whose headings have ids.

    Each id is unique, begins with `prefix`, and is none of a page's own. Links to an id that had to be changed are
    adapted.
    """
    ids = _Ids(prefix)
    if "<h" in markup:
        markup = _HEADING.sub(lambda heading: _add_heading_id(heading, ids), markup)
    if _has_claim(markup):
        markup = _TAG.sub(lambda tag: _claim_tag_id(tag[0], ids), markup)
    return _TAG.sub(lambda tag: _redirect_link(tag[0], ids), markup) if ids.renamed else markup


def _has_claim(markup: str) -> bool:
    """Whether any tag may have an attribute that `_claim_tag_id` handles."""
    return '="' in markup and (' id="' in markup or ' name="' in markup or ' cite="' in markup)


class _Ids:
    """The ids of one text: those in use, and those that had to be renamed."""

    def __init__(self, prefix: str):
        self.prefix = prefix
        self.taken: set[str] = set()
        self.renamed: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def claim(self, preferred_id: str) -> str:
        """Return an unused id, `preferred_id` if possible."""
        free = self.prefix or ("text-" if _is_page_id(preferred_id) else "")
        first = id = free + preferred_id[:MAX_LENGTH]
        while id in self.taken:
            number = self._numbers[first] = self._numbers.get(first, 0) + 1
            id = f"{first}-{number}"
        self.taken.add(id)
        if free:
            self.renamed.setdefault(preferred_id, id)
        return id


def _is_page_id(id: str) -> bool:
    return id in PAGE_IDS or (_PAGE_ID.fullmatch(id) is not None)


def _add_heading_id(heading: re.Match[str], ids: _Ids) -> str:
    """Return a heading with the id that its author has given it, in whatever way, or else one from its words."""
    name, attributes, inner, below = heading.groups()
    attribute_list = _ATTRIBUTE_LIST.search(inner)
    if attribute_list is not None:
        inner = inner[: attribute_list.start()]
    custom_id = _CUSTOM.search(below or (attribute_list[1] if attribute_list else ""))
    if " id=" not in attributes:
        attributes += f' id="{html.escape(custom_id[1] if custom_id else slug(inner))}"'
    return f"<{name}{attributes}>{inner}</{name}>"


def slug(inner: str) -> str:
    """Return the id of a heading: its words in lower case, with hyphens, without punctuation."""
    words = unicodedata.normalize("NFC", html.unescape(_ANY_TAG.sub("", inner))).strip().lower()
    characters = (char for char in words if char in "-_ " or char.isalnum() or _is_accent(char))
    return "".join(characters).replace(" ", "-") or "section"


def _is_accent(char: str) -> bool:
    """Unicode classifies the vowels of Hindi or Thai as marks."""
    return unicodedata.category(char).startswith("M")


def _claim_tag_id(tag: str, ids: _Ids) -> str:
    """Return a tag with a unique id; `<a name>` gets an id instead, a `cite` that is not a web address is removed."""
    if not _has_claim(tag):
        return tag
    has_id = ' id="' in tag

    def rewrite_attribute(attribute: re.Match[str]) -> str:
        name, value = attribute.groups()
        if name == "cite":
            return attribute[0] if value.startswith(("https://", "http://")) else ""
        if name not in ("id", "name") or (name == "name" and has_id):
            return "" if name == "name" else attribute[0]
        preferred_id = "-".join(html.unescape(value).split())
        return f' id="{html.escape(ids.claim(preferred_id))}"' if preferred_id else ""

    return _ATTRIBUTE.sub(rewrite_attribute, tag)


def _redirect_link(tag: str, ids: _Ids) -> str:
    def rewrite_attribute(attribute: re.Match[str]) -> str:
        name, value = attribute.groups()
        fragment = unquote(html.unescape(value[1:])) if value.startswith("#") else ""
        target = ids.renamed.get(fragment)
        return (
            attribute[0] if name != "href" or target is None else f' href="#{html.escape(target)}"'
        )

    return _ATTRIBUTE.sub(rewrite_attribute, tag) if ' href="#' in tag else tag


@dataclass(frozen=True)
class Section:
    """A heading of a text: its depth below the highest one, its id, its words."""

    depth: int
    id: str
    words: str


def sections(markup: str) -> list[Section]:
    """Return the headings of cleaned HTML that can be linked to, in order."""
    headings = list(_headings(markup))
    levels = sorted({level for level, _, _ in headings})
    return [Section(levels.index(level), id, words) for level, id, words in headings]


def _headings(markup: str) -> Iterator[tuple[str, str, str]]:
    for heading in _HEADING.finditer(markup):
        name, attributes, inner, _ = heading.groups()
        id = dict(_ATTRIBUTE.findall(attributes)).get("id", "")
        words = " ".join(html.unescape(_ANY_TAG.sub("", inner)).split())
        if id and words:
            yield name, html.unescape(id), words
