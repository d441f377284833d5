"""Long polling for changes: a waiting request takes no thread from others, and all share one poll.

Each process has one thread that polls the database while any request waits. A waiting request holds no
database connection; of the requests woken with the same question, one reads for all, and only a few
questions are read at the same time. A request ends when its client disconnects.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager

from flask import Flask

from quire.auth.maintenance_mode import is_administrator, refuse_during_maintenance
from quire.errors import Problem, Unavailable
from quire.store.db import read_from_primary
from quire.store.events.change_feed import Part, catch_up
from quire.store.events.feed_position import current_position
from quire.store.maintenance_mode import current_maintenance
from quire.web.current import current_application, current_request
from quire.web.threads import client_gone_check, long_wait, stopping_check

LOOK_SECONDS = 0.2
"""How often to check for changes."""
LOOKS_PER_CLIENT_CHECK = 5
"""The number of polls between two checks for disconnected clients."""
SLICE_SECONDS = 5.0
"""How long a stopping server waits for waiting requests if the poll hangs."""
READERS = 4
"""The number of questions that are read at the same time after a change."""

logger = logging.getLogger("quire.changes")


class SharedRead:
    """A read by one request for all that were woken with the same question; the others wait for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._part: Part | None = None
        self._problem: Problem | None = None

    @property
    def is_done(self) -> bool:
        """Whether the read has finished or failed."""
        return self._part is not None or self._problem is not None

    def get(self, read: Callable[[], Part]) -> Part:
        """Return the result of `read()`, or the earlier result or error; the caller must hold the lock."""
        if self._problem is not None:
            raise self._problem
        if self._part is None:
            try:
                self._part = read()
            except Problem as problem:
                self._problem = problem
                raise
        return self._part


class ChangeWatcher:
    """Polls for changes while any request waits, and wakes the waiting requests."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.readers = threading.BoundedSemaphore(READERS)
        self.waits: set[Wait] = set()
        self.last, self.looking = 0, False
        self.under_maintenance = False
        self.is_stopping: Callable[[], bool] = lambda: False

    def enter(self, app: Flask, wait: "Wait") -> bool:
        """Register a wait if there is room."""
        with self.changed:
            if len(self.waits) >= app.config["CHANGES_WAITING"]:
                return False
            self.waits.add(wait)
            self.under_maintenance = False  # as it was when this request was admitted
            self.is_stopping = stopping_check()
            if not self.looking:
                self.looking = True
                threading.Thread(
                    target=self._poll_database, args=(app,), name="changes", daemon=True
                ).start()
            return True

    def leave(self, wait: "Wait") -> None:
        """Unregister a wait."""
        with self.changed:
            self.waits.discard(wait)

    def goes_on(self, wait: "Wait", position: int, question: Hashable) -> bool:
        """Wait until the feed passes `position`; return whether it does while `wait` lasts.

        Returns False early if the client disconnects, the server stops, or maintenance begins and the
        request may not stay. `wait.shared` is then the read to share.
        """
        with self.changed:
            wait.position, wait.question, wait.shared = position, question, SharedRead()
            while self.last <= position:
                rest = wait.until - time.monotonic()
                is_over = self.under_maintenance and not wait.may_stay
                if rest <= 0 or is_over or wait.is_abandoned or self.is_stopping():
                    return False
                self.changed.wait(min(rest, SLICE_SECONDS))
            return True

    def _poll_database(self, app: Flask) -> None:
        looks = 0
        while self._is_needed():
            looks += 1
            if looks % LOOKS_PER_CLIENT_CHECK == 0:
                self._release_abandoned()
            try:
                with app.app_context():
                    catch_up()
                    last, maintenance = current_position().last, current_maintenance()
            except Unavailable as error:
                logger.warning("Changes cannot be looked for: %s", error)
            else:
                self._wake_waiting(last, maintenance is not None)
            self._end_if_stopping()
            time.sleep(LOOK_SECONDS)

    def _is_needed(self) -> bool:
        with self.changed:
            self.looking = bool(self.waits)
            return self.looking

    def _release_abandoned(self) -> None:
        """Wake requests whose clients have disconnected, to free their places."""
        with self.changed:
            waits = list(self.waits)
        abandoned = [wait for wait in waits if wait.is_client_gone()]
        for wait in abandoned:
            wait.is_abandoned = True
        if abandoned:
            with self.changed:
                self.changed.notify_all()

    def _end_if_stopping(self) -> None:
        """Wake all requests if the server is stopping, as they do not poll themselves."""
        if self.is_stopping():
            with self.changed:
                self.changed.notify_all()

    def _wake_waiting(self, last: int, under_maintenance: bool) -> None:
        with self.changed:
            state = (last, under_maintenance)
            if state != (self.last, self.under_maintenance):
                self.last, self.under_maintenance = state
                self._share_reads()
                self.changed.notify_all()

    def _share_reads(self) -> None:
        """Give requests woken with the same question one read, whose result is valid for all of them."""
        reads: dict[Hashable, SharedRead] = {}
        for wait in self.waits:
            if wait.position < self.last:
                wait.shared = reads.setdefault(wait.question, SharedRead())


class Wait:
    """The wait of one request, until `until` on the monotonic clock."""

    def __init__(self, watcher: ChangeWatcher, until: float):
        self.watcher, self.until = watcher, until
        self.may_stay = is_administrator()
        self.is_client_gone, self.is_abandoned = client_gone_check(), False
        self.position, self.shared = 0, SharedRead()
        self.question: Hashable = None

    def next_part(self, position: int, question: Hashable, read: Callable[[], Part]) -> Part | None:
        """The result of `read()` once there are changes after `position`; None if there are none in time.

        Requests with the same `question` get the same result. Raises UnderMaintenance if maintenance
        has begun.
        """
        read_from_primary()  # where the change was seen
        with long_wait():
            if goes_on := self.watcher.goes_on(self, position, question):
                shared = self.shared  # a later change replaces it
                stack = self._wait_to_read(shared)
        if not goes_on:
            refuse_during_maintenance(current_request())
            return None
        with stack:
            return shared.get(read)

    def _wait_to_read(self, shared: SharedRead) -> ExitStack:
        """Wait until the read is done, or until it is this request's turn; closing the stack ends the turn."""
        stack = ExitStack()
        stack.enter_context(shared.lock)
        if not shared.is_done:
            stack.enter_context(self.watcher.readers)
        return stack


@contextmanager
def waiting(seconds: int) -> Iterator[Wait | None]:
    """A wait of up to `seconds`; None for 0, or if too many requests are waiting already."""
    if not seconds:
        yield None
        return
    app = current_application()
    watcher: ChangeWatcher = app.extensions.setdefault("quire.changes", ChangeWatcher())
    wait = Wait(watcher, time.monotonic() + seconds)
    if not watcher.enter(app, wait):
        yield None
        return
    try:
        yield wait
    finally:
        watcher.leave(wait)
