"""Runs an import item by item, so that each can fail alone and other writers get in between batches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from quire.errors import Problem, Unavailable
from quire.exchange.model import Progress, Unusable
from quire.exchange.origin_map import OriginMap
from quire.store.db import nested_transaction, roll_back, transaction
from quire.store.scratch_copy import on_a_copy
from quire.store.transactions.long_work import in_batches

SHOW_SECONDS = 0.2
"""Seconds between two progress reports."""

Item = TypeVar("Item")


@contextmanager
def dry_run(enabled: bool) -> Iterator[None]:
    """Context of an import: if `enabled`, everything is rolled back at its end."""
    if not enabled:
        yield
        return
    with on_a_copy(), rolled_back_transaction():
        yield


@contextmanager
def rolled_back_transaction() -> Iterator[None]:
    """A transaction that is always rolled back."""
    with nested_transaction():
        yield
        roll_back()


def process_items(
    take: Callable[[Item], object],
    items: Iterable[Item],
    total: int,
    progress: Progress | None = None,
) -> None:
    """Pass every item to `take`, and let other writers in between batches."""
    for _ in process_in_batches(take, items, total, progress):
        pass


def process_in_batches(
    take: Callable[[Item], object],
    items: Iterable[Item],
    total: int,
    progress: Progress | None = None,
    *,
    keep: bool = True,
) -> Iterator[int]:
    """The same with progress: yields the number of items done, a few times a second and at the end.

    Without `keep`, this is a dry run that is rolled back batch by batch and locks no writer out.
    """
    last_moment, done, last_count = 0.0, 0, -1
    for done in in_batches(take, items, transaction if keep else rolled_back_transaction):
        if progress is not None:
            progress(min(done, total), total)
        if monotonic() > last_moment + SHOW_SECONDS:
            last_moment, last_count = monotonic(), done
            yield done
    if done != last_count:
        yield done


@contextmanager
def one_item(memory: OriginMap | None, fail: Callable[[str], object]) -> Iterator[None]:
    """Context of one item: an error rolls back this item only and goes to `fail` as a message.

    Raises Unavailable and OperationalError, since no other item would succeed either.
    """
    try:
        with _one_item_of(memory), nested_transaction():
            yield
    except (Unavailable, OperationalError):
        raise
    except Unusable as error:
        fail(error.reason)
    except Problem as error:
        fail(error.message.rstrip("."))
    except DBAPIError as error:
        fail(f"the database rejected it ({str(error.orig).partition(chr(10))[0][:100]})")


def _one_item_of(memory: OriginMap | None) -> AbstractContextManager[None]:
    return nullcontext() if memory is None else memory.one_item()
