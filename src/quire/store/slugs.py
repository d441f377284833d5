"""Slugs from titles: readable and unique."""

from collections.abc import Callable
from functools import cache

from slugify import slugify
from sqlalchemy import bindparam, select

from quire.declare.change import Change
from quire.declare.record import Record
from quire.declare.unicode_text import normalize
from quire.store.db import read_connection
from quire.store.statements import Prepared

LENGTH = 180
IN_ORDER = 5
"""Suffixes that are tried one by one; then the steps grow, as thousands may be taken."""


def slug_from(name: str) -> Callable[[Change], str]:
    """A `default_from` that makes a unique slug from the field `name`, with -2, -3 ... if necessary."""

    def fill(change: Change) -> str:
        text = slugify(str(change[name] or ""), max_length=LENGTH, word_boundary=True)
        text = text or change.record.noun
        # most slugs are free: only when the insert fails is the database asked for a free one
        return free_slug(change.record, text) if "slug" in change.filled_fields else text

    return fill


def free_slug(record: Record, slug: str) -> str:
    """`slug`, or one of slug-2, slug-3 ... that no record has: the first, but where there are gaps."""
    if not _is_taken(record, slug):
        return slug
    last_taken, free = 1, 2
    while _is_taken(record, f"{slug}-{free}"):  # more than twice as far after some steps
        last_taken, free = free, free + 1 if free < IN_ORDER else free * 2
    while free - last_taken > 1:
        middle = (last_taken + free) // 2
        if _is_taken(record, f"{slug}-{middle}"):
            last_taken = middle
        else:
            free = middle
    return f"{slug}-{free}"


def _is_taken(record: Record, slug: str) -> bool:
    with read_connection() as connection:
        return _with_slug(record)(connection, {"slug": slug}).first() is not None


def suggest_slug(record: Record, text: str, another: bool = False) -> str:
    """The slug of `text`, or `another` one that is free."""
    slug = slugify(text[: LENGTH * 4], max_length=LENGTH, word_boundary=True)
    slug = slug or record.noun
    return free_slug(record, slug) if another else slug


def is_free(record: Record, slug: str, id: int | None = None) -> bool:
    """Whether no record except the one with this id has the slug."""
    table = record.table.c
    with read_connection() as connection:
        statement = select(table.id).where(table.slug == normalize(slug))
        owner_id = connection.execute(statement).scalar()
    return owner_id is None or owner_id == id


@cache
def _with_slug(record: Record) -> Prepared:
    table = record.table.c
    return Prepared(select(table.id).where(table.slug == bindparam("slug")))
