"""Converts one post or page of a Ghost export: state, dates, people, tags and text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quire.exchange import names
from quire.exchange.dates import parse_datetime
from quire.exchange.html.to_markdown import plain_text, to_markdown
from quire.exchange.markdown import paths
from quire.exchange.model import ImportedPerson, ImportedPost, ImportedTerm, Unusable
from quire.exchange.restricted_parts import restriction_in_html, without_restricted_blocks
from quire.exchange.wordpress.item import MAX_BODY_BYTES

MAX_HTML = 1024 * 1024
EXCERPT_LENGTH = 1000
PUBLIC = ("published", "scheduled")
_GATED = re.compile(r"paywall|\"nonMember\"\s*:\s*false|\"showOnWeb\"\s*:\s*false", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GhostPost:
    """A row of the posts table with its data in other tables.

    `absolute` completes the addresses in a text.
    """

    row: dict[str, Any]
    meta: dict[str, Any]
    people: list[ImportedPerson]
    tags: list[ImportedTerm]
    absolute: Callable[[str], str]

    def text(self, name: str) -> str:
        """A text column of the row; empty if it has none."""
        value = self.row.get(name)
        return value if isinstance(value, str) else ""

    def meta_text(self, name: str) -> str:
        """A text column of the metadata, which is a table of its own or, in old exports, part of the row."""
        value = self.meta.get(name) or self.row.get(name)
        return value if isinstance(value, str) else ""

    @property
    def is_mail(self) -> bool:
        """Whether it was sent by email only."""
        return any(
            table.get("email_only") in (True, 1, "1", "true") for table in (self.meta, self.row)
        )

    @property
    def is_page(self) -> bool:
        """Whether it is a page; old exports have a flag instead of a type."""
        return self.text("type") == "page" or self.row.get("page") in (True, 1)


def imported_post(post: GhostPost) -> ImportedPost:
    """The post or page. Raises Unusable if it is too large or has no key."""
    kind = "page" if post.is_page else "post"
    id = post.text("uuid") or str(post.row.get("id") or "")
    if not id:
        raise Unusable("has no id")
    body, warnings = _body(post)
    title = names.single_line(post.text("title")) or names.first_words(body)
    entry = ImportedPost(
        f"{kind} {id}", f"{kind} {post.text('slug') or id}", names.shorten(title), body, kind
    )
    if entry.title != title:
        warnings.append(f"title shortened to {names.TITLE_LENGTH} characters")
    for warning in warnings:
        entry.warn(warning)
    _set_summary(entry, post)
    _set_people_and_tags(entry, post)
    _set_state(entry, post)
    _set_addresses(entry, post)
    return entry


def _set_summary(entry: ImportedPost, post: GhostPost) -> None:
    entry.excerpt = names.shorten(plain_text(post.text("custom_excerpt")), EXCERPT_LENGTH)
    entry.seo_title = post.meta_text("meta_title") or post.meta_text("og_title")
    entry.seo_description = post.meta_text("meta_description") or post.meta_text("og_description")


def _set_people_and_tags(entry: ImportedPost, post: GhostPost) -> None:
    entry.tags = [] if post.is_page else _unique(post.tags)
    entry.person = post.people[0] if post.people else None
    for other in post.people[1:]:
        entry.warn(f"was also written by {other.name}")


def _set_addresses(entry: ImportedPost, post: GhostPost) -> None:
    """Set the slug, and the path of a public post in Ghost."""
    entry.slug = names.slug_from(post.text("slug")) or None
    if address := post.text("canonical_url"):
        original = post.absolute(address)[:200]
        entry.warn(f"named {original} as its original address, which is not stored")
    if entry.slug and not entry.draft and (path := paths.old_path(f"/{entry.slug}/")):
        entry.old_paths = [path]


def _unique(tags: list[ImportedTerm]) -> list[ImportedTerm]:
    return list({tag.name.casefold(): tag for tag in reversed(tags)}.values())[::-1]


def _set_state(entry: ImportedPost, post: GhostPost) -> None:
    """Set state and date; posts that were not public in Ghost become drafts."""
    state, visibility = post.text("status"), post.text("visibility") or "public"
    entry.draft = state not in PUBLIC or visibility != "public"
    if state == "sent":
        entry.warn("was sent by email only, imported as a draft")
    elif state in PUBLIC and visibility != "public":
        entry.warn(f"was for {visibility} only, imported as a draft")
    created = _moment(post, "created_at")
    entry.date = created if state == "draft" else _moment(post, "published_at") or created
    if state == "scheduled" and entry.date is None:
        entry.draft = True
        entry.warn("was scheduled without a time, imported as a draft")
    elif entry.date is None and not entry.draft:
        entry.warn("has no date, so it is published now")
    if post.is_mail and state in PUBLIC:
        entry.warn("was for email only, imported as a draft")
    if restriction := _restriction(post):
        entry.warn(restriction)
    entry.draft = entry.draft or bool(restriction or post.is_mail)


def _restriction(post: GhostPost) -> str:
    """The warning if part of the text is restricted to some readers and cannot be removed."""
    if html := post.text("html").strip():
        return restriction_in_html(without_restricted_blocks(html)[0])
    source = post.text("lexical") or post.text("mobiledoc")
    return "has parts with limited access, imported as a draft" if _GATED.search(source) else ""


def _moment(post: GhostPost, name: str) -> datetime | None:
    """A date; older exports have milliseconds since 1970."""
    return parse_datetime(post.row.get(name))


def _body(post: GhostPost) -> tuple[str, list[str]]:
    """The text as Markdown after its feature image, and a warning, usually empty."""
    html = post.absolute(names.printable(post.text("html")))
    if len(html) > MAX_HTML:
        raise Unusable("its text is larger than 1 MB")
    html, parts = without_restricted_blocks(html)
    warnings = [f"{parts} part{'s' if parts > 1 else ''} for members only removed"] * bool(parts)
    if html.strip() or parts:
        body, warning = to_markdown(html)
        warnings += [warning] * bool(warning)
    else:
        body = post.absolute(names.printable(post.text("markdown") or post.text("plaintext")))
        if post.text("lexical") or post.text("mobiledoc"):
            warnings.append("has no HTML in the export, so its plain text was used")
    body = "\n\n".join(part for part in (_picture(post), body.strip()) if part)
    if len(body.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        raise Unusable(f"its text is larger than {MAX_BODY_BYTES // 1024} KB")
    return body, warnings


def _picture(post: GhostPost) -> str:
    """The feature image as the first line: in Ghost it is not part of the text."""
    address = post.absolute(post.text("feature_image") or post.text("image")).strip()
    if not address:
        return ""
    alt = plain_text(post.meta_text("feature_image_alt") or post.meta_text("feature_image_caption"))
    tag = '<img src="{}" alt="{}">'.format(*(one.replace('"', "&quot;") for one in (address, alt)))
    return to_markdown(tag)[0]
