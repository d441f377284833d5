"""Locks between the processes of one installation: who serves it, whether it is backed up or restored.

The operating system holds them, so they end with the process that has them, however it ends.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import ReadWriteLock, Timeout
from flask import current_app

from quire.config.validation import StartupError

PATIENCE = 2.0
"""Seconds to wait for those who only look whether a lock is free."""


def _lock(config: Mapping[str, Any], name: str) -> ReadWriteLock:
    folder = Path(config["QUIRE_INSTANCE"])
    folder.mkdir(parents=True, exist_ok=True)
    return ReadWriteLock(folder / name, is_singleton=False)


@contextmanager
def serving(config: Mapping[str, Any]) -> Iterator[None]:
    """Around all that a server or worker does. Raises StartupError while a restore is running."""
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
    """Keep servers and workers from starting. Raises StartupError where one is running."""
    message = "A server or worker of this installation is running. Stop it, then restore."
    with _exclusive("running.lock", message):
        yield


@contextmanager
def backing_up() -> Iterator[None]:
    """Keep stored files from being deleted. Raises StartupError where a backup is running already."""
    with _exclusive("backup.lock", "Another backup is running. Try again when it is done."):
        yield


@contextmanager
def _exclusive(name: str, message: str) -> Iterator[None]:
    lock = _lock(current_app.config, name)
    try:
        try:
            lock.acquire_write(timeout=PATIENCE)
        except Timeout:
            raise StartupError(message) from None
        yield
    finally:
        lock.close()


def is_backup_running() -> bool:
    """Whether a process of this machine makes a backup."""
    lock = _lock(current_app.config, "backup.lock")
    try:
        lock.acquire_read(blocking=False)
    except Timeout:
        return True
    finally:
        lock.close()
    return False
