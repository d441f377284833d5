"""The current position of the change feed: its epoch, and the last event in commit order.

Outbox ids are assigned before the commit. On SQLite, which has one writer, they are in commit order
nevertheless. On PostgreSQL the first reader assigns positions to committed events under a lock: a reader
that continued from the highest id would miss events that commit later.
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Sequence, event, func, select, text
from sqlalchemy.orm import Mapped

from quire.declare.mixins import HasId
from quire.security.tokens import new_secret
from quire.store.audit import Word
from quire.store.db import Model, has_one_writer, read_connection, transaction
from quire.store.events.outbox import OutboxEvent
from quire.store.transactions.advisory_locks import advisory_lock

ONLY_ROW = 1
_rows = OutboxEvent.__table__
Sequence("outbox_position", metadata=Model.metadata)
_NUMBER = text(
    "UPDATE outbox SET position = numbered.position FROM "
    "(SELECT id, nextval('outbox_position') AS position FROM "
    "(SELECT id FROM outbox WHERE position IS NULL ORDER BY id) AS waiting) AS numbered "
    "WHERE outbox.id = numbered.id"
)


class ChangeFeed(HasId, Model):
    """The feed itself, one row; `epoch` changes with each restore from a backup."""

    __tablename__ = "change_feed"

    epoch: Mapped[Word]


_feed = ChangeFeed.__table__


def _make_row(table, connection, **_) -> None:  # type: ignore[no-untyped-def]
    """Create the one row with the table; the migration does the same."""
    connection.execute(table.insert().values(id=ONLY_ROW, epoch=new_secret()[:16]))


event.listen(ChangeFeed.__table__, "after_create", _make_row)


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """The epoch of the feed and the position of its last event, 0 if there is none."""

    epoch: str
    last: int


def position_column(dialect: str) -> Any:
    """The column by which events are in commit order."""
    return _rows.c.id if dialect == "sqlite" else _rows.c.position


def position_columns(dialect: str) -> list[ColumnElement[Any]]:
    """The epoch and the last position, as two columns for any statement."""
    return [
        select(_feed.c.epoch).limit(1).scalar_subquery(),
        select(func.max(position_column(dialect))).scalar_subquery(),
    ]


def current_position() -> FeedPosition:
    """The current position of the feed."""
    with read_connection() as connection:
        columns = position_columns(connection.dialect.name)
        epoch, last = connection.execute(select(*columns)).one()
    return FeedPosition(epoch, last or 0)


def number_commits() -> None:
    """Number the committed events, unless ids are in commit order anyway."""
    if has_one_writer():
        return
    with read_connection() as connection:
        if not _has_unnumbered(connection):
            return
    with transaction() as connection:
        advisory_lock("outbox positions")
        connection.execute(_NUMBER)


def _has_unnumbered(connection: Connection) -> bool:
    statement = select(_rows.c.id).where(_rows.c.position.is_(None)).limit(1)
    return connection.execute(statement).first() is not None
