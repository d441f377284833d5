"""How every import writes: item by item, each whole or not at all, and others are let in between."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from quire.errors import Problem, Unavailable
from quire.exchange.items import Progress, Unusable
from quire.exchange.memory import Memory
from quire.store.db import transaction

TURN_SECONDS = 0.2

Item = TypeVar("Item")


class _Undo(Exception):
    """Ends a dry run: everything was done, nothing is kept."""


@contextmanager
def rehearsal(dry_run: bool) -> Iterator[None]:
    """Around an import: with `dry_run` everything is done, and nothing of it stays."""
    if not dry_run:
        yield
        return
    try:
        with transaction():
            yield
            raise _Undo
    except _Undo:
        pass


def in_turns(
    take: Callable[[Item], object],
    items: Iterable[Item],
    total: int,
    progress: Progress | None = None,
) -> None:
    """Hand every item to `take`, and let other writers in every fifth of a second.

    A commit waits for the disk: one for each item would take longer than the items do.
    """
    for _ in turns(take, items, total, progress):
        pass


def turns(
    take: Callable[[Item], object],
    items: Iterable[Item],
    total: int,
    progress: Progress | None = None,
    *,
    keep: bool = True,
) -> Iterator[int]:
    """The same, seen by who shows it: how many are done, after each turn.

    Without `keep` it is a rehearsal turn by turn, which shuts nobody out.
    """
    waiting = enumerate(items, 1)
    done, more = 0, True
    while more:
        more = False
        until = monotonic() + TURN_SECONDS
        with rehearsal(not keep), transaction():
            for done, item in waiting:
                take(item)
                if progress is not None:
                    progress(min(done, total), total)
                if monotonic() > until:
                    more = True
                    break
        yield done


@contextmanager
def one_item(memory: Memory, fail: Callable[[str], object]) -> Iterator[None]:
    """Around one item: what is wrong with it goes to `fail`, in words, and undoes this one alone.

    Raises Unavailable and OperationalError: no other item would fare better.
    """
    try:
        with memory.one_item(), transaction() as connection, connection.begin_nested():
            yield
    except (Unavailable, OperationalError):
        raise
    except Unusable as error:
        fail(error.reason)
    except Problem as error:
        fail(error.message.rstrip("."))
    except DBAPIError as error:
        fail(f"the database refuses it ({str(error.orig).partition(chr(10))[0][:100]})")
