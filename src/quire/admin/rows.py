"""Reading records for the panel: the rows an actor finds there, one of them, many for an export."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from quire.actor import Actor
from quire.declare.query import Condition, Query
from quire.declare.record import Record
from quire.declare.values import INT64
from quire.errors import Missing
from quire.store import read

BATCH = 100
"""Rows that an export reads at once."""


def number_of(text: str | None) -> int:
    """The id in an address. Raises Missing for everything that cannot be one."""
    if text and text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= INT64:
        return int(text)
    raise Missing


def find(record: Record, actor: Actor, id: int) -> dict[str, Any]:
    """The record with this id, in the trash too, as far as the actor finds it in the panel.

    Raises Missing, also when it is only hidden from him.
    """
    by_id = (Condition("id", "eq", (id,)),)
    query = Query(conditions=by_id, fields=record.names, count=False, per_page=1, panel=True)
    found = read.page(record, actor, query).rows
    if not found and record.trashes:
        found = read.page(record, actor, replace(query, trashed=True)).rows
    if not found:
        raise Missing(f"There is no such {record.one.lower()}.")
    return {**found[0], "id": id}


def find_many(record: Record, actor: Actor, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Those of the records that the actor finds in the panel, in the trash too, by their ids.

    Only for types whose id can be seen.
    """
    query = Query(
        conditions=(Condition("id", "in", tuple(ids)),), count=False, per_page=100, panel=True
    )
    found = read.page(record, actor, query).rows
    if record.trashes:
        found += read.page(record, actor, replace(query, trashed=True)).rows
    return {state["id"]: state for state in found if "id" in state}


def every(record: Record, actor: Actor, query: Query, most: int) -> Iterator[dict[str, Any]]:
    """All rows of a list up to `most`, read in batches."""
    cursor: str | None = None
    left = most
    while left > 0:
        size = min(BATCH, left)
        batch = replace(query, page=None, cursor=cursor, per_page=size, count=False, panel=True)
        page = read.page(record, actor, batch)
        yield from page.rows
        left -= len(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            return
