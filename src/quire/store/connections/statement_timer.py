"""Times the statements of a request, and stops one when the request has spent too long in the database.

Jobs and commands are not requests and have no such limit, nor has the rest of a response that has begun.
"""

import logging
import math
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

from flask import Flask, Request, Response, request
from sqlalchemy import Connection, Engine

from quire.actor import Actor
from quire.errors import QueryTimeout
from quire.monitoring.counters import STATEMENT_SECONDS, STATEMENTS, count
from quire.web.current import current_globals
from quire.web.request_hooks import after_request, before_request

TICK_SECONDS = 0.25
"""How often to look for statements that take too long, and so the maximum by which a limit is exceeded."""
CANCEL_SECONDS = 2.0
"""How long to wait for PostgreSQL to cancel a statement."""
STAFF = "moderator"
"""The lowest role that sees the cost of its requests."""
PROGRAM_AND_PANEL = ("/api/", "/admin/")
"""The interfaces that show it: pages of the site are read, and cached, by everyone."""

LONGEST_STATEMENT = 2000
"""Characters of a slow statement that are logged."""
_TEXTS = re.compile(r"'(?:[^']|'')*'")

logger = logging.getLogger("quire.database")


class StatementTimer:
    """The statements of one request: how many, how many seconds, and the maximum."""

    def __init__(self, limit: float):
        self.limit, self.began = limit, time.perf_counter()
        self.count, self.seconds = 0, 0.0
        self._lock = threading.Lock()
        self._cursor: Any = None
        self._since = 0.0
        self._stopped = False

    def run(self, cursor: Any, call: Callable[..., Any], argument: Any) -> Any:
        """Return the result of `call(*argument)`, a method of `cursor`. Raises QueryTimeout."""
        if self.seconds > self.limit:
            raise QueryTimeout(self.limit)
        began = self._since = time.perf_counter()
        self._cursor = cursor
        try:
            return call(*argument)
        except cursor.driver_error as error:
            if self._stopped:
                logger.warning("Stopped after %g s in the database: %r", self.limit, request.path)
                raise QueryTimeout(self.limit) from error
            raise
        finally:
            with self._lock:  # a stop that is on its way must not hit the next statement
                self._cursor = None
            seconds = time.perf_counter() - began
            self.seconds += seconds
            cursor.seconds += seconds

    def stop_when_due(self) -> None:
        """Stop the running statement, if any, when the request has taken too long."""
        with self._lock:
            cursor = self._cursor
            if cursor is None:
                return
            if self.seconds + time.perf_counter() - self._since > self.limit:
                self._stopped = True
                with suppress(cursor.driver_error):  # tried again at the next tick
                    _interrupt(cursor.connection)

    def server_timing(self) -> str:
        """Return milliseconds in the database and outside of it (https://www.w3.org/TR/server-timing/)."""
        outside = time.perf_counter() - self.began - self.seconds
        statements = "1 statement" if self.count == 1 else f"{self.count} statements"
        times = f'db;dur={self.seconds * 1000:.1f};desc="{statements}"'
        return f"{times}, app;dur={outside * 1000:.1f}"


