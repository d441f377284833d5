"""Queries of the panel: the records that an actor may see there."""

from dataclasses import replace
from typing import Any

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import Record
from quire.declare.value_kinds import INT64
from quire.errors import NotFound
from quire.store import permissions, read


def parse_id(text: str | None) -> int:
    """The id in a URL. Raises NotFound for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= INT64:
        return int(text)
    raise NotFound


def find(record: Record, actor: Actor, id: int) -> dict[str, Any]:
    """The record with this id, also in the trash. Raises NotFound if the actor may not see it."""
    return {
        **read.get_record(record, actor, id, Query(fields=record.field_names, panel=True)),
        "id": id,
    }


def rights_on(record: Record, actor: Actor, id: int) -> set[str]:
    """The operations that the actor may use on a record: `update`, `delete`, `permanent`, names of
    actions."""
    rules = {verb: getattr(record.access, verb) for verb in ("update", "delete", "permanent")}
    rules |= {one.name: one.allow for one in record.actions}
    return permissions.rights(record, actor, rules, (id,))[id]


def find_many(record: Record, actor: Actor, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Those of the records that the actor finds in the panel, in the trash too, by their ids.

    Only for types whose id can be seen.
    """
    query = Query(
        conditions=(Condition("id", "in", tuple(ids)),), count=False, per_page=100, panel=True
    )
    rows = read.list_records(record, actor, query).rows
    if record.has_trash:
        rows += read.list_records(record, actor, replace(query, trashed=True)).rows
    return {state["id"]: state for state in rows if "id" in state}
