"""Streams all records of a list in batches from one snapshot, in bounded memory."""

import time
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.record import Record
from quire.errors import Unavailable
from quire.store.db import snapshot
from quire.store.includes import include, prune
from quire.store.lists.plan import Walk, ordered_ids
from quire.store.lists.statements import list_plan
from quire.store.projection import Projection
from quire.store.read import query_params
from quire.store.size_limit import UNLIMITED
from quire.web.threads import blocking

MAX_ROWS = 100_000
BATCH, LONG_BATCH = 500, 100
"""Rows held in memory at a time; fewer if a row may contain long texts or other records."""
IDS_AT_ONCE = 1000
MAX_STREAMS = 2
"""The limit of open streams: each holds a connection and keeps the database from removing old row versions."""
MAX_SECONDS = 300
"""The maximum duration of a stream, however slowly its client reads."""
State = dict[str, Any]
_streams = BoundedSemaphore(MAX_STREAMS)


class RecordStream:
    """The rows that `query` selects and `actor` may see, at most `limit`, in batches.

    All rows are as of the read of the first batch, which happens in the constructor, so that errors
    occur before anything is sent. Raises Unavailable if MAX_STREAMS are open, and after MAX_SECONDS.
    The stream ends when it is closed or exhausted.
    """

    def __init__(self, record: Record, actor: Actor, query: Query, limit: int = MAX_ROWS):
        self._batches = _read_batches(record, actor, query, limit)
        self._first = next(self._batches, [])

    def __iter__(self) -> Iterator[list[State]]:
        return chain([self._first], self._batches)

    def close(self) -> None:
        """Stop reading."""
        self._batches.close()


def _read_batches(
    record: Record, actor: Actor, query: Query, limit: int
) -> Generator[list[State], None, None]:
    end = time.monotonic() + MAX_SECONDS
    with stream_slot(_streams), snapshot() as connection:
        walk = Walk.NONE if query.search is None else Walk.BY_TERMS
        shape = query.shape, walk, connection.dialect.name
        plan = list_plan(record, record.cache_key_actor(actor), *shape)
        values = query_params(actor, query)
        ids = _compact(connection.execute(ordered_ids(plan), {**values, "limit": limit}))
        size = LONG_BATCH if plan.projection.long or query.include else BATCH
        for start in range(0, len(ids), size):
            some = ids[start : start + size].tolist()
            yield _rows(connection, record, actor, query, plan.projection, some, values)
            if time.monotonic() > end:
                raise Unavailable("The client did not read the list in time.")


def _compact(result: Any) -> "array[int]":
    """The ids that a statement has found, at 8 bytes each instead of 150 in a list of rows."""
    ids = array("q")
    for some in result.scalars().partitions(IDS_AT_ONCE):
        ids.extend(some)
    return ids


@contextmanager
def stream_slot(slots: BoundedSemaphore) -> Iterator[None]:
    """Take one of `slots` for a long stream; another thread serves requests in the meantime.

    Raises Unavailable if all are taken.
    """
    if not slots.acquire(blocking=False):
        raise Unavailable(
            "Other content is being exported. Try again soon.", headers={"Retry-After": "10"}
        )
    try:
        with blocking():
            yield
    finally:
        slots.release()


def _rows(
    connection: Connection,
    record: Record,
    actor: Actor,
    query: Query,
    projection: Projection,
    ids: Sequence[int],
    values: dict[str, Any],
) -> list[State]:
    """The records with these ids, in the given order."""
    id = record.table.c.id
    condition = id.in_(bindparam("ids", type_=BigInteger, expanding=True))
    statement = projection.select_from(record.table).where(condition).add_columns(id)
    rows = connection.execute(statement, {**values, "ids": ids})
    by_id = {row[-1]: projection.shape(row) for row in rows}
    states = [by_id[one] for one in ids]
    include(connection, record, actor, states, query.include, query.fields, UNLIMITED)
    return prune(states, query.fields)
