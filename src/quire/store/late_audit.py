"""Audit rows for events that change nothing, such as refusals; requests do not wait for a busy database to write them."""

import logging
from collections import deque
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from flask import Flask, current_app

from quire.actor import Actor
from quire.declare.clock import now
from quire.errors import Problem, Unavailable
from quire.monitoring.bounded_calls import bounded_result
from quire.store.audit import audit_row, insert_rows
from quire.store.connections.writer_lock import brief_wait
from quire.store.db import immediate_commits, transaction

logger = logging.getLogger("quire.audit")

_EXTENSION = "late audit rows"
MAX_LATE_ROWS = 1000


def record_event_soon(
    actor: Actor, action: str, type: str, record_id: int | None = None, *fields: str
) -> None:
    """Log an event that changes nothing: now, or from another thread as soon as the database is free."""
    row = audit_row(actor, action, type, record_id, list(fields))
    try:
        with brief_wait(), immediate_commits(), transaction() as connection:
            insert_rows(connection, [row])
    except Unavailable:
        current_app.extensions[_EXTENSION].add(row)


class LateRows:
    """Audit rows that wait for a busy database; one thread at a time writes all of them."""

    def __init__(self) -> None:
        self._rows: deque[dict[str, Any]] = deque()

    def add(self, row: dict[str, Any]) -> None:
        """Write `row` as soon as the database is free; beyond MAX_LATE_ROWS it goes to the log instead."""
        if len(self._rows) >= MAX_LATE_ROWS:
            logger.warning("Too many rows wait for the database to note: %s", row)
            return
        self._rows.append({**row, "created_at": now()})
        with suppress(TimeoutError, CancelledError):
            bounded_result(_EXTENSION, self._add_all, 0)

    def _add_all(self) -> None:
        try:
            while self._rows:
                with transaction() as connection:
                    rows = list(self._rows)
                    insert_rows(connection, rows)
                for _ in rows:
                    self._rows.popleft()
        except Problem as problem:  # the next row tries again
            logger.warning("%d refusals are not noted yet: %s", len(self._rows), problem.message)


def init_app(app: Flask) -> None:
    """Record refusals by this application."""
    app.extensions[_EXTENSION] = LateRows()
