"""The queue for administrators: which jobs wait, which have failed and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, literal_column, select, union_all, update

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.job_registry import PERIODIC
from quire.store.audit import record_event
from quire.store.db import read_connection, transaction
from quire.store.events.outbox import OutboxEvent, wake_worker

LIMIT = 100
"""Failures that are shown at once, newest first."""

MAX_COUNTED = 100_000
"""Jobs of one state that are counted: more need no exact number, only somebody's attention."""

MAX_SUMMED = 10_000
"""Jobs of one state that are summed up by what they do."""

_rows = OutboxEvent.__table__
_failed = _rows.c.failed_at.is_not(None)
# not OR: that would read the whole outbox, this reads two small indexes
_is_open = _rows.c.id.in_(
    union_all(
        select(_rows.c.id).where(_rows.c.due_at.is_not(None)), select(_rows.c.id).where(_failed)
    )
)


def failed_rows() -> Select[Any]:
    """A SELECT of the ids of the jobs that have failed."""
    return select(_rows.c.id).where(_failed)


def summary_by_event() -> Sequence[Any]:
    """For each event of which something is open: `event`, `waiting`, `failed`, `next` (a moment).

    Of a state with more than MAX_SUMMED jobs it tells of the next of them, or the newest.
    """
    columns = _rows.c
    shown = columns.event, columns.due_at, columns.failed_at
    one_off = columns.type != PERIODIC
    parts = (
        select(*shown).where(literal_column(f"type = '{PERIODIC}'")),
        _first(select(*shown).where(columns.due_at.is_not(None), one_off), columns.due_at),
        _first(select(*shown).where(_failed, one_off), columns.failed_at.desc()),
    )
    jobs = union_all(*parts).subquery()
    statement = (
        select(
            jobs.c.event,
            func.count(jobs.c.due_at).label("waiting"),
            func.count(jobs.c.failed_at).label("failed"),
            func.min(jobs.c.due_at).label("next"),
        )
        .group_by(jobs.c.event)
        .order_by(jobs.c.event)
    )
    with read_connection() as connection:
        return connection.execute(statement).all()


def _first(jobs: Select[Any], order: Any) -> Select[Any]:
    """At most MAX_SUMMED of the jobs, in a form that a union takes on both databases."""
    return select(*jobs.order_by(order).limit(MAX_SUMMED).subquery().c)


def oldest_due() -> datetime | None:
    """Since when the oldest waiting job has been due, None when none is.

    Periodic tasks do not count: they are due whenever the server was off.
    """
    oldest = select(func.min(_rows.c.due_at)).where(
        _rows.c.type != PERIODIC, _rows.c.due_at <= now()
    )
    with read_connection() as connection:
        since: datetime | None = connection.execute(oldest).scalar()
    return since


def jobs_by_state() -> dict[str, int]:
    """How many jobs are `waiting`, `scheduled` for later or in hand, and `failed`; each at most MAX_COUNTED."""
    columns, moment = _rows.c, now()
    one_off = columns.type != PERIODIC
    states = {
        "waiting": (one_off, columns.due_at <= moment),
        "scheduled": (one_off, columns.due_at > moment),
        "failed": (_failed,),
    }
    counts = [
        select(func.count()).select_from(
            select(columns.id).where(*conditions).limit(MAX_COUNTED).subquery()
        )
        for conditions in states.values()
    ]
    with read_connection() as connection:
        row = connection.execute(select(*(one.scalar_subquery() for one in counts))).one()
    return dict(zip(states, row, strict=True))


def is_claimed() -> bool:
    """Whether a worker, wherever it runs, has a job in hand that it began or extended lately."""
    moment = now()
    soonest = (
        select(_rows.c.attempts, _rows.c.error)
        .where(_rows.c.due_at > moment)
        .order_by(_rows.c.due_at)
        .limit(LIMIT)
        .subquery()
    )
    claimed = select(soonest.c.attempts).where(soonest.c.attempts > 0, soonest.c.error.is_(None))
    with read_connection() as connection:
        return connection.execute(claimed.limit(1)).first() is not None


def failures() -> Sequence[Any]:
    """At most LIMIT rows with an error: failed for good, the newest first, or among the next to be tried again."""
    failed = select(_rows).where(_failed).order_by(_rows.c.failed_at.desc(), _rows.c.id.desc())
    next_ones = select(_rows).where(_rows.c.due_at.is_not(None)).order_by(_rows.c.due_at)
    waiting = next_ones.limit(MAX_SUMMED).subquery()
    retried = select(waiting).where(waiting.c.error.is_not(None)).order_by(waiting.c.due_at)
    with read_connection() as connection:
        rows = connection.execute(failed.where(_rows.c.error.is_not(None)).limit(LIMIT)).all()
        return [*rows, *connection.execute(retried.limit(LIMIT - len(rows))).all()]


def retry(actor: Actor, ids: Sequence[int]) -> int:
    """Run jobs that have failed, or wait for their next attempt, now as if they were new; how many."""
    values = {"due_at": now(), "failed_at": None, "attempts": 0}
    with transaction() as connection:
        conditions = (_rows.c.id.in_(ids), _rows.c.error.is_not(None), _is_open)
        count = int(connection.execute(update(_rows).where(*conditions).values(values)).rowcount)
        record_event(actor, "retry", "outbox", None, *map(str, ids))
    wake_worker.set()
    return count


def drop(actor: Actor, ids: Sequence[int]) -> int:
    """Delete failed jobs; how many."""
    with transaction() as connection:
        count = int(connection.execute(delete(_rows).where(_rows.c.id.in_(ids), _failed)).rowcount)
        record_event(actor, "drop", "outbox", None, *map(str, ids))
    return count
