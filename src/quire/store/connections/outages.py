"""Handles database outages: 503 for the client, one log line per minute and cause for the operator."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from quire.errors import Problem, QueryTimeout, TransactionConflict, Unavailable
from quire.monitoring.outage_log import log_outage
from quire.store.connections.read_only import is_file_read_only

logger = logging.getLogger("quire.database")

STATEMENT_SECONDS = 30
"""PostgreSQL's time limit for any statement of a server."""
FULL = "The database's disk is full. Free some space on it."
LOCKED = "The database is locked by another program or a long transaction. Find it and end it."
READ_ONLY = "The database is read-only. Check who owns its file and how its disk is mounted."
DAMAGED = "The database file is damaged or not a database. Restore a backup."
BAD_FILE = (
    "The database file cannot be read or written. Check its disk, and who owns it and its folder."
)
AWAY = "The database is not responding. Check DATABASE_URL and that its server is running."
REPLACED = (
    "A file of the database was renamed, replaced or deleted while it was in use, so nothing is written any "
    "more. Put it back, or stop all servers first."
)
BUSY_POOL = "All connections to the database are in use. See DATABASE_POOL_SIZE."
COSTLY = "A statement took the database too long and was stopped."
IDLE = "A transaction that did nothing for too long was ended by the database."
CONFLICT = "The database rolled back a change because of another one at the same time."
# https://sqlite.org/rescode.html, https://www.postgresql.org/docs/current/errcodes-appendix.html
_CAUSES = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    "53100": FULL,
    "55P03": LOCKED,
    "40001": CONFLICT,
    "40P01": CONFLICT,
    "57014": COSTLY,
    "25P03": IDLE,
    "25006": READ_ONLY,
}
_OUTAGES = (DAMAGED, READ_ONLY, FULL, IDLE)
"""Errors that are outages although drivers do not classify them as operational errors."""


@contextmanager
def translate_outages() -> Iterator[None]:
    """Wrap database calls. Raises Unavailable instead of errors that mean the database cannot answer."""
    try:
        yield
    except PoolTimeout as error:
        _log(BUSY_POOL, error)
        raise _unavailable("The database is not responding. Try again.", 5) from error
    except DatabaseError as error:
        problem = _as_problem(error)
        if problem is None:
            raise
        raise problem from error


def _as_problem(error: DatabaseError) -> Problem | None:
    """Return what the client is told; None if the error is one of our own."""
    cause = _cause(error)
    if not isinstance(error, OperationalError) and cause not in _OUTAGES:
        return None
    _log(cause, error)
    if cause == CONFLICT:
        return TransactionConflict()
    if cause == COSTLY:
        return QueryTimeout(STATEMENT_SECONDS)
    if cause == DAMAGED:
        return _unavailable("The database cannot be read.", 60)
    return _unavailable("The database is not responding. Try again.", 5)


def lock_timeout(is_outage: bool = True) -> Unavailable:
    """Return the error for a change that has waited too long for others; log it if it is an outage."""
    if is_outage:
        _log(LOCKED, TimeoutError("other changes of this process wait for it too"))
    return _unavailable("The database is not responding. Try again.", 5)


def files_replaced() -> Unavailable:
    """Return and log the error for a change that would be written to files which have been replaced."""
    _log(REPLACED, FileNotFoundError("its name leads to another file, or to none"))
    return _unavailable("The database is not responding. Try again.", 60)


def _unavailable(message: str, seconds: int) -> Unavailable:
    return Unavailable(message, headers={"Retry-After": str(seconds)})


def _cause(error: DatabaseError) -> str:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        cause = _CAUSES.get(code & 0xFF, BAD_FILE)
        return READ_ONLY if cause == BAD_FILE and is_file_read_only() else cause
    return _CAUSES.get(getattr(error.orig, "sqlstate", None), AWAY)


def _log(cause: str, error: Exception) -> None:
    log_outage(logger, cause, str(getattr(error, "orig", None) or error).strip().splitlines()[0])


@contextmanager
def driver_connection(connection: Connection) -> Iterator[Any]:
    """Yield the driver's own connection; the pool is told of its errors, as of SQLAlchemy's."""
    dbapi: Any = connection.dialect.dbapi
    try:
        yield connection.connection.dbapi_connection
    except dbapi.Error as error:
        _tell_pool(connection, error)
        raise OperationalError(None, None, error) from error


def driver_error(connection: Connection, error: Exception, sql: str) -> StatementError:
    """Return what SQLAlchemy would raise for an error of the driver in a statement; tell the pool."""
    dialect: Any = connection.dialect
    lost = _tell_pool(connection, error)
    return DBAPIError.instance(
        sql, None, error, dialect.dbapi.Error, True, connection_invalidated=lost, dialect=dialect
    )


def _tell_pool(connection: Connection, error: Exception) -> bool:
    """Tell the pool if the connection is lost; return whether it is."""
    dialect: Any = connection.dialect
    lost = bool(dialect.is_disconnect(error, connection.connection.dbapi_connection, None))
    if lost:
        connection.invalidate(error)
        # a server that has closed one connection has usually closed all: each would fail a request
        connection.engine.dispose()
    return lost
