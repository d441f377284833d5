"""Slugs made from titles: readable, and free."""

from collections.abc import Callable
from typing import Any

from slugify import slugify
from sqlalchemy import func, or_, select

from quire.declare.change import Change
from quire.declare.record import Record
from quire.store.db import reading

LENGTH = 180


def slug_from(name: str) -> Callable[[Change], str]:
    """A fill that makes a free slug from the field `name`, with -2, -3 ... when it is taken."""

    def fill(change: Change) -> str:
        text = slugify(str(change[name] or ""), max_length=LENGTH, word_boundary=True)
        return free_slug(change.record, text or change.record.one.lower())

    return fill


def free_slug(record: Record, slug: str) -> str:
    """`slug`, or the first of slug-2, slug-3 ... that no record has."""
    column: Any = record.table.c.slug
    start = f"{slug}-"
    alike = or_(column == slug, func.substr(column, 1, len(start)) == start)
    with reading() as connection:
        taken = set(connection.execute(select(column).where(alike)).scalars())
    number = 2
    free = slug
    while free in taken:
        free, number = f"{slug}-{number}", number + 1
    return free
