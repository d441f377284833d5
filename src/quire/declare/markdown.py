"""Converts Markdown to HTML: rendered once when it is written, cleaned by an allow-list.

comrak parses what GitHub parses, in linear time even for hostile input; nh3 parses as browsers do, so what it lets
through is what a browser sees. nh3 is slow only for deep nesting, which is shown as text.
"""

import hashlib
import html
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import nh3
from comrak import ExtensionOptions, RenderOptions, markdown_to_html

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.fields import Field
from quire.declare.fragment_ids import with_ids
from quire.declare.html_cleaner import HtmlCleaner
from quire.declare.unicode_text import is_blank
from quire.declare.value_kinds import MARKDOWN_BYTES
from quire.translations.messages import Message

EXTENSIONS = ExtensionOptions(table=True, strikethrough=True, footnotes=True)
OPTIONS = RenderOptions(unsafe_=True)
"""HTML is passed through, since nh3 cleans it."""
MAX_DEPTH = 500
"""The maximum nesting of elements; browsers stop at 512."""
MAX_GROWTH, ALWAYS_ALLOWED_LENGTH = 10, 100_000
"""HTML may be this many times as long as its Markdown, and always at least this long."""

TAGS = nh3.ALLOWED_TAGS | {"figure", "figcaption", "section"}
ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "*": {"id"},
    "code": {"class"},
    "sup": {"class"},
    "section": {"class"},
    "a": {"href", "hreflang", "title", "name", "class"},
    "img": {"src", "alt", "title", "width", "height"},
    "th": {"align", "scope", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
}
SCHEMES = {"http", "https", "mailto"}

LINK_REL = "ugc nofollow noopener noreferrer"

_CLEANER = HtmlCleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    url_schemes=SCHEMES,
    link_rel=LINK_REL,
)
_STRIPPER = HtmlCleaner(tags=set())
_TEXT = r"(?:[^<&\0\r\xa0\ufdd0]++|&(?:amp|lt|gt);)*+"
_PLAIN = re.compile(rf"{_TEXT}(?:</?(?:p|em|strong|del|code|pre|ul|ol|li|blockquote)>{_TEXT})*+")
"""HTML from comrak alone that nh3 would leave unchanged: no tag has an attribute."""
_LINK_OR_PICTURE = re.compile(r'<img([^"<>]*+(?:"[^"]*+"[^"<>]*+)*+)>|<a[ >]|</a>')
_ATTRIBUTE = re.compile(r' ([a-z]++)="([^"]*+)"')


def render_markdown(markdown: str) -> str:
    """Return safe HTML of a Markdown text."""
    return with_ids(_sanitize(markdown))


def render_comment(markdown: str) -> str:
    """Return safe HTML of a comment.

    Images become links, so that nothing is loaded from other sites; ids have a prefix, so that they never clash
    with those of the post.
    """
    digest = hashlib.sha256(markdown.encode()).hexdigest()[:8]
    return with_ids(_without_pictures(_sanitize(markdown)), prefix=f"c-{digest}-")


def takes_pictures(field: Field) -> bool:
    """Whether images in the Markdown of a field are shown."""
    return field.rendering is not render_comment


def render_footer(markdown: str) -> str:
    """Return safe HTML of the footer; ids have a prefix, so that they never clash with those of a page."""
    return with_ids(_sanitize(markdown), prefix="foot-")


def _sanitize(markdown: str) -> str:
    markup = markdown_to_html(markdown, EXTENSIONS, None, OPTIONS)
    if len(markup) > MAX_GROWTH * len(markdown) + ALWAYS_ALLOWED_LENGTH or is_too_deep(markup):
        return f"<pre>{html.escape(markdown)}</pre>\n"
    if "<" not in markdown:  # all tags are from comrak, so none is left open
        plain = markup.replace("&quot;", '"')
        if _PLAIN.fullmatch(plain):
            return plain
    return _CLEANER.clean(markup)