def _interrupt(connection: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.interrupt()
    else:
        connection.cancel_safe(timeout=CANCEL_SECONDS)


_timer: ContextVar[StatementTimer | None] = ContextVar("statement_timer", default=None)
_running: set[StatementTimer] = set()
"""The timers of all requests in progress; the thread below watches them."""
_starting = threading.Lock()
_watchers: list[threading.Thread] = []


class _TimedCursor:
    """What a cursor of either driver does differently: SQLite also works while rows are fetched."""

    slow_seconds: float
    statement: Any = ""
    seconds = 0.0

    def execute(self, *arguments: Any) -> Any:
        self._begin(arguments[0])
        return self._time(super().execute, arguments)  # type: ignore[misc]

    def executemany(self, *arguments: Any) -> Any:
        self._begin(arguments[0])
        return self._time(super().executemany, arguments)  # type: ignore[misc]

    def execute_filled(self, text: str, template: str) -> Any:
        """Run a statement that has its values in its text; the log shows `template`, which has none.

        PostgreSQL cannot prepare several statements together.
        """
        self._begin(template)
        return self._time(partial(super().execute, prepare=False), (text,))  # type: ignore[misc]

    def fetchone(self) -> Any:
        return self._time(super().fetchone)  # type: ignore[misc]

    def fetchmany(self, *arguments: Any) -> Any:
        return self._time(super().fetchmany, arguments)  # type: ignore[misc]

    def fetchall(self) -> Any:
        return self._time(super().fetchall)  # type: ignore[misc]

    def _begin(self, statement: Any) -> None:
        timer = _timer.get()
        if timer is None:
            count(STATEMENTS)
        else:
            timer.count += 1
        self.statement, self.seconds = statement, 0.0

    def _time(self, call: Callable[..., Any], argument: Any = ()) -> Any:
        before, timer = self.seconds, _timer.get() or StatementTimer(math.inf)
        try:
            return timer.run(self, call, argument)
        finally:
            if before < self.slow_seconds <= self.seconds:
                _log_slow(self.statement, self.seconds)


def _log_slow(statement: Any, seconds: float) -> None:
    """Log a statement as it is sent, without the values of its parameters and without literals."""
    text = _TEXTS.sub("'...'", " ".join(str(statement).split()))[:LONGEST_STATEMENT]
    milliseconds = int(seconds * 1000)
    extra = {"event": "slow_statement", "fields": {"ms": milliseconds}}
    logger.warning("Slow statement (%d ms or more): %s", milliseconds, text, extra=extra)


def time_statements(engine: Engine, slow_seconds: float = math.inf) -> Any:
    """Make the cursors of `engine` timed, and return their class, which takes a connection of the driver.

    SQLAlchemy's events cost more and miss fetching. Statements are logged that take `slow_seconds`, including their
    rows.
    """
    driver: Any = engine.dialect.dbapi
    own = {"driver_error": driver.Error, "slow_seconds": slow_seconds}
    cursor_class: Any = type("TimedCursor", (_TimedCursor, driver.Cursor), own)

    def create_default_cursor(self: Any) -> Any:
        return cursor_class(self._dbapi_connection.dbapi_connection)

    dialect: Any = engine.dialect
    dialect.timed_cursor = cursor_class
    context = dialect.execution_ctx_cls
    more = {"create_default_cursor": create_default_cursor}
    dialect.execution_ctx_cls = type("TimedContext", (context,), more)
    return cursor_class


def new_cursor(connection: Connection) -> Any:
    """Return a cursor of the driver for running statements without SQLAlchemy, timed if the engine's are."""
    raw, timed_cursor = connection.connection, getattr(connection.dialect, "timed_cursor", None)
    return raw.cursor() if timed_cursor is None else timed_cursor(raw.dbapi_connection)


def current_timer() -> StatementTimer | None:
    """Return the timer of this request; None outside of requests."""
    return _timer.get()


def _start(limit: float, request: Request) -> None:
    if "statement_timer" in current_globals():
        return  # it is starting over, since a replica was lost
    timer = StatementTimer(limit)
    current_globals().statement_timer = timer, _timer.set(timer)
    _running.add(timer)
    if not _watchers:
        _watch()


def _end(error: BaseException | None) -> None:
    timer, token = current_globals().pop("statement_timer", (None, None))
    if timer is not None:
        _running.discard(timer)
        _timer.reset(token)
        count(STATEMENTS, amount=timer.count)
        count(STATEMENT_SECONDS, amount=timer.seconds)


def _watch() -> None:
    with _starting:
        if not _watchers:
            _watchers.append(threading.Thread(target=_stop_slow_statements, daemon=True))
            _watchers[0].start()


def _stop_slow_statements() -> None:
    while True:
        time.sleep(TICK_SECONDS)
        for timer in tuple(_running):
            timer.stop_when_due()


def _complete(request: Request, response: Response) -> Response:
    """Add the timing for staff; what follows can no longer be stopped."""
    timer = current_timer()
    if timer is not None:
        timer.limit = math.inf
        actor: Actor | None = current_globals().get("actor")
        is_staff = actor is not None and actor.at_least(STAFF)
        if is_staff and request.path.startswith(PROGRAM_AND_PANEL):
            response.headers["Server-Timing"] = timer.server_timing()
    return response


def init_app(app: Flask) -> None:
    """Time each request; called before everything else that queries the database."""
    before_request(app, partial(_start, app.config["REQUEST_STATEMENT_SECONDS"]))
    after_request(app, _complete)
    app.teardown_request(_end)
