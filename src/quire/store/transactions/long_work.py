"""Runs long work in short transactions, with pauses in which others can write."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, delete, select

from quire.store.db import has_one_writer, in_transaction, read_connection, transaction

BATCH_SECONDS = 0.025
"""The duration of a batch, for which others wait. A commit for each item would take longer than the items."""
PAUSE_SECONDS = 0.01
"""The pause for other writers, several times as long as the interval of their attempts."""
ROWS_AT_ONCE = 100

Item = TypeVar("Item")


def in_batches(
    take: Callable[[Item], object],
    items: Iterable[Item],
    transact: Callable[[], AbstractContextManager[Any]] = transaction,
) -> Iterator[int]:
    """Pass each item to `take`; yield the number of items done after each transaction.

    `transact` opens the transaction of a batch. An item that takes longer than a batch has its own
    transaction.
    """
    remaining = iter(items)
    done, more = 0, True
    while more:
        with transact():
            count, more = _run_batch(take, remaining)
        done += count
        yield done
        if more:
            pause_for_others()


def _run_batch(take: Callable[[Item], object], remaining: Iterator[Item]) -> tuple[int, bool]:
    """Run one batch; return the number of items taken, and whether there may be more."""
    until, count = time.monotonic() + BATCH_SECONDS, 0
    for count, item in enumerate(remaining, 1):
        take(item)
        if time.monotonic() > until:
            return count, True
    return count, False


def pause_for_others() -> None:
    """Give other writers a turn on a database that has only one writer at a time.

    Without a pause the same writer would get the lock again, because the others only poll for it.
    """
    if has_one_writer() and not in_transaction():
        time.sleep(PAUSE_SECONDS)


def delete_in_batches(table: Table, *where: ColumnElement[bool]) -> int:
    """Delete the rows of `table` for which all of `where` hold; the number of rows deleted."""
    with read_connection() as connection:
        ids = list(connection.execute(select(table.c.id).where(*where)).scalars())
    counts: list[int] = []

    def delete_some(some: list[int]) -> None:
        with transaction() as connection:
            has_id = table.c.id.in_(some)
            counts.append(connection.execute(delete(table).where(has_id, *where)).rowcount)

    chunks = (ids[start : start + ROWS_AT_ONCE] for start in range(0, len(ids), ROWS_AT_ONCE))
    for _ in in_batches(delete_some, chunks):
        pass
    return sum(counts)
