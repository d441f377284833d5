"""The sitemap in parts, and robots.txt."""

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import Response, render_template, url_for
from sqlalchemy import Select, bindparam, exists, func, or_, select

from quire.actor import ANONYMOUS
from quire.declare.clock import rfc3339
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import rule_params
from quire.errors import NotFound
from quire.records.site_settings import site_settings
from quire.site.archive_queries import posts_by_month
from quire.site.paths import SAFE
from quire.store.cache import cached_until_commit
from quire.store.db import read_connection
from quire.store.global_search import page_field
from quire.store.lists import block_cache
from quire.store.lists.id_blocks import BLOCK, BlockQuery, block_column, in_part
from quire.store.read import visible
from quire.web.caching import note_shown
from quire.web.hosts import site_root

_ROBOTS = """\
User-agent: *
Disallow: /admin/
Disallow: /api/
Disallow: /auth/
Disallow: /display
Disallow: /search
Disallow: /theme/

Sitemap: {root}{sitemap}
"""


LISTS = "lists"
"""The part with pages that are not single records."""


def sitemap() -> Response:
    """The index of parts (https://www.sitemaps.org/protocol.html)."""
    root = site_root()
    lists = (LISTS, 1, _lists()[0][1])
    entries = [
        (root + url_for("site.sitemap_part", kind=kind, number=number), changed)
        for kind, number, changed in [lists, *parts()]
    ]
    return _xml("sitemap_index.xml", parts=entries)


def sitemap_part(kind: str, number: int) -> Response:
    """One part, of at most 10,000 URLs."""
    if (kind, number) == (LISTS, 1):
        places = _lists()
    else:
        record = public_types().get(kind)
        places = part(record, number) if record else []
    if not places:
        raise NotFound("There is no such part of the sitemap.")
    root = site_root()
    return _xml("sitemap.xml", places=[(root + quote(path, safe=SAFE), at) for path, at in places])


def _lists() -> list[tuple[str, str]]:
    """Path and last change of the pages that list posts: the home page, the archive, its months."""
    months = posts_by_month()
    newest = max((one.changed for one in months), default=site_settings()["updated_at"])
    archive = [(url_for("site.archive"), newest)] if months else []
    return [
        (url_for("site.home"), newest),
        *archive,
        *((url_for("site.month", year=one.year, month=one.month), one.changed) for one in months),
    ]


def _xml(template: str, **values: object) -> Response:
    for record in public_types().values():
        note_shown(record)
    return Response(render_template(f"quire_site/{template}", **values), mimetype="application/xml")


def robots() -> Response:
    """What search engines must not crawl, and the URL of the sitemap."""
    text = _ROBOTS.format(root=site_root(), sitemap=url_for("site.sitemap"))
    return Response(text, mimetype="text/plain")


PART = 10_000
"""Ids per part, which cover several blocks; no part can have more URLs than that."""


def public_types() -> dict[str, Record]:
    """The types with public pages, by path."""
    return {path: one for path, one in REGISTRY.items() if one.public_path is not None}


def parts() -> list[tuple[str, int, str]]:
    """Type, number and last change of each part that is not empty."""
    return cached_until_commit("parts of the sitemap", _parts)


def _parts() -> list[tuple[str, int, str]]:
    parts: dict[tuple[str, int], str] = {}
    with read_connection() as connection:
        for path, record in public_types().items():
            key, query = ("parts of the sitemap", path), _block_query(record)
            blocks = block_cache.read_or_keep(connection, key, query, rule_params(ANONYMOUS))
            for block, changed in sorted(blocks.items()):
                place = path, block * BLOCK // PART + 1
                parts[place] = max(parts.get(place, ""), changed)
    return [(*place, changed) for place, changed in parts.items()]


def part(record: Record, number: int) -> list[tuple[str, str]]:
    """Path and last change of each public page in one part."""
    limits = {"first": (number - 1) * PART + 1, "last": number * PART}
    with read_connection() as connection:
        rows = connection.execute(
            _list_statement(record), {**rule_params(ANONYMOUS), **limits}
        ).all()
    field = page_field(record)
    assert record.public_path is not None
    return [(record.public_path.format_map({field: name}), rfc3339(at)) for name, at in rows]


@lru_cache(100)
def _block_query(record: Record) -> BlockQuery:
    """The last change of a public page in each block of ids."""
    block = block_column(record)
    newest = select(block, func.max(record.table.c.updated_at))
    every = _public(record, newest).group_by(block)
    part = in_part(every, record)
    return BlockQuery(record, every, part, lambda rows: rfc3339(rows[0][0]))


@lru_cache(100)
def _list_statement(record: Record) -> Select[Any]:
    table = record.table
    rows = select(table.c[page_field(record)], table.c.updated_at)
    # by id, since SQLite would otherwise read the whole index of listed records
    rows = rows.with_hint(table, "NOT INDEXED", "sqlite")
    ids = table.c.id.between(bindparam("first"), bindparam("last"))
    return _public(record, rows).where(ids).order_by(table.c.id)


def _public(record: Record, rows: Select[Any]) -> Select[Any]:
    """The condition that everyone may see the page, and that it is not empty."""
    gathers = _has_posts(record)
    rows = rows.where(visible(record, ANONYMOUS))
    return rows.where(or_(*gathers)) if gathers else rows


def _has_posts(record: Record) -> list[Any]:
    """The condition that a list page has posts."""
    posts = REGISTRY["posts"]
    live = visible(posts, ANONYMOUS)
    kinds: list[Any] = []
    for field in posts.fields:
        if field.target != record.table.name:
            continue
        if field.many is None:
            kinds.append(exists().where(field.column == record.table.c.id, live))
        else:
            link = field.many.table
            is_target = link.c.target_id == record.table.c.id
            kinds.append(exists().where(is_target, link.c.source_id == posts.table.c.id, live))
    return kinds
