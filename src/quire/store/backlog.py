"""The queue as those see it who look after it: what waits, what has failed and why."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, union_all, update

from quire.actor import Actor
from quire.declare.clock import now
from quire.store.audit import note
from quire.store.db import reading, transaction
from quire.store.outbox import OutboxEvent, owed_here

MOST = 100
"""Failures that are shown at once, newest first."""

_rows = OutboxEvent.__table__
_failed = _rows.c.failed_at.is_not(None)
# not OR: that would read the whole outbox, this reads two small indexes
_is_open = _rows.c.id.in_(
    union_all(
        select(_rows.c.id).where(_rows.c.due_at.is_not(None)), select(_rows.c.id).where(_failed)
    )
)


def kinds() -> Sequence[Any]:
    """For each event of which something is open: `event`, `waiting`, `failed`, `next` (a moment)."""
    columns = _rows.c
    wanted = (
        select(
            columns.event,
            func.count(columns.due_at).label("waiting"),
            func.count(columns.failed_at).label("failed"),
            func.min(columns.due_at).label("next"),
        )
        .where(_is_open)
        .group_by(columns.event)
        .order_by(columns.event)
    )
    with reading() as connection:
        return connection.execute(wanted).all()


def troubles() -> Sequence[Any]:
    """Rows with an error: given up, or to be tried again."""
    wanted = select(_rows).where(_is_open, _rows.c.error.is_not(None))
    newest = wanted.order_by(_rows.c.failed_at.is_(None), _rows.c.id.desc()).limit(MOST)
    with reading() as connection:
        return connection.execute(newest).all()


def retry(actor: Actor, ids: Sequence[int]) -> int:
    """Let what has failed, or waits for its next attempt, be done now, as if it was new; how many."""
    fresh = {"due_at": now(), "failed_at": None, "attempts": 0}
    with transaction() as connection:
        chosen = (_rows.c.id.in_(ids), _rows.c.error.is_not(None), _is_open)
        count = int(connection.execute(update(_rows).where(*chosen).values(fresh)).rowcount)
        note(actor, "retry", "outbox", None, *map(str, ids))
    owed_here.set()
    return count


def drop(actor: Actor, ids: Sequence[int]) -> int:
    """Forget what has failed; how many."""
    with transaction() as connection:
        count = int(connection.execute(delete(_rows).where(_rows.c.id.in_(ids), _failed)).rowcount)
        note(actor, "drop", "outbox", None, *map(str, ids))
    return count
