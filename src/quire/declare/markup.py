"""Markdown to HTML: rendered once when written, cleaned by an allow-list.

markdown-it-py is linear on hostile input where Python-Markdown is quadratic; nh3 parses as
browsers do, so that what it lets through is what a browser sees.
"""

import html
import re
from typing import Any

import nh3
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.values import MARKDOWN_BYTES

_parser = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
_parser.use(footnote_plugin)

TAGS = nh3.ALLOWED_TAGS | {"figure", "figcaption", "section"}
ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "code": {"class"},
    "li": {"id"},
    "sup": {"class"},
    "section": {"class"},
    "a": {"href", "hreflang", "title", "id", "class"},
    "img": {"src", "alt", "title", "width", "height"},
    "th": {"align", "scope", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
}
SCHEMES = {"http", "https", "mailto"}

_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    url_schemes=SCHEMES,
    link_rel="ugc nofollow noopener noreferrer",
)


def rendered(markdown: str) -> str:
    """Safe HTML of a Markdown text."""
    return clean(_parser.render(markdown))


def clean(markup: str) -> str:
    """The part of `markup` that the allow-list lets through."""
    return _cleaner.clean(markup)


def words_of(markup: str) -> str:
    """The words of HTML, without tags."""
    return re.sub(r"\s+", " ", html.unescape(nh3.clean(markup, tags=set()))).strip()


def render_ahead(actor: Actor, id: int | None, given: dict[str, Any]) -> dict[str, Any]:
    """Render a body while the database is not locked: a long one takes a tenth of a second."""
    text = given.get("body")
    if not isinstance(text, str) or not _fits(text):
        return {}
    return {"html": {text: rendered(text)}}


def rendered_if_it_fits(text: str) -> str:
    """Safe HTML of a text that nobody has checked yet; nothing of one that is too long."""
    return rendered(text) if _fits(text) else ""


def _fits(text: str) -> bool:
    """Whether a text that nobody has checked yet can be rendered at all."""
    try:
        return len(text.encode()) <= MARKDOWN_BYTES
    except UnicodeEncodeError:
        return False


def render(change: Change, name: str = "body") -> None:
    """Make `<name>_html` when the Markdown field `name` is given."""
    if change.gives(name):
        text = change.values[name]
        made = change.ready.get("html", {}).get(text)
        change.set(**{f"{name}_html": rendered(text) if made is None else made})
