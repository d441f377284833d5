"""A connection that a request keeps for its next read, so that it takes one from the pool instead of two.

The user and the database's state are looked up first, and a read usually follows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

_MAY_KEEP, _KEPT = "quire.may_keep_connection", "quire.kept_connection"
"""The keys in a request's environment for permission to keep a connection, and for the connection."""


def allow_keeping(environ: dict[str, Any]) -> None:
    """Let a read-only request keep a connection; its caller has to call `close_kept` at the end."""
    environ[_MAY_KEEP] = True


def may_keep(environ: dict[str, Any]) -> bool:
    """Whether the request with this environment may keep one."""
    return _MAY_KEEP in environ


@contextmanager
def first_connection(engine: Engine, environ: dict[str, Any]) -> Iterator[Connection]:
    """Open a connection that the next read of the request also uses, if that is allowed."""
    connection = engine.connect()
    try:
        yield connection
        if may_keep(environ) and _KEPT not in environ:
            connection.rollback()  # the next read sees the current data
            environ[_KEPT] = connection
    finally:
        if environ.get(_KEPT) is not connection:
            connection.close()


def take_kept(environ: dict[str, Any]) -> Connection | None:
    """Return the kept connection, if any; the caller closes it."""
    connection: Connection | None = environ.pop(_KEPT, None)
    return connection


def close_kept(environ: dict[str, Any]) -> None:
    """Return a connection to the pool that was kept for a read which did not follow."""
    connection = take_kept(environ)
    if connection is not None:
        connection.close()
