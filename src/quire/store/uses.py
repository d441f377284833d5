"""Where a file is used: by records that refer to it, and in texts that name its address."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.sql import position
from quire.store.db import reading
from quire.store.read import bound

MOST = 100
"""Uses that are listed; all are counted."""

Use = dict[str, Any]


def uses_of(actor: Actor, state: dict[str, Any]) -> tuple[list[Use], int]:
    """Uses of a media record that `actor` may see, and how many there are in all.

    Each is `{type, id, field, title, url}`; `url` is its page on the site, null where it has none.
    """
    found: list[Use] = []
    count = 0
    with reading() as connection:
        for record, field, condition in _places(state):
            rows = select(func.count()).select_from(record.table).where(condition)
            count += int(connection.execute(rows).scalar_one())
            seen = connection.execute(_seen(record, actor, condition), bound(actor)).mappings()
            found += [_use(record, field, row) for row in seen]
    return found[:MOST], count


def _places(state: dict[str, Any]) -> Iterator[tuple[Record, Field, ColumnElement[bool]]]:
    stem = state["url"].rpartition(".")[0]
    for record in REGISTRY.values():
        for field in record.fields:
            if field.target == "media" and field.is_stored:
                yield record, field, field.column == state["id"]
            elif field.kind.name == "markdown" and field.is_stored:
                yield record, field, position(field.column, stem) > 0


def _seen(record: Record, actor: Actor, condition: ColumnElement[bool]) -> Select[Any]:
    answer = record.allows(actor, "read")
    rows = select(record.table).where(condition).order_by(record.table.c.id).limit(MOST)
    return rows if answer is True else rows.where(false() if answer is False else answer)


def _use(record: Record, field: Field, row: Any) -> Use:
    shown = str(row[record.title])
    return {
        "type": record.path,
        "id": row["id"],
        "field": field.name,
        "title": shown if len(shown) <= 100 else f"{shown[:99]}…",
        "url": record.page.format_map(row) if record.page else None,
    }
