"""Locks between the processes of one installation: serving, backing up, restoring.

The operating system holds the locks, so they end with their process, however it ends.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import ReadWriteLock, Timeout
from flask import current_app
from sqlalchemy import text

from quire.config.validation import StartupError
from quire.store.connections.postgresql import APPLICATION
from quire.store.db import db, has_one_writer, read_connection

_KEY = "hashtextextended('quire backup', 0)"
_LOCK = text(f"SELECT pg_try_advisory_lock({_KEY})")
_UNLOCK = text(f"SELECT pg_advisory_unlock({_KEY})")
# held only while the statement runs
_LOOK = text(f"SELECT pg_try_advisory_xact_lock_shared({_KEY})")
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = :name AND pid <> pg_backend_pid()"
)
PATIENCE = 2.0
"""Seconds to wait for processes that only check whether a lock is free."""


class BackupRunning(StartupError):
    """Another process is making a backup."""


def _lock(config: Mapping[str, Any], name: str) -> ReadWriteLock:
    folder = Path(config["QUIRE_INSTANCE"])
    folder.mkdir(parents=True, exist_ok=True)
    return ReadWriteLock(folder / name, is_singleton=False)


@contextmanager
def serving(config: Mapping[str, Any]) -> Iterator[None]:
    """Hold the lock of a server or worker. Raises StartupError while a restore is running."""
    lock = _lock(config, "running.lock")
    try:
        try:
            lock.acquire_read(timeout=PATIENCE)
        except Timeout:
            raise StartupError("A restore is running. Try again when it is done.") from None
        yield
    finally:
        lock.close()


def require_no_restore() -> None:
    """Raise StartupError while a restore is running."""
    with serving(current_app.config):
        pass


@contextmanager
def restoring() -> Iterator[None]:
    """Keep servers and workers from starting. Raises StartupError if one is running."""
    error = StartupError(
        "A server or worker of this installation is running. Stop it, then restore."
    )
    with _exclusive("running.lock", error):
        if not has_one_writer():
            _require_no_connections()
        yield


def _require_no_connections() -> None:
    """Raise StartupError while a process on any machine uses the database."""
    db.engine.dispose()
    with read_connection() as connection:
        count = int(connection.execute(_OTHERS, {"name": APPLICATION}).scalar_one())
    db.engine.dispose()
    if count:
        raise StartupError(
            f"Quire has {count} other connections to the database. Stop all servers, workers and commands "
            "on all machines, then restore."
        )


@contextmanager
def backing_up() -> Iterator[None]:
    """Keep stored files from being deleted. Raises StartupError if a backup is already running."""
    error = BackupRunning("Another backup is running. Try again when it is done.")
    with _exclusive("backup.lock", error) if has_one_writer() else _advisory_lock(error):
        yield


@contextmanager
def _advisory_lock(error: StartupError) -> Iterator[None]:
    with db.engine.connect() as connection:
        if not connection.execute(_LOCK).scalar():
            raise error
        try:
            yield
        finally:
            connection.execute(_UNLOCK)


@contextmanager
def _exclusive(name: str, error: StartupError) -> Iterator[None]:
    lock = _lock(current_app.config, name)
    try:
        try:
            lock.acquire_write(timeout=PATIENCE)
        except Timeout:
            raise error from None
        yield
    finally:
        lock.close()


def is_backup_running() -> bool:
    """Whether a process is making a backup, on this machine or, with PostgreSQL, on any."""
    if not has_one_writer():
        with db.engine.connect() as connection:
            return not connection.execute(_LOOK).scalar()
    lock = _lock(current_app.config, "backup.lock")
    try:
        lock.acquire_read(blocking=False)
    except Timeout:
        return True
    finally:
        lock.close()
    return False
