"""Converts an imported post or page to the values that the store accepts."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from quire.declare.clock import now, rfc3339
from quire.declare.record import Record
from quire.errors import Conflict
from quire.exchange.model import ImportedPost
from quire.exchange.names import first_words, shorten, single_line
from quire.exchange.people import PersonResolver
from quire.exchange.terms import TermResolver
from quire.records import POSTS
from quire.store.changes.slugs import free_slug
from quire.store.db import read_connection, savepoint, transaction
from quire.store.write import Saved

NO_TEXT = "\n"
"""The body of a post without text: a body is required, and this one shows nothing."""

Raw = dict[str, Any]


class PostValues:
    """Converts entries to raw values; creates people, categories and tags as needed."""

    def __init__(self, people: PersonResolver, categories: TermResolver, tags: TermResolver):
        self._people = people
        self._categories = categories
        self._tags = tags

    def new_values(self, record: Record, entry: ImportedPost) -> Raw:
        """All values of a new record; its date is that of the source, or now."""
        raw = self._common(record, entry)
        if entry.slug:
            raw["slug"] = _free(record, entry.slug)
        moment = now()
        raw["created_at"] = rfc3339(min(entry.date or moment, moment))
        raw["published_at"] = None if entry.draft else rfc3339(entry.date or moment)
        if record is POSTS and entry.trashed:
            raw["deleted_at"] = rfc3339(moment)
        return raw

    def changed_values(self, record: Record, entry: ImportedPost, slug: str) -> Raw:
        """All values of an existing record; `slug` stays unless the source's has changed."""
        raw = self._common(record, entry)
        if entry.slug and not _is_numbered(slug, entry.slug):
            raw["slug"] = _free(record, entry.slug)
        if entry.draft:
            raw["published_at"] = None
        elif entry.date is not None:
            raw["published_at"] = rfc3339(entry.date)
        else:
            raw["published"] = True
        return raw

    def _common(self, record: Record, entry: ImportedPost) -> Raw:
        title = entry.title or first_words(entry.body) or "Untitled"
        raw: Raw = {"title": shorten(title), "body": entry.body or NO_TEXT, **_seo(record, entry)}
        if record is not POSTS:
            return raw | {"position": entry.position}
        category = entry.category
        return raw | {
            "excerpt": entry.excerpt,
            "author": self._people.id_of(entry.person),
            "category": None if category is None else self._categories.id_of(category),
            "tags": self._tag_ids(record, entry),
            "unpublish_at": _text(_end(entry)),
            "comments_open": entry.comments_open,
        }

    def _tag_ids(self, record: Record, entry: ImportedPost) -> list[int]:
        """The ids of its tags, up to the maximum for a post."""
        many = record.field("tags").many
        names = {tag.name.casefold(): tag for tag in reversed(entry.tags)}
        tags = list(names.values())[::-1]
        if many is not None and len(tags) > many.max_items:
            entry.warn(f"has {len(tags)} tags; only the first {many.max_items} were imported")
            tags = tags[: many.max_items]
        return list(dict.fromkeys(map(self._tags.id_of, tags)))


def _seo(record: Record, entry: ImportedPost) -> Raw:
    """The fields for search engines, cut to their limits."""
    values = {"seo_title": entry.seo_title, "seo_description": entry.seo_description}
    lengths = {name: record.field(name).kind.length or 0 for name in values}
    return {name: shorten(single_line(text), lengths[name]) for name, text in values.items()}


def _end(entry: ImportedPost) -> datetime | None:
    """When to unpublish the entry; one that expires before it is published becomes a draft."""
    if entry.unpublish_at and not entry.draft and entry.unpublish_at <= (entry.date or now()):
        entry.draft = True
        entry.warn("expires before it is published, imported as a draft")
    return None if entry.draft else entry.unpublish_at


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _free(record: Record, slug: str) -> str:
    column = record.table.c.slug
    with read_connection() as connection:
        same = connection.execute(select(column).where(column == slug)).first()
    return slug if same is None else free_slug(record, slug)


def with_free_slug(record: Record, raw: Raw, change: Callable[[Raw], Saved]) -> Saved:
    """Call `change(raw)`, and again with another slug whenever a concurrent change has taken the slug."""
    while True:
        try:
            with transaction() as connection, savepoint(connection):
                return change(raw)
        except Conflict as error:
            if "slug" not in error.fields or "slug" not in raw:
                raise
            raw = raw | {"slug": free_slug(record, raw["slug"])}


def _is_numbered(slug: str, original: str) -> bool:
    """Whether `slug` is `original`, perhaps with a number because that was taken."""
    return re.fullmatch(re.escape(original) + r"(-\d+)?", slug) is not None
