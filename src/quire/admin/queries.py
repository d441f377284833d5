"""Queries of the panel: the records that an actor may see there."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from quire.actor import Actor
from quire.admin.format import figure
from quire.declare.clock import now
from quire.declare.fields import Computed, Field
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import Record
from quire.declare.value_kinds import INT64
from quire.errors import NotFound
from quire.store import permissions, read
from quire.store.db import read_connection

MAX_COUNTED = 1000
"""The largest number of posts, for example, that a tag's row shows exactly: counting more takes too long for a page."""


def parse_id(text: str | None) -> int:
    """The id in a URL. Raises NotFound for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= INT64:
        return int(text)
    raise NotFound


def find(record: Record, actor: Actor, id: int) -> dict[str, Any]:
    """The record with this id, even in the trash. Raises NotFound if the actor may not see it."""
    return {
        **read.get_record(record, actor, id, Query(fields=record.field_names, panel=True)),
        "id": id,
    }


def rights_on(record: Record, actor: Actor, id: int) -> set[str]:
    """The operations that the actor may use on a record: `update`, `delete`, `permanent`, names of actions."""
    rules = {verb: record.rule(verb) for verb in ("update", "delete", "permanent")}
    rules |= {one.name: one.allow for one in record.actions}
    return permissions.rights(record, actor, rules, (id,))[id]


def find_many(
    record: Record, actor: Actor, ids: list[int], *, panel: bool = True
) -> dict[int, dict[str, Any]]:
    """Those records that the actor may see in the panel or read, even in the trash, by id.

    Only for types whose id can be seen.
    """
    query = Query(
        conditions=(Condition("id", "in", tuple(ids)),), count=False, per_page=100, panel=panel
    )
    rows = read.list_records(record, actor, query).rows
    if record.has_trash:
        rows += read.list_records(record, actor, replace(query, trashed=True)).rows
    return {state["id"]: state for state in rows if "id" in state}


def add_counts(record: Record, fields: Iterable[Field], rows: list[dict[str, Any]]) -> None:
    """Add the fields that are counted up to a limit to the rows of a page: `57`, `1,000+`."""
    columns = {
        one.name: one.up_to(MAX_COUNTED + 1)
        for one in fields
        if isinstance(one, Computed) and one.up_to is not None
    }
    if not (columns and rows):
        return
    id = record.table.c.id
    statement = select(id, *columns.values()).where(id.in_([row["id"] for row in rows]))
    with read_connection() as connection:
        found = {row[0]: row[1:] for row in connection.execute(statement, {"now": now()})}
    for row in rows:  # one that was deleted meanwhile has none
        figures = (figure(one, MAX_COUNTED) for one in found.get(row["id"], ()))
        row.update(zip(columns, figures, strict=False))
