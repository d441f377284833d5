"""Lets changes that wait for one another on SQLite share a commit, and so the disk sync that each would wait for.

A writer that finishes while others wait leaves the transaction open to the next one, which writes in a savepoint of
its own. The last one commits for all. No change is visible or acknowledged before that.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from flask import has_request_context
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from quire.errors import Problem, TransactionConflict
from quire.store.connections.writer_lock import (
    SOON_SECONDS,
    others_wait,
    single_writer,
    try_writing,
)
from quire.web.threads import blocking

LONGEST_SECONDS = 0.02
"""How long after its start a transaction may be joined: writers of other processes are waiting for it."""

AsCurrent = Callable[[Connection], AbstractContextManager[None]]
_open: dict[Engine, "SharedTransaction"] = {}
"""The transaction that is open to the next writer, at most one; only the current writer may change it."""


class SharedTransaction:
    """A transaction in which threads write one after another, and which the last one commits."""

    def __init__(self, engine: Engine):
        self.engine, self.connection = engine, engine.connect()
        self.connection.execution_options(writes=True)
        self._until = time.monotonic() + LONGEST_SECONDS
        self._written: ExitStack | None = None
        self._ended: threading.Event | None = None
        self._error: Exception | None = TransactionConflict()

    @contextmanager
    def part(self) -> Iterator[None]:
        """Contain what one thread writes: if it fails, only that is rolled back."""
        if self._written is not None:
            with self.connection.begin_nested():
                yield
            return
        with ExitStack() as stack:
            stack.enter_context(self.connection.begin())
            yield
            self._written = stack.pop_all()

    def end(self) -> None:
        """Commit everything, or leave the transaction open to the next writer; the only writer calls it."""
        joinable = has_request_context() and time.monotonic() < self._until
        if self._written and joinable and others_wait() and self._is_in_transaction():
            self._ended = self._ended or threading.Event()
            _open[self.engine] = self
        else:
            self.finish()

    def finish(self) -> None:
        """Commit for all; each gets any error."""
        try:
            with self._written or ExitStack():
                if self._written and not self._is_in_transaction():
                    raise TransactionConflict
            self._error = None
        except (SQLAlchemyError, Problem) as error:
            self._error = error
        finally:
            self.connection.close()
            if self._ended is not None:
                self._ended.set()

    def _is_in_transaction(self) -> bool:
        """Whether SQLite has not rolled back everything because of an error, such as a full disk."""
        raw: Any = self.connection.connection.dbapi_connection
        return bool(raw.in_transaction)

    def wait(self) -> None:
        """Return when it is committed. Raises what the commit has raised."""
        ended = self._ended
        if ended is not None and not ended.wait(SOON_SECONDS):
            with blocking():
                self._finish_if_left()
                while not ended.wait(SOON_SECONDS):
                    self._finish_if_left()
        if self._error is not None:
            raise self._error

    def _finish_if_left(self) -> None:
        """Commit it if the writer that was to join has given up waiting."""
        with try_writing() as is_writer:
            if is_writer and _open.get(self.engine) is self:
                del _open[self.engine]
                self.finish()


@contextmanager
def shared_transaction(engine: Engine, current: AsCurrent) -> Iterator[Connection]:
    """Yield the connection on which the only writer of this process writes, while it is `current`.

    Returns when it is committed. Raises Unavailable after a long wait, and what the commit raises.
    """
    with single_writer():
        shared = _left_open(engine) or SharedTransaction(engine)
        try:
            with current(shared.connection), shared.part():
                yield shared.connection
        finally:
            shared.end()
    shared.wait()


def _left_open(engine: Engine) -> SharedTransaction | None:
    """Return the transaction of `engine` to join; it is committed for those who must not delay others."""
    for other, shared in tuple(_open.items()):
        del _open[other]
        if other is engine and has_request_context():
            return shared
        shared.finish()
    return None
