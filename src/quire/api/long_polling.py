"""Waiting for changes: a request takes no thread from others, and one look at the database serves all.

Each process has one thread that looks while anybody waits. A request that waits holds no connection to
the database; those that go on read a few at a time.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, current_app

from quire.auth.maintenance_mode import is_administrator, refuse_during_maintenance
from quire.errors import Unavailable
from quire.store.change_feed import catch_up
from quire.store.feed_position import current_position
from quire.store.maintenance_mode import current_maintenance
from quire.web.threads import blocking, stopping_check

LOOK_SECONDS = 0.2
"""How often to look whether anything has changed."""
SLICE_SECONDS = 5.0
"""How long a stopping server waits for those who wait, if the look at the database hangs."""
READERS = 4
"""Requests that read at once after a change."""

logger = logging.getLogger("quire.changes")


class ChangeWatcher:
    """Looks for changes as long as anybody waits, and wakes them."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.readers = threading.BoundedSemaphore(READERS)
        self.waiting, self.last, self.looking = 0, 0, False
        self.under_maintenance = False
        self.is_stopping: Callable[[], bool] = lambda: False

    def enter(self, app: Flask) -> bool:
        """Count one more who waits, if there is room."""
        with self.changed:
            if self.waiting >= app.config["CHANGES_WAITING"]:
                return False
            self.waiting += 1
            self.is_stopping = stopping_check()
            if not self.looking:
                self.looking = True
                threading.Thread(
                    target=self._look, args=(app,), name="changes", daemon=True
                ).start()
            return True

    def leave(self) -> None:
        """Count one less."""
        with self.changed:
            self.waiting -= 1

    def wait(self, position: int, until: float, may_stay: bool) -> bool:
        """Whether the feed goes on behind `position` before `until`, by the monotonic clock.

        False earlier when the server stops, or when maintenance begins, unless one `may_stay` then.
        """
        with self.changed:
            while self.last <= position:
                rest = until - time.monotonic()
                if rest <= 0 or self.is_stopping() or (self.under_maintenance and not may_stay):
                    return False
                self.changed.wait(min(rest, SLICE_SECONDS))
            return True

    def _look(self, app: Flask) -> None:
        while self._is_needed():
            try:
                with app.app_context():
                    catch_up()
                    last, maintenance = current_position().last, current_maintenance()
            except Unavailable as error:
                logger.warning("Changes cannot be looked for: %s", error)
            else:
                self._tell(last, maintenance is not None)
            self._end_if_stopping()
            time.sleep(LOOK_SECONDS)

    def _is_needed(self) -> bool:
        with self.changed:
            self.looking = self.waiting > 0
            return self.looking

    def _end_if_stopping(self) -> None:
        """Wake all, once for all: those who wait do not look themselves."""
        if self.is_stopping():
            with self.changed:
                self.changed.notify_all()

    def _tell(self, last: int, under_maintenance: bool) -> None:
        with self.changed:
            state = (last, under_maintenance)
            if state != (self.last, self.under_maintenance):
                self.last, self.under_maintenance = state
                self.changed.notify_all()


class Wait:
    """The waiting of one request, until `until` by the monotonic clock."""

    def __init__(self, watcher: ChangeWatcher, until: float):
        self.watcher, self.until, self.reads = watcher, until, False
        self.may_stay = is_administrator()

    def until_changed(self, position: int) -> bool:
        """Whether there are changes behind `position` in time; then it is this request's turn to read.

        Raises UnderMaintenance when maintenance has begun.
        """
        self.end_turn()
        with blocking():
            if self.watcher.wait(position, self.until, self.may_stay):
                self.reads = self.watcher.readers.acquire()
        if not self.reads:
            refuse_during_maintenance()
        return self.reads

    def end_turn(self) -> None:
        """Let another one read."""
        if self.reads:
            self.reads = False
            self.watcher.readers.release()


@contextmanager
def waiting(seconds: int) -> Iterator[Wait | None]:
    """A wait of so many seconds; None where none is asked for, or too many wait already."""
    if not seconds:
        yield None
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own name
    watcher: ChangeWatcher = app.extensions.setdefault("quire.changes", ChangeWatcher())
    if not watcher.enter(app):
        yield None
        return
    wait = Wait(watcher, time.monotonic() + seconds)
    try:
        yield wait
    finally:
        wait.end_turn()
        watcher.leave()
