"""Runs long work in short transactions, with a pause after each in which others write."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table, delete, select

from quire.store.db import has_one_writer, in_transaction, read_connection, transaction

BATCH_SECONDS = 0.025
"""How long others wait for a batch. A commit for each item would take longer than the items."""
PAUSE_SECONDS = 0.01
"""How long to pause for others: several times as long as between two of their attempts."""
ROWS_AT_ONCE = 100

Item = TypeVar("Item")


def in_batches(
    take: Callable[[Item], object],
    items: Iterable[Item],
    transact: Callable[[], AbstractContextManager[Any]] = transaction,
) -> Iterator[int]:
    """Hand each item to `take`; yields the number of items done, after each transaction.

    `transact` opens the transaction of a batch. An item that takes longer than a batch has one of
    its own.
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
    """The number of items taken in one batch, and whether there may be more."""
    until, count = time.monotonic() + BATCH_SECONDS, 0
    for count, item in enumerate(remaining, 1):
        take(item)
        if time.monotonic() > until:
            return count, True
    return count, False


def pause_for_others() -> None:
    """Let other writers have a database that has only one writer for a moment.

    Without a pause the same writer would get the lock again: the others only poll for it.
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
