"""The values of a post or page as the store takes them, made from a neutral entry."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import select

from quire.declare.clock import now, rfc3339
from quire.declare.record import Record
from quire.exchange.items import Entry
from quire.exchange.names import first_words, shorten, tidy
from quire.exchange.people import People
from quire.exchange.terms import Terms
from quire.records import POSTS
from quire.store.db import reading
from quire.store.slugs import free_slug

NO_TEXT = "\n"
"""The body of what has none: a body is required, and this one shows nothing."""

Raw = dict[str, Any]


class Values:
    """Turns entries into raw values; people, categories and tags are made on the way."""

    def __init__(self, people: People, categories: Terms, tags: Terms):
        self._people = people
        self._categories = categories
        self._tags = tags

    def of_new(self, record: Record, entry: Entry) -> Raw:
        """All values of a new record; it was made when the source says, or now."""
        raw = self._common(record, entry)
        if entry.slug:
            raw["slug"] = _free(record, entry.slug)
        moment = now()
        if entry.date is not None:
            raw["created_at"] = rfc3339(min(entry.date, moment))
        raw["published_at"] = None if entry.draft else rfc3339(entry.date or moment)
        if record is POSTS and entry.trashed:
            raw["deleted_at"] = rfc3339(moment)
        return raw

    def of_changed(self, record: Record, entry: Entry, slug: str) -> Raw:
        """All values of a record that is there with `slug`, which stays unless the source's changed."""
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

    def _common(self, record: Record, entry: Entry) -> Raw:
        title = entry.title or first_words(entry.body) or "Untitled"
        raw: Raw = {"title": shorten(title), "body": entry.body or NO_TEXT, **_seo(record, entry)}
        if record is not POSTS:
            return raw | {"position": entry.position}
        category = entry.category
        return raw | {
            "excerpt": entry.excerpt,
            "author": self._people.id_of(entry.person),
            "category": None if category is None else self._categories.id_of(category),
            "tags": list(dict.fromkeys(self._tags.id_of(tag) for tag in entry.tags)),
            "unpublish_at": _text(_end(entry)),
            "comments_open": entry.comments_open,
        }


def _seo(record: Record, entry: Entry) -> Raw:
    """What search engines are told, cut to what there is room for."""
    said = {"seo_title": entry.seo_title, "seo_description": entry.seo_description}
    lengths = {name: record.field(name).kind.length or 0 for name in said}
    return {name: shorten(tidy(text), lengths[name]) for name, text in said.items()}


def _end(entry: Entry) -> datetime | None:
    """When it goes from the public; what went before it came never was public, and is a draft."""
    if entry.unpublish_at and not entry.draft and entry.unpublish_at <= (entry.date or now()):
        entry.draft = True
        entry.warn("expires before it is published, so it is a draft")
    return None if entry.draft else entry.unpublish_at


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _free(record: Record, slug: str) -> str:
    column = record.table.c.slug
    with reading() as connection:
        taken = connection.execute(select(column).where(column == slug)).first()
    return slug if taken is None else free_slug(record, slug)


def _is_numbered(slug: str, wanted: str) -> bool:
    """Whether `slug` is `wanted`, or what it became because it was taken."""
    return re.fullmatch(re.escape(wanted) + r"(-\d+)?", slug) is not None
