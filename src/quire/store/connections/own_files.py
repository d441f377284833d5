"""Notices that SQLite's files are not those that are open any more, so that writes would be lost.

SQLite itself only checks that without a write-ahead log. With one, it continues in files that were renamed or
deleted, and the writes are missing when the database is opened again: https://sqlite.org/howtocorrupt.html
"""

import os
import sqlite3
import threading
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Engine, event

from quire.store.connections.outages import files_replaced

DATABASE, LOG = "", "-wal"
"""The suffixes of the files after the database's name: a commit is written to the log."""
Identity = tuple[int, int] | None


class WatchedConnection(sqlite3.Connection):
    """A connection that is counted for its files while it is open."""

    files: "OwnFiles | None" = None

    def close(self) -> None:
        """Close it."""
        super().close()
        if self.files is not None:
            self.files.remove_connection(self)


class OwnFiles:
    """The files of the database in `path`, as they were when this process opened them.

    They stay the same while it has a connection; after the last one is closed, they may be replaced.
    """

    def __init__(self, path: str):
        self._paths = {suffix: path + suffix for suffix in (DATABASE, LOG)}
        # weak, since a connection that could not be set up is dropped without being closed
        self._connections: WeakSet[WatchedConnection] = WeakSet()
        self._known: dict[str, Identity] = {}
        self._lock = threading.Lock()

    def add_connection(self, connection: WatchedConnection, *_: Any) -> None:
        """Count an opened connection."""
        with self._lock:
            if not self._connections:
                self._known = {DATABASE: _identity(self._paths[DATABASE])}
            self._connections.add(connection)
            connection.files = self

    def remove_connection(self, connection: WatchedConnection) -> None:
        """Stop counting a closed one."""
        with self._lock:
            self._connections.discard(connection)

    def check(self) -> None:
        """Raise Unavailable if the name of a file no longer refers to the one in use."""
        for suffix, known in tuple(self._known.items()) if self._connections else ():
            if known is not None and _identity(self._paths[suffix]) != known:
                raise files_replaced()

    def check_commit(self) -> None:
        """Raise Unavailable if a commit would go to files that are no longer the database's."""
        self.check()
        if LOG not in self._known:  # it has existed since the transaction began
            self._known[LOG] = _identity(self._paths[LOG])


_watched: WeakKeyDictionary[Engine, OwnFiles] = WeakKeyDictionary()


def watch_files(engine: Engine) -> None:
    """Make `engine`, of SQLite, refuse commits to files that were moved, replaced or deleted."""
    name = engine.url.database
    if name in (None, "", ":memory:") or str(name).startswith("file:"):
        return
    files = _watched[engine] = OwnFiles(str(name))
    dialect: Any = engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        files.check_commit()
        commit(connection)

    dialect.do_commit = do_commit

    def before_connect(_: Any, __: Any, ___: Any, options: dict[str, Any]) -> None:
        files.check()  # a new database would be created if it no longer exists
        options["factory"] = WatchedConnection

    event.listen(engine, "do_connect", before_connect)
    event.listen(engine, "connect", files.add_connection, insert=True)


def require_own_files(engine: Engine) -> None:
    """Raise Unavailable if the name of the database or its log no longer refers to the file in use."""
    if engine in _watched:
        _watched[engine].check()


def _identity(path: str) -> Identity:
    try:
        status = os.stat(path)  # noqa: PTH116 - before each commit: a Path takes longer than the system
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
