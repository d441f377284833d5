"""Marks of preview links, one per record; deleting a mark revokes all links to its record.

A link is signed with SECRET_KEY and names the mark, so the mark alone gives no access.
"""

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Index, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Time
from quire.declare.mixins import HasId, table_args
from quire.declare.record import Record
from quire.store.audit import RecordId, Word
from quire.store.db import Model


class PreviewMark(HasId, Model):
    """The mark that all preview links of a record share; `expires_at` is when the last one ends."""

    __tablename__ = "previews"
    __table_args__ = table_args(Index("ix_previews_record", "type", "record_id", unique=True))

    type: Mapped[Word]
    record_id: Mapped[RecordId]
    mark: Mapped[Word]
    created_at: Mapped[Time] = mapped_column(default=now)
    expires_at: Mapped[Time]


_previews = PreviewMark.__table__


def mark_of(connection: Connection, record: Record, id: int) -> str | None:
    """The mark in the links to this record, None if there are none."""
    statement = select(_previews.c.mark).where(*_record_conditions(record, id))
    return connection.execute(statement).scalar()


def extend_mark(
    connection: Connection, record: Record, id: int, moment: datetime, until: datetime
) -> str:
    """The mark for a link made at `moment` that ends at `until`, in the open transaction."""
    mark = mark_of(connection, record, id)
    if mark is not None:
        later = _previews.c.expires_at < until
        statement = (
            update(_previews).where(*_record_conditions(record, id), later).values(expires_at=until)
        )
        connection.execute(statement)
        return mark
    mark = secrets.token_urlsafe(12)
    values = {"type": record.path, "record_id": id, "mark": mark}
    values |= {"created_at": moment, "expires_at": until}
    connection.execute(insert(_previews).values(values))
    return mark


def delete_mark(connection: Connection, record: Record, id: int) -> bool:
    """Revoke all links to a record, in the open transaction; return whether there were any."""
    if not record.drafts:
        return False
    return connection.execute(delete(_previews).where(*_record_conditions(record, id))).rowcount > 0


def delete_expired(connection: Connection) -> int:
    """Delete the marks of expired links; return how many there were."""
    return connection.execute(delete(_previews).where(_previews.c.expires_at <= now())).rowcount


def _record_conditions(record: Record, id: int) -> tuple[ColumnElement[bool], ...]:
    return _previews.c.type == record.path, _previews.c.record_id == id
