"""Converts HTML to Markdown; what Markdown cannot express stays HTML."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import nh3
from bs4 import BeautifulSoup, Tag
from markdownify import ATX

from quire.declare.html_cleaner import HtmlCleaner
from quire.declare.markdown import is_too_deep
from quire.exchange.html.anchors import place_anchors
from quire.exchange.html.converter import HtmlConverter
from quire.exchange.html.raw_html import safe_url

_EMBEDDED = ("iframe", "embed", "object", "video", "audio")
_READ = nh3.ALLOWED_TAGS | {
    *_EMBEDDED,
    "source",
    "param",
    "input",
    "big",
    "font",
    "button",
    "main",
    "section",
}
_ATTRIBUTES = {
    "*": {"class", "title", "id"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "time": {"datetime"},
    "param": {"name", "value"},
    **{name: {"src", "data"} for name in (*_EMBEDDED, "source")},
}
_CLEANER = HtmlCleaner(tags=set(_READ), attributes=_ATTRIBUTES, link_rel=None)
_WORDS = HtmlCleaner(tags=set())
_TOO_DEEP = "markup nested too deeply, kept as plain text"
_SHOWN_TAG = re.compile(r"</?(?!script|style)[a-z][^<>]*+>", re.IGNORECASE)
"""nh3 takes quadratic time in the nesting depth, so tags in deep markup are removed first."""
_PLAYER = re.compile(f"<({'|'.join(_EMBEDDED)})")
_PLAIN = re.compile(
    r"\s*+[^\W\d_](?:[^\W_]|[ ,.;:!?'\"()/-])*+"
)  # one line in which Markdown sees no marks
_FENCE = re.compile(r"^[ >]*+(?:[-*] ++|\d++\. ++)*+(`{3,})")


def plain_text(html: str) -> str:
    """The text of `html` without tags, on one line."""
    if "<" not in html and "&" not in html:
        return " ".join(html.split())
    flat = _SHOWN_TAG.sub(" ", html) if is_too_deep(html) else html
    return " ".join(unescape(_WORDS.clean(flat)).split())


def to_markdown(html: str) -> tuple[str, str]:
    """`html` as Markdown, and a warning, usually empty.

    The HTML is parsed as browsers do; scripts, styles and forms are removed, players become links.
    If the markup is nested too deeply, only its text is kept, and the warning says so.
    """
    if _PLAIN.fullmatch(html):
        return html.strip(), ""
    if is_too_deep(html):
        return plain_text(html), _TOO_DEEP
    clean = _CLEANER.clean(html)
    soup = BeautifulSoup(clean, "html.parser")
    try:
        _prepare(soup, clean)
        return _tidy(HtmlConverter(heading_style=ATX).convert_soup(soup)), ""
    except RecursionError:
        return "\n\n".join(soup.stripped_strings), _TOO_DEEP


def _tidy(markdown: str) -> str:
    """Collapse blank lines outside code; two line breaks in a row begin a paragraph."""
    lines: list[str] = []
    fence = ""
    for line in re.sub(r" {2}\n(?: {2}\n)+", "\n\n", markdown).split("\n"):
        fence_mark = _FENCE.match(line)
        if fence_mark and fence in ("", fence_mark[1]):
            fence = "" if fence else fence_mark[1]
        if line.strip() or fence or (lines and lines[-1].strip()):
            lines.append(line if fence or line.strip() else "")
    return "\n".join(lines).strip()


def _prepare(soup: BeautifulSoup, html: str) -> None:
    """Replace elements that need another form; searching `html` first skips those that do not occur."""
    if " id=" in html or " name=" in html:
        place_anchors(soup)
    inner: set[int] = set()
    for player in soup.find_all(_EMBEDDED) if _PLAYER.search(html) else ():
        if id(player) not in inner:
            inner.update(map(id, player.find_all(_EMBEDDED)))
            _link_instead(soup, player)
    for gallery in soup.find_all("ul", class_=re.compile("gallery")) if "gallery" in html else ():
        for item in gallery.find_all("li", recursive=False):
            item.unwrap()
        gallery.unwrap()
    for numbered in soup.find_all("ol") if "<ol" in html else ():
        _number(numbered)
    for control in soup.find_all("input") if "<input" in html else ():
        control.decompose()


def _number(numbered: Tag) -> None:
    """Number the items of a list here: counting previous siblings would take quadratic time."""
    first = str(numbered.get("start") or "1")
    start = int(first) if first.isdecimal() and len(first) < 9 else 1
    for number, item in enumerate(numbered.find_all("li", recursive=False), start):
        item["value"] = str(number)


def _link_instead(soup: BeautifulSoup, player: Tag) -> None:
    address = _media_source(player)
    if not urlsplit(address).netloc:
        player.decompose()
        return
    link = soup.new_tag("a", href=address)
    link.string = str(player.get("title") or "") or address
    paragraph = soup.new_tag("p")
    paragraph.append(link)
    player.replace_with(paragraph)


def _media_source(player: Tag) -> str:
    """The URL that a player plays: its own, its first source's, or that of a Flash movie."""
    inner: list[Any] = [player, *player.find_all(["source", "embed", "iframe"])]
    sources = (str(each.get("src") or each.get("data") or "") for each in inner)
    movies = (
        str(each.get("value") or "") for each in player.find_all("param", attrs={"name": "movie"})
    )
    return safe_url(next((address for address in (*sources, *movies) if address), ""))
