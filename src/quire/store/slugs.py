"""Slugs made from titles: readable, and free."""

from collections.abc import Callable
from functools import cache
from itertools import chain, count, islice
from typing import Any

from slugify import slugify
from sqlalchemy import Select, bindparam, select

from quire.declare.change import Change
from quire.declare.record import Record
from quire.store.db import reading

LENGTH = 180
AT_ONCE = 10


def slug_from(name: str) -> Callable[[Change], str]:
    """A fill that makes a free slug from the field `name`, with -2, -3 ... when it is taken."""

    def fill(change: Change) -> str:
        text = slugify(str(change[name] or ""), max_length=LENGTH, word_boundary=True)
        return free_slug(change.record, text or change.record.one.lower())

    return fill


def free_slug(record: Record, slug: str) -> str:
    """`slug`, or the first of slug-2, slug-3 ... that no record has."""
    names = chain([slug], (f"{slug}-{number}" for number in count(2)))
    with reading() as connection:
        while True:  # A few names at a time are looked up in the index.
            some = list(islice(names, AT_ONCE))
            taken = set(connection.execute(_taken(record), {"names": some}).scalars())
            if free := [name for name in some if name not in taken]:
                return free[0]


def suggested(record: Record, text: str, another: bool = False) -> str:
    """The slug that `text` makes, or `another` one that is free."""
    slug = slugify(text[: LENGTH * 4], max_length=LENGTH, word_boundary=True)
    slug = slug or record.one.lower()
    return free_slug(record, slug) if another else slug


def is_free(record: Record, slug: str, id: int | None = None) -> bool:
    """Whether no record, but the one with this id, has a slug."""
    table = record.table.c
    with reading() as connection:
        found = connection.execute(select(table.id).where(table.slug == slug)).scalar()
    return found is None or found == id


@cache
def _taken(record: Record) -> Select[Any]:
    column = record.table.c.slug
    return select(column).where(column.in_(bindparam("names", expanding=True)))
