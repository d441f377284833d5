"""Who may write: waiting writers block no readers, and no request waits too long."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app, g, has_request_context
from sqlalchemy import Connection

from quire.store.connections.outages import lock_timeout
from quire.web.threads import blocking

BUSY_SECONDS = 5
"""How long one request waits for locks in total."""
TRY_SECONDS = 0.003
"""The interval of attempts to get SQLite's lock. Its own handler waits 0.1 s, and misses short pauses."""
SOON_SECONDS = 0.05
"""How long a writer waits on its own thread: most get the lock by then, and another thread costs more."""
MAX_WAITING = 100
"""The maximum number of waiting writers per process; further ones are refused."""

_WRITERS = "quire.writers"
"""The key of the semaphore for concurrent writers among the extensions of an application."""

# queueing here is fair, whereas SQLite's busy handler starves threads
_single_writer = threading.Lock()
_waiting: set[int] = set()
"""The threads that wait to be the only writer."""
_queue_slots = threading.BoundedSemaphore(MAX_WAITING)


@contextmanager
def single_writer() -> Iterator[None]:
    """Be the only writer of this process. Raises Unavailable if that takes too long."""
    thread = threading.get_ident()
    _waiting.add(thread)
    try:
        _acquire(_single_writer)
    finally:
        _waiting.discard(thread)
    try:
        yield
    finally:
        _single_writer.release()


def others_wait() -> bool:
    """Whether other threads wait to be the only writer."""
    return bool(_waiting)


@contextmanager
def try_writing() -> Iterator[bool]:
    """Be the only writer if there is none; return whether that succeeded."""
    is_writer = _single_writer.acquire(blocking=False)
    try:
        yield is_writer
    finally:
        if is_writer:
            _single_writer.release()


@contextmanager
def one_of_many_writers() -> Iterator[None]:
    """Reserve a thread for readers: PostgreSQL lets statements wait for locks, which occupies threads.

    Only requests are counted. Raises Unavailable if the others take too long.
    """
    if not has_request_context():
        yield
        return
    threads = current_app.config["THREADS"]
    # two simultaneous calls get the same one
    writers = current_app.extensions.setdefault(
        _WRITERS, threading.BoundedSemaphore(max(threads - 1, 1))
    )
    _acquire(writers)
    try:
        yield
    finally:
        writers.release()


def lock_milliseconds() -> int | None:
    """Return how long a statement of this request may still wait for locks; None if it has not waited yet."""
    seconds = g.get("lock_seconds") if has_request_context() else None
    return None if seconds is None else max(int(seconds * 1000), 1)


def limit_lock_wait(connection: Connection) -> None:
    """Limit how long a request that has already waited for its turn may wait for locks of PostgreSQL."""
    rest = lock_milliseconds()
    if rest is not None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {rest}")


def _acquire(lock: Any) -> None:
    if not lock.acquire(timeout=SOON_SECONDS):
        _wait_for_lock(lock)


def _wait_for_lock(lock: Any) -> None:
    if not _queue_slots.acquire(blocking=False):
        raise lock_timeout()
    try:
        with _remaining_seconds() as seconds, blocking():
            if not lock.acquire(timeout=seconds):
                raise lock_timeout(is_outage=not _waits_briefly())
    finally:
        _queue_slots.release()


@contextmanager
def brief_wait() -> Iterator[None]:
    """Let the request wait for locks no longer than SOON_SECONDS in this block.

    For writes on behalf of readers, who do not wait for writers. Raises Unavailable.
    """
    if not has_request_context():
        yield
        return
    remaining = g.get("lock_seconds", BUSY_SECONDS)
    g.lock_seconds, g.waits_briefly = min(remaining, SOON_SECONDS), True
    try:
        yield
    finally:
        g.lock_seconds, g.waits_briefly = remaining, False


def _waits_briefly() -> bool:
    return has_request_context() and bool(g.get("waits_briefly"))


@contextmanager
def _remaining_seconds() -> Iterator[float]:
    """Return the seconds left to wait for locks: a request may wait BUSY_SECONDS in total."""
    remaining, begin = BUSY_SECONDS, time.monotonic()
    if has_request_context():
        remaining = g.get("lock_seconds", BUSY_SECONDS)
    try:
        yield max(remaining, 0.0)
    finally:
        if has_request_context():
            g.lock_seconds = remaining - (time.monotonic() - begin)


def begin_writing(raw: sqlite3.Connection) -> None:
    """Take the file's lock immediately: a read that turns into a write cannot wait for another writer.

    Raises sqlite3.OperationalError if another process holds it for too long.
    """
    raw.execute("PRAGMA busy_timeout=0").close()
    try:
        with _remaining_seconds() as seconds:
            _take_lock(raw, time.monotonic() + seconds)
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}").close()


def _take_lock(raw: sqlite3.Connection, until: float) -> None:
    soon = min(time.monotonic() + SOON_SECONDS, until)
    try:
        _try_until(raw, soon)
    except sqlite3.OperationalError as error:
        if not _is_busy(error) or soon == until:
            raise
        with blocking():
            _try_until(raw, until)


def _try_until(raw: sqlite3.Connection, deadline: float) -> None:
    """Take the lock. Raises the error of the first attempt after `deadline`."""
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE").close()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(TRY_SECONDS)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
