"""The queue for administrators: waiting jobs, and failed ones with the reason."""

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
"""The maximum number of failures shown, newest first."""

MAX_COUNTED = 100_000
"""The maximum count of jobs in one state; beyond it the exact number does not matter."""

MAX_SUMMED = 10_000
"""The maximum number of jobs in one state that are summed up by event."""

_rows = OutboxEvent.__table__
_failed = _rows.c.failed_at.is_not(None)
# OR would read the whole outbox; this reads two small indexes
_is_open = _rows.c.id.in_(
    union_all(
        select(_rows.c.id).where(_rows.c.due_at.is_not(None)), select(_rows.c.id).where(_failed)
    )
)


def failed_rows() -> Select[Any]:
    """A SELECT of the ids of the jobs that have failed."""
    return select(_rows.c.id).where(_failed)


def summary_by_event() -> Sequence[Any]:
    """For each event with open jobs: `event`, `waiting`, `failed`, `next` (a moment).

    If a state has more than MAX_SUMMED jobs, only the next, or the newest, of them are summed up.
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
    """At most MAX_SUMMED of the jobs, as a subquery that both databases accept in a union."""
    return select(*jobs.order_by(order).limit(MAX_SUMMED).subquery().c)


def oldest_due() -> datetime | None:
    """When the oldest waiting job became due, None if none is waiting.

    Periodic tasks are ignored, since they are due whenever the server was off.
    """
    oldest = select(func.min(_rows.c.due_at)).where(
        _rows.c.type != PERIODIC, _rows.c.due_at <= now()
    )
    with read_connection() as connection:
        since: datetime | None = connection.execute(oldest).scalar()
    return since


def jobs_by_state() -> dict[str, int]:
    """The number of jobs that are `waiting`, `scheduled` (for later, or claimed) and `failed`, each at most MAX_COUNTED."""
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
    """Whether any worker holds a claim that it made or extended recently."""
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
    """At most LIMIT rows with an error: permanently failed ones, newest first, or those to be retried next."""
    failed = select(_rows).where(_failed).order_by(_rows.c.failed_at.desc(), _rows.c.id.desc())
    next_ones = select(_rows).where(_rows.c.due_at.is_not(None)).order_by(_rows.c.due_at)
    waiting = next_ones.limit(MAX_SUMMED).subquery()
    retried = select(waiting).where(waiting.c.error.is_not(None)).order_by(waiting.c.due_at)
    with read_connection() as connection:
        rows = connection.execute(failed.where(_rows.c.error.is_not(None)).limit(LIMIT)).all()
        return [*rows, *connection.execute(retried.limit(LIMIT - len(rows))).all()]


def retry(actor: Actor, ids: Sequence[int]) -> int:
    """Run jobs that have failed or wait for a retry now, as if they were new; return how many there were."""
    values = {"due_at": now(), "failed_at": None, "attempts": 0}
    with transaction() as connection:
        conditions = (_rows.c.id.in_(ids), _rows.c.error.is_not(None), _is_open)
        count = int(connection.execute(update(_rows).where(*conditions).values(values)).rowcount)
        record_event(actor, "retry", "outbox", None, *map(str, ids))
    wake_worker.set()
    return count


def drop(actor: Actor, ids: Sequence[int]) -> int:
    """Delete failed jobs; return how many there were."""
    with transaction() as connection:
        count = int(connection.execute(delete(_rows).where(_rows.c.id.in_(ids), _failed)).rowcount)
        record_event(actor, "drop", "outbox", None, *map(str, ids))
    return count
