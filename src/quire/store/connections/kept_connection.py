"""A connection that a request keeps for its next read, so that it takes one from the pool instead of two.

Who asks and what the database shows are looked up first, and mostly something is read right after.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

_MAY_KEEP, _KEPT = "quire.may_keep_connection", "quire.kept_connection"
"""Where the environment of a request says that it may keep one, and where it does."""


def allow_keeping(environ: dict[str, Any]) -> None:
    """Let a request that changes nothing keep a connection; whoever does calls `close_kept` at its end."""
    environ[_MAY_KEEP] = True


def may_keep(environ: dict[str, Any]) -> bool:
    """Whether the request with this environment may keep one."""
    return _MAY_KEEP in environ


@contextmanager
def first_connection(engine: Engine, environ: dict[str, Any]) -> Iterator[Connection]:
    """A connection that the next read of the request uses, too, where that is allowed."""
    connection = engine.connect()
    try:
        yield connection
        if may_keep(environ) and _KEPT not in environ:
            connection.rollback()  # the next read sees what is there then
            environ[_KEPT] = connection
    finally:
        if environ.get(_KEPT) is not connection:
            connection.close()


def take_kept(environ: dict[str, Any]) -> Connection | None:
    """The connection that was kept, if one was; it is closed by whoever takes it."""
    connection: Connection | None = environ.pop(_KEPT, None)
    return connection


def close_kept(environ: dict[str, Any]) -> None:
    """Give back a connection that was kept for a read which has not come."""
    connection = take_kept(environ)
    if connection is not None:
        connection.close()
