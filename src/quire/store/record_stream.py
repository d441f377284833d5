"""Streams all records of a list in batches from one snapshot, with little memory for any number of rows."""

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
"""Rows that are in memory at once; fewer where a row may hold long texts or other records."""
IDS_AT_ONCE = 1000
MAX_STREAMS = 2
"""Each holds a connection while it lasts, and keeps the database from removing old row versions."""
MAX_SECONDS = 300
"""How long a stream lasts at most, however slowly its client reads."""
State = dict[str, Any]
_streams = BoundedSemaphore(MAX_STREAMS)


class RecordStream:
    """The rows that `query` asks for and `actor` may see, `limit` at most, in batches.

    All are as they were when the first batch was read, which happens at once, so that errors come
    before anything is sent. Raises Unavailable when MAX_STREAMS are open already, and after
    MAX_SECONDS. It ends when it is closed, or read to its end.
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
    """The ids that a statement has found: 8 bytes each, of which a list of rows would take 150."""
    ids = array("q")
    for some in result.scalars().partitions(IDS_AT_ONCE):
        ids.extend(some)
    return ids


@contextmanager
def stream_slot(slots: BoundedSemaphore) -> Iterator[None]:
    """One of `slots`, for a stream of seconds or more: another thread answers requests meanwhile.

    Raises Unavailable when all are taken.
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
    """The records with these ids, in their order."""
    id = record.table.c.id
    condition = id.in_(bindparam("ids", type_=BigInteger, expanding=True))
    statement = projection.select_from(record.table).where(condition).add_columns(id)
    rows = connection.execute(statement, {**values, "ids": ids})
    by_id = {row[-1]: projection.shape(row) for row in rows}
    states = [by_id[one] for one in ids]
    include(connection, record, actor, states, query.include, query.fields, UNLIMITED)
    return prune(states, query.fields)