def _without_pictures(markup: str) -> str:
    """Return cleaned HTML with links in place of images; inside a link, only their text."""
    in_link = False

    def replace_tag(tag: re.Match[str]) -> str:
        nonlocal in_link
        if tag[1] is None:
            in_link = tag[0] != "</a>"
            return tag[0]
        attributes = dict(_ATTRIBUTE.findall(tag[1]))
        source, words = attributes.get("src", ""), attributes.get("alt", "").strip()
        if in_link or not source:
            return words
        return f'<a href="{source}" rel="{LINK_REL}">{words or source}</a>'

    return _LINK_OR_PICTURE.sub(replace_tag, markup)


# never nested in themselves: some are closed implicitly, the others have no content
_SHALLOW = "p|li|dt|dd|td|th|tr|option|br|hr|img|wbr|input|col|source|track|area|embed"
_TAG = re.compile(rf"<(/?)(?!(?:{_SHALLOW})(?![a-z0-9]))([a-z][a-z0-9]*+)")


def is_too_deep(markup: str) -> bool:
    """Whether elements are nested more than MAX_DEPTH deep, judging by the tags."""
    if markup.count("<") <= MAX_DEPTH:
        return False
    depth, opened = 0, Counter[str]()
    for end, name in _TAG.findall(markup.lower()):  # a pattern that ignores case is twice as slow
        step = (
            1 if not end else -min(opened[name], 1)
        )  # an end tag without a start tag ends nothing
        opened[name] += step
        depth += step
        if depth > MAX_DEPTH:
            return True
    return False


_MARKS = (
    (re.compile(r"^\s{0,3}(?:```|~~~).*$", re.MULTILINE), ""),
    (re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*\)|\[[^\[\]]*\])"), r"\1"),
    (re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+|\d{1,9}[.)]\s+)+", re.MULTILINE), ""),
    (re.compile(r"(\*\*|__|~~)(?=\S)([^*_~\n]+?)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)\*|(?<![\w_])_(?=\S)([^_\n]+?)_(?!\w)"), r"\1\2"),
    (re.compile(r"(`+)([^`\n]+)\1"), r"\2"),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), ""),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)
"""Markdown markup with its replacement in plain text."""
MAX_WORDS = 1000
"""The length up to which markup is removed from a text; nothing longer is shown on one line."""


def plain_words(markdown: str) -> str:
    """Return the beginning of a Markdown text without its markup, close enough for a title or an excerpt."""
    text = markdown[:MAX_WORDS]
    for pattern, words in _MARKS:
        text = pattern.sub(words, text)
    return " ".join(text.split())


def strip_tags(markup: str) -> str:
    """Return the text of HTML without tags."""
    return re.sub(r"\s+", " ", html.unescape(_STRIPPER.clean(markup))).strip()


def render_before_transaction(
    actor: Actor,
    id: int | None,
    values: dict[str, Any],
    rendering: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """Render a body before the database is locked: a long one takes a tenth of a second."""
    text = values.get("body")
    if not isinstance(text, str) or not is_within_limit(text):
        return {}
    return {"html": {text: (rendering or render_markdown)(text)}}


def render_within_limit(text: str) -> str:
    """Return safe HTML of an unvalidated text; empty if it is too long."""
    return render_markdown(text) if is_within_limit(text) else ""


def is_within_limit(text: str) -> bool:
    """Whether an unvalidated text can be rendered at all."""
    try:
        return len(text.encode()) <= MARKDOWN_BYTES
    except UnicodeEncodeError:
        return False


def render_field(change: Change, name: str = "body") -> None:
    """Set `<name>_html` when the Markdown field `name` changes; people may not leave it blank."""
    if change.changes(name):
        text = change.values[name]
        may_stay = change.actor.is_system or _is_same_as_before(change, name, text)
        if is_blank(text) and not may_stay:
            change.refuse(
                name,
                "too_short",
                Message("%(label)s is required.", label=Message(change.record.field(name).label)),
            )
        prepared_html = change.prepared.get("html", {}).get(text)
        rendering = change.record.field(name).rendering or render_markdown
        change.set(**{f"{name}_html": rendering(text) if prepared_html is None else prepared_html})


def _is_same_as_before(change: Change, name: str, text: str) -> bool:
    return change.state is not None and change.state[name] == text
