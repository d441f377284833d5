"""The job queue: rows of the outbox that are due; a worker claims one and records the outcome.

A claim expires: if a worker dies, another one takes the job. A worker that returns later changes nothing,
because a claim is identified by its attempt and its expiry. Work within one transaction needs no claim:
the transaction locks the rows and releases them however it ends.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from quire.declare.clock import now
from quire.declare.job_registry import LEASE_SECONDS, PERIODIC, Job, PeriodicTask
from quire.declare.record import REGISTRY
from quire.declare.sql_types import UTCDateTime
from quire.store.db import read_connection, transaction
from quire.store.events.outbox import NOBODY, OutboxEvent
from quire.store.transactions.long_work import delete_in_batches

FIRST_SECONDS = 60
"""The maximum delay of the first run of a periodic task after the first start."""
DISPATCHED_SECONDS = 900
"""How long a message may be in transit before it is considered lost."""
BATCHES_AHEAD = 8
"""The number of batches of due jobs that are searched for one batch of an event, to bound the search."""
LONGEST_ERROR = 1000
"""The maximum length of a stored error message in characters."""

JOB_COLUMNS = "id event record_id version data attempts due_at request_id".split()

_rows = OutboxEvent.__table__
_columns = [_rows.c[n] for n in JOB_COLUMNS]


def next_event() -> str | None:
    """The event of the next due job, None if there is none; this check, which is mostly negative, takes no lock."""
    with read_connection() as connection:
        event: str | None = connection.execute(_next_event(), {"now": now()}).scalar()
    return event


@cache
def _next_event() -> Select[Any]:
    return _due(1).with_only_columns(_rows.c.event)


def claim() -> Job | None:
    """Claim the next due job exclusively; None if there is none."""
    moment = now()
    until = moment + timedelta(seconds=LEASE_SECONDS)
    with transaction() as connection:
        row = connection.execute(_claim(), {"now": moment, "until": until}).first()
    return None if row is None else Job(*row)


@cache
def _due(limit: int) -> Select[Any]:
    due = _rows.c.due_at <= bindparam("now", type_=UTCDateTime())
    return select(_rows.c.id).where(due).order_by(_rows.c.due_at, _rows.c.id).limit(limit)


@cache
def _claim() -> Update:
    mine = _rows.c.id == _due(1).with_for_update(skip_locked=True).scalar_subquery()
    return _set_claimed(mine)


def _set_claimed(which: ColumnElement[bool]) -> Update:
    values = {
        "attempts": _rows.c.attempts + 1,
        "due_at": bindparam("until", type_=UTCDateTime()),
    }
    return update(_rows).where(which).values(values).returning(*_columns)


def lock_batch(event: str, limit: int) -> list[Job]:
    """Lock at most `limit` new due jobs of an event for the open transaction.

    Their attempt is counted by `mark_batch_done`. Jobs that have failed before are run one by one.
    """
    with transaction() as connection:
        rows = connection.execute(_batch(limit), {"now": now(), "event": event})
        return [Job(*row) for row in rows]


@cache
def _batch(limit: int) -> Select[Any]:
    is_new = and_(
        _rows.c.event == bindparam("event"), _rows.c.attempts == 0, _rows.c.error.is_(None)
    )
    batch = select(*_columns).where(_rows.c.id.in_(_due(limit * BATCHES_AHEAD)), is_new)
    in_order = batch.order_by(_rows.c.due_at, _rows.c.id).limit(limit)
    return in_order.with_for_update(skip_locked=True)


def dispatch(limit: int) -> list[tuple[int, int]]:
    """The ids of due jobs with their attempts so far, for a broker to deliver to workers.

    No attempt is counted yet. Jobs that no worker claims in time are dispatched again.
    """
    moment = now()
    values = {"now": moment, "until": moment + timedelta(seconds=DISPATCHED_SECONDS)}
    with transaction() as connection:
        return [(id, attempts) for id, attempts in connection.execute(_dispatch(limit), values)]


@cache
def _dispatch(limit: int) -> Any:
    until = bindparam("until", type_=UTCDateTime())
    due = _rows.c.id.in_(_due(limit).with_for_update(skip_locked=True))
    return update(_rows).where(due).values(due_at=until).returning(_rows.c.id, _rows.c.attempts)


def undispatch(ids: list[int]) -> None:
    """Make jobs that no broker accepted due again."""
    with transaction() as connection:
        waiting = and_(_rows.c.id.in_(ids), _rows.c.due_at.is_not(None))
        connection.execute(update(_rows).where(waiting).values(due_at=now()))


def claim_dispatched(id: int, attempts: int) -> Job | None:
    """Claim a dispatched job; None if another message has delivered it before, or it is done."""
    until = now() + timedelta(seconds=LEASE_SECONDS)
    with transaction() as connection:
        result = connection.execute(
            _claim_dispatched(), {"record": id, "made": attempts, "until": until}
        ).first()
    return None if result is None else Job(*result)


@cache
def _claim_dispatched() -> Any:
    same = and_(
        _rows.c.id == bindparam("record", type_=Integer()),
        _rows.c.attempts == bindparam("made", type_=Integer()),
    )
    return _set_claimed(and_(same, _rows.c.due_at.is_not(None)))


def extend(job: Job, seconds: int) -> Job:
    """Extend a claim to `seconds` from now, for jobs that take long."""
    until = now() + timedelta(seconds=seconds)
    _change(job, due_at=until)
    return replace(job, until=until)


def mark_done(job: Job) -> None:
    """Mark a job as done or unnecessary; its row stays if it is an event of a record."""
    _mark_done(_mine(job), job.event)


def mark_batch_done(jobs: list[Job]) -> None:
    """Mark the jobs of one `lock_batch` as done, within its transaction."""
    if jobs:
        _mark_done(_rows.c.id.in_([job.id for job in jobs]), jobs[0].event, attempts=1)


def _mark_done(which: ColumnElement[bool], event: str, **values: Any) -> None:
    done = {"delivered_at": now(), "due_at": None, "error": None, **values}
    tells_of_record = event.partition(".")[0] in REGISTRY
    with transaction() as connection:
        connection.execute(
            update(_rows).where(which).values(done)
            if tells_of_record
            else delete(_rows).where(which)
        )


def reschedule(job: Job, seconds: float) -> None:
    """Run a job again after `seconds`, as if it were new."""
    _change(job, due_at=now() + timedelta(seconds=seconds), attempts=0, error=None)


def postpone(job: Job, seconds: float, error: str, finished: list[str]) -> None:
    """Retry a job later; `finished` names the handlers that have succeeded."""
    data = {**job.data, "done": finished} if finished else job.data
    later = now() + timedelta(seconds=seconds)
    _change(job, due_at=later, error=error[:LONGEST_ERROR], data=data)


def fail(job: Job, error: str) -> None:
    """Give up a job; it is kept until someone retries or drops it."""
    _change(job, due_at=None, failed_at=now(), error=error[:LONGEST_ERROR])


def _change(job: Job, **values: Any) -> None:
    with transaction() as connection:
        connection.execute(update(_rows).where(_mine(job)).values(values))


def _mine(job: Job) -> ColumnElement[bool]:
    columns = _rows.c
    return and_(columns.id == job.id, columns.attempts == job.attempts, columns.due_at == job.until)


def schedule(tasks: dict[str, PeriodicTask]) -> None:
    """Keep exactly one row for each periodic task, and none for tasks that no longer exist."""
    periodic = _rows.c.type == PERIODIC
    with read_connection() as connection:
        scheduled = set(connection.execute(select(_rows.c.event).where(periodic)).scalars())
    if obsolete := scheduled - tasks.keys():
        with transaction() as connection:
            connection.execute(delete(_rows).where(periodic, _rows.c.event.in_(obsolete)))
    for event in tasks.keys() - scheduled:
        _first(event, timedelta(seconds=min(tasks[event].seconds, FIRST_SECONDS)))


def _first(event: str, delay: timedelta) -> None:
    moment = now()
    row = {"event": event, "type": PERIODIC, "record_id": NOBODY, "data": {}}
    row |= {"created_at": moment, "due_at": moment + delay}
    try:
        with transaction() as connection:
            connection.execute(insert(_rows).values(row))
    except IntegrityError:  # another process was faster
        return


def prune(before: datetime, types: Iterable[str]) -> int:
    """Delete older events of records without an open job; return how many there were."""
    old = and_(_rows.c.created_at < before, _rows.c.due_at.is_(None), _rows.c.failed_at.is_(None))
    return delete_in_batches(_rows, old, _rows.c.type.in_(types))
