"""Search over all types with a public page: visible matches, ranked, with marked snippets."""

import html
from string import Formatter
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, func, literal, select, union_all

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.record import REGISTRY, Record
from quire.errors import Refused
from quire.store import search as engine
from quire.store.db import db, reading
from quire.store.read import Page, bound


def search(actor: Actor, query: Query) -> Page:
    """A page of `{type, id, title, snippet, url}`; the snippet is HTML with only <mark> in it."""
    dialect = db.engine.dialect.name
    parts = _parts(actor.typical, dialect)
    if not parts:
        raise Refused("This needs the scope of a type that can be searched, such as posts:read.")
    found = union_all(*parts).subquery("results")
    wanted = select(found).order_by(found.c.rank, found.c.type, found.c.id.desc())
    limits = bindparam("limit", type_=BigInteger), bindparam("offset", type_=BigInteger)
    number = query.page or 1
    values = {
        **bound(actor),
        "search": engine.expression(query.search or "", dialect),
        "limit": query.per_page,
        "offset": (number - 1) * query.per_page,
    }
    with reading() as connection:
        rows = connection.execute(wanted.limit(limits[0]).offset(limits[1]), values).all()
        total = int(
            connection.execute(select(func.count()).select_from(found), values).scalar_one()
        )
    return Page(
        rows=[_shape(row) for row in rows],
        total=total,
        page=number,
        per_page=query.per_page,
        has_next=number * query.per_page < total,
        has_prev=number > 1,
        next_cursor=None,
        prev_cursor=None,
    )


def _parts(actor: Actor, dialect: str) -> list[Select[Any]]:
    matches = engine.snippets(dialect)
    parts = []
    for record in REGISTRY.values():
        answer = record.allows(actor, "read")
        if record.page is None or not record.searched or answer is False:
            continue
        table = record.table
        part = select(
            literal(record.path).label("type"),
            table.c.id,
            table.c[record.title].label("title"),
            table.c[page_field(record)].label("place"),
            matches.c.snippet,
            matches.c.rank,
        ).join(matches, (matches.c.record_id == table.c.id) & (matches.c.type == record.path))
        part = part if answer is True else part.where(answer)
        parts.append(part.where(table.c.deleted_at.is_(None)) if record.trashes else part)
    return parts


def page_field(record: Record) -> str:
    """The field that makes the address of a record's public page."""
    return next(name for _, name, _, _ in Formatter().parse(record.page or "") if name)


def _shape(row: Any) -> dict[str, Any]:
    record = REGISTRY[row.type]
    snippet = html.escape(row.snippet or "", quote=False)
    snippet = snippet.replace(engine.MARK_BEGIN, "<mark>").replace(engine.MARK_END, "</mark>")
    return {
        "type": row.type,
        "id": row.id,
        "title": row.title,
        "snippet": " ".join(snippet.split()),
        "url": (record.page or "").format(**{page_field(record): row.place}),
    }
