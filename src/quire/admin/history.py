"""What happened to a record: its versions and the audit, as far as the reader may see them."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from quire.actor import Actor
from quire.admin.cells import cell, small_name, when
from quire.admin.words import past
from quire.declare.query import Condition, Query
from quire.declare.record import REGISTRY, Record, record_of
from quire.store import read
from quire.store.permits import may
from quire.store.revisions import completed

SHOWN = 50
"""Versions and events on a details page."""


def query_of(record: Record, id: int, page: int = 1) -> Query:
    """What asks for the revisions or audit events of a record, newest first."""
    conditions = (Condition("type", "eq", (record.path,)), Condition("record_id", "eq", (id,)))
    return Query(conditions=conditions, sort=("-id",), page=page, per_page=SHOWN, count=False)


def name_of(value: Any) -> str:
    """The name of the one who did it; the program itself has none."""
    return small_name(value, record_of("users")) if value else ""


def _nowhere(record: Record, id: int) -> None:
    return None


def _changes(
    record: Record, seen: Collection[str], new: dict[str, Any], old: dict[str, Any] | None
) -> list[Any]:
    """Label and value of every visible field that differs from the version before."""
    found = []
    for name, value in new.items():
        if name in seen and old is not None and old.get(name) != value:
            field = record.field(name)
            found.append((field.label, cell(field, value, _nowhere)))
    return found


def _step(
    record: Record, seen: Collection[str], row: dict[str, Any], before: dict[str, Any] | None
) -> Any:
    old = completed(record, before["data"]) if before else None
    changes = _changes(record, seen, completed(record, row["data"]), old)
    words = "1 field" if len(changes) == 1 else f"{len(changes)} fields"
    return SimpleNamespace(
        what=f"Version {row['version']}: {past(row['action'])}",
        who=name_of(row["actor"]),
        when=when(row["created_at"]),
        changes=changes,
        summary=f"{words} changed",
    )


def versions(record: Record, actor: Actor, id: int) -> list[Any]:
    """The revisions, newest first, with what each of them changed."""
    rows = revisions_of(record, actor, id)
    seen = record.seen_by(actor)
    befores = [*rows[1:], None]
    return [_step(record, seen, row, before) for row, before in zip(rows, befores, strict=False)]


def revisions_of(record: Record, actor: Actor, id: int) -> list[dict[str, Any]]:
    """The newest revisions of a record, for whoever may edit it."""
    if not (record.history and may(record, actor, "update", id)):
        return []
    return read.page(REGISTRY["revisions"], actor.as_system(), query_of(record, id)).rows


def events(record: Record, actor: Actor, id: int) -> list[Any]:
    """The audit of a record, newest first; empty for who may not read the audit."""
    audit = REGISTRY["audit_events"]
    if audit.allows(actor, "read") is False:
        return []
    return [
        SimpleNamespace(
            what=past(row["action"]).capitalize(),
            who=name_of(row["actor"]),
            when=when(row["created_at"]),
            how=", ".join(row["fields"]) or f"by {row['door']}",
        )
        for row in read.page(audit, actor, query_of(record, id)).rows
    ]
