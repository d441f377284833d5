"""The public pages of all types, in parts by ranges of ids: what a sitemap lists."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, or_, select

from quire.actor import ANONYMOUS
from quire.declare.clock import rfc3339
from quire.declare.record import REGISTRY, Record
from quire.store.db import reading
from quire.store.found import page_field
from quire.store.lasting import lasting
from quire.store.read import bound, visible

PART = 10_000
"""Ids in one part, so that no part can have more addresses."""


def listed() -> dict[str, Record]:
    """The types that have a public page, by path."""
    return {path: one for path, one in REGISTRY.items() if one.page is not None}


def parts() -> list[tuple[str, int, str]]:
    """Type, number and newest change of each part that has an address in it."""
    return lasting("parts of the sitemap", _parts)


def _parts() -> list[tuple[str, int, str]]:
    found = []
    with reading() as connection:
        for path, record in listed().items():
            rows = connection.execute(_counting(record), bound(ANONYMOUS))
            found += [(path, int(number) + 1, rfc3339(at)) for number, at in rows]
    return found


def part(record: Record, number: int) -> list[tuple[str, str]]:
    """Path and newest change of each public page in one part."""
    limits = {"first": (number - 1) * PART + 1, "last": number * PART}
    with reading() as connection:
        rows = connection.execute(_listing(record), {**bound(ANONYMOUS), **limits}).all()
    field = page_field(record)
    assert record.page is not None
    return [(record.page.format_map({field: name}), rfc3339(at)) for name, at in rows]


@lru_cache(100)
def _counting(record: Record) -> Select[Any]:
    table = record.table
    number = ((table.c.id - 1) // PART).label("number")
    return (
        _public(record, select(number, func.max(table.c.updated_at)))
        .group_by(number)
        .order_by(number)
    )


@lru_cache(100)
def _listing(record: Record) -> Select[Any]:
    table = record.table
    rows = select(table.c[page_field(record)], table.c.updated_at)
    ids = table.c.id.between(bindparam("first"), bindparam("last"))
    return _public(record, rows).where(ids).order_by(table.c.id)


def _public(record: Record, rows: Select[Any]) -> Select[Any]:
    """Only those that everybody may see and that have something on their page."""
    gathers = _gathering(record)
    rows = rows.where(visible(record, ANONYMOUS))
    return rows.where(or_(*gathers)) if gathers else rows


def _gathering(record: Record) -> list[Any]:
    """Whether a post is in it, for types whose page lists posts."""
    posts = REGISTRY["posts"]
    live = visible(posts, ANONYMOUS)
    found: list[Any] = []
    for field in posts.fields:
        if field.target != record.table.name:
            continue
        if field.many is None:
            found.append(exists().where(field.column == record.table.c.id, live))
        else:
            link = field.many.table
            here = link.c.target_id == record.table.c.id
            found.append(exists().where(here, link.c.source_id == posts.table.c.id, live))
    return found
