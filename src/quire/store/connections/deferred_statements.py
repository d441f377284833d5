"""Statements without results that wait for the next one of their transaction, or for its commit.

On PostgreSQL they are sent together as one message: a message of their own takes longer than inserting the row.
SQLite runs in this process, without messages.
"""

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

LONGEST_VALUES = 64 * 1024
"""Characters and bytes of values beyond which a statement is sent alone, as parameters need no escaping."""


class FilledStatement(NamedTuple):
    """A statement as it is declared, and with the values in its text."""

    template: str
    text: str


DEFERRED: WeakKeyDictionary[Any, list[FilledStatement]] = WeakKeyDictionary()
"""The deferred statements of open transactions, by the driver's connection."""


def defer(connection: Connection, template: str, values: Any) -> bool:
    """Defer a statement; return False if it has to run now."""
    if connection.dialect.name != "postgresql":
        return False
    if not connection.get_execution_options().get("writes"):  # not in a transaction
        return False
    texts = (one for one in values.values() if isinstance(one, str | bytes))
    if sum(map(len, texts)) > LONGEST_VALUES:
        return False
    raw: Any = connection.connection.dbapi_connection
    driver: Any = connection.dialect.dbapi
    text = driver.ClientCursor(raw).mogrify(template, values)
    DEFERRED.setdefault(raw, []).append(FilledStatement(template, text))
    return True


def run_together(cursor: Any, statements: list[FilledStatement]) -> None:
    """Send statements as one message, with a timed cursor: operators see it as one statement."""
    templates, texts = zip(*statements, strict=True)
    cursor.execute_filled("; ".join(texts), "; ".join(templates))
    cursor.close()
