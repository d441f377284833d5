"""One post or page of a Ghost export: its state, dates, people, tags and text."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quire.exchange import names, places
from quire.exchange.html import plain_text, to_markdown
from quire.exchange.items import Entry, Person, Term, Unusable
from quire.exchange.moments import read_moment
from quire.exchange.wordpress_item import MOST_BODY_BYTES

MOST_HTML = 1024 * 1024
EXCERPT_LENGTH = 1000
PUBLIC = ("published", "scheduled")


@dataclass(frozen=True, slots=True)
class Post:
    """A row of the table of posts with what other tables say of it.

    `absolute` completes the addresses in a text.
    """

    row: dict[str, Any]
    meta: dict[str, Any]
    people: list[Person]
    tags: list[Term]
    absolute: Callable[[str], str]

    def text(self, name: str) -> str:
        """A text of the row, empty where there is none."""
        value = self.row.get(name)
        return value if isinstance(value, str) else ""

    def says(self, name: str) -> str:
        """The same of what is said beside it: in a table of its own, or in the row of old."""
        value = self.meta.get(name) or self.row.get(name)
        return value if isinstance(value, str) else ""

    @property
    def is_page(self) -> bool:
        """Whether it is a page; old exports have a mark instead of a type."""
        return self.text("type") == "page" or self.row.get("page") in (True, 1)


def entry_of(post: Post) -> Entry:
    """The post or page. Raises Unusable when it is too large or has no name."""
    kind = "page" if post.is_page else "post"
    id = post.text("uuid") or str(post.row.get("id") or "")
    if not id:
        raise Unusable("has no id")
    body, warning = _body(post)
    title = names.tidy(post.text("title")) or names.first_words(body)
    entry = Entry(
        f"{kind} {id}", f"{kind} {post.text('slug') or id}", names.shorten(title), body, kind
    )
    if warning:
        entry.warn(warning)
    if entry.title != title:
        entry.warn(f"title cut to {names.TITLE_LENGTH} characters")
    entry.slug = names.slug_from(post.text("slug")) or None
    entry.excerpt = names.shorten(plain_text(post.text("custom_excerpt")), EXCERPT_LENGTH)
    entry.seo_title = post.says("meta_title") or post.says("og_title")
    entry.seo_description = post.says("meta_description") or post.says("og_description")
    entry.tags = [] if post.is_page else _unique(post.tags)
    entry.person = post.people[0] if post.people else None
    for other in post.people[1:]:
        entry.warn(f"was written by {other.name} too")
    _set_state(entry, post)
    if address := post.text("canonical_url"):
        entry.warn(f"named {post.absolute(address)[:200]} as its first place, which is not kept")
    if entry.slug and not entry.draft:
        entry.old_paths = [path] if (path := places.old_path(f"/{entry.slug}/")) else []
    return entry


def _unique(tags: list[Term]) -> list[Term]:
    return list({tag.name.casefold(): tag for tag in reversed(tags)}.values())[::-1]


def _set_state(entry: Entry, post: Post) -> None:
    """What not everybody could read in Ghost is a draft here."""
    state, seen = post.text("status"), post.text("visibility") or "public"
    entry.draft = state not in PUBLIC or seen != "public"
    if state == "sent":
        entry.warn("was sent by mail only, so it is a draft")
    elif state in PUBLIC and seen != "public":
        entry.warn(f"was for {seen} only, so it is a draft")
    created = _moment(post, "created_at")
    entry.date = created if state == "draft" else _moment(post, "published_at") or created
    if state == "scheduled" and entry.date is None:
        entry.draft = True
        entry.warn("was scheduled for no time, so it is a draft")
    elif entry.date is None and not entry.draft:
        entry.warn("has no date, published now")


def _moment(post: Post, name: str) -> datetime | None:
    """Older exports have milliseconds since 1970 where newer ones have dates."""
    return read_moment(post.row.get(name))


def _body(post: Post) -> tuple[str, str]:
    """The text as Markdown below its picture, and a warning, mostly empty."""
    html, warning = post.absolute(names.printable(post.text("html"))), ""
    if len(html) > MOST_HTML:
        raise Unusable("its text is larger than 1 MB")
    if html.strip():
        body, warning = to_markdown(html)
    else:
        body = post.absolute(names.printable(post.text("markdown") or post.text("plaintext")))
        if post.text("lexical") or post.text("mobiledoc"):
            warning = "has no HTML in the export: its plain text was taken"
    body = "\n\n".join(part for part in (_picture(post), body.strip()) if part)
    if len(body.encode("utf-8", "replace")) > MOST_BODY_BYTES:
        raise Unusable(f"its text is larger than {MOST_BODY_BYTES // 1024} KB")
    return body, warning


def _picture(post: Post) -> str:
    """The feature image, which is no part of the text in Ghost, as its first line."""
    address = post.absolute(post.text("feature_image") or post.text("image")).strip()
    if not address:
        return ""
    alt = plain_text(post.says("feature_image_alt") or post.says("feature_image_caption"))
    tag = '<img src="{}" alt="{}">'.format(*(one.replace('"', "&quot;") for one in (address, alt)))
    return to_markdown(tag)[0]
