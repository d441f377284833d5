"""Markdown to HTML: rendered once when written, cleaned by an allow-list.

cmark-gfm is GitHub's parser, linear on hostile input; nh3 parses as browsers do, so that what it
lets through is what a browser sees. nh3 takes long over deep nesting only: that is shown as text.
"""

import html
import re
from typing import Any

import cmarkgfm
import nh3
from cmarkgfm.cmark import Options

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.values import MARKDOWN_BYTES

OPTIONS = (
    Options.CMARK_OPT_UNSAFE  # HTML passes: nh3 decides about it
    | Options.CMARK_OPT_FOOTNOTES
    | Options.CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE
)
EXTENSIONS = ["table", "strikethrough"]
DEEPEST = 500
"""How many elements may stand in one another; browsers stop at 512."""
GROWTH, FREE = 10, 100_000
"""HTML may be so many times as long as its Markdown, and so many characters in any case."""

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
    markup = cmarkgfm.markdown_to_html_with_extensions(markdown, OPTIONS, EXTENSIONS)
    if len(markup) > GROWTH * len(markdown) + FREE or _is_deep(markup):
        return f"<pre>{html.escape(markdown)}</pre>\n"
    # every reference costs nh3 a microsecond, and a text can be all ampersands
    lighter = markup.replace(_AMPERSAND, "").replace("&amp;", _AMPERSAND)
    return _cleaner.clean(lighter).replace(_AMPERSAND, "&amp;")


_AMPERSAND = "\ufdd0"
"""A code point that is no character and stands in no text: https://www.unicode.org/faq/private_use."""
# these never stand in one another: some close by themselves, the others hold nothing
_SHALLOW = "p|li|dt|dd|td|th|tr|option|br|hr|img|wbr|input|col|source|track|area|embed"
_TAG = re.compile(rf"<(/?)(?!(?:{_SHALLOW})(?![a-z0-9]))[a-z]")


def _is_deep(markup: str) -> bool:
    """Whether elements stand in one another more than DEEPEST times, as far as tags tell."""
    if markup.count("<") <= DEEPEST:
        return False
    depth = 0
    for end in _TAG.findall(markup.lower()):  # a pattern that ignores case takes twice as long
        depth = max(depth - 1, 0) if end else depth + 1
        if depth > DEEPEST:
            return True
    return False


def words_of(markup: str) -> str:
    """The words of HTML, without tags."""
    return re.sub(r"\s+", " ", html.unescape(nh3.clean(markup, tags=set()))).strip()


def render_ahead(actor: Actor, id: int | None, given: dict[str, Any]) -> dict[str, Any]:
    """Render a body while the database is not locked: a long one takes a tenth of a second."""
    text = given.get("body")
    if not isinstance(text, str) or not fits(text):
        return {}
    return {"html": {text: rendered(text)}}


def rendered_if_it_fits(text: str) -> str:
    """Safe HTML of a text that nobody has checked yet; nothing of one that is too long."""
    return rendered(text) if fits(text) else ""


def fits(text: str) -> bool:
    """Whether a text that nobody has checked yet can be rendered at all."""
    try:
        return len(text.encode()) <= MARKDOWN_BYTES
    except UnicodeEncodeError:
        return False


def render(change: Change, name: str = "body") -> None:
    """Make `<name>_html` when the Markdown field `name` is given; people give more than spaces."""
    if change.gives(name):
        text = change.values[name]
        if not (text.strip() or change.actor.is_system or _had(change, name, text)):
            change.refuse(name, "too_short", f"{change.record.field(name).label} is required.")
        made = change.ready.get("html", {}).get(text)
        change.set(**{f"{name}_html": rendered(text) if made is None else made})


def _had(change: Change, name: str, text: str) -> bool:
    return change.state is not None and change.state[name] == text
