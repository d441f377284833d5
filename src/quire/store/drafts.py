"""Drafts: what somebody is writing beside the version that is live; one for each record at most."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Index, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.declare.columns import Numbered, Ref, Versioned, refer, table_args
from quire.declare.kinds import Object, Time, Whole
from quire.declare.record import REGISTRY, Record
from quire.store import audit
from quire.store.audit import RecordId, Word
from quire.store.db import Model


class Draft(Numbered, Versioned, Model):
    """The values of a record that differ from those that are live.

    `base_version` is the version of the record it was begun on, `version` counts the draft's own
    changes.
    """

    __tablename__ = "drafts"
    __table_args__ = table_args(Index("ix_drafts_record", "type", "record_id", unique=True))

    type: Mapped[Word]
    record_id: Mapped[RecordId]
    base_version: Mapped[Whole]
    values: Mapped[Object]
    author_id: Mapped[Ref | None] = refer("users", on_delete="SET NULL", index=True)
    created_at: Mapped[Time] = mapped_column(default=now)
    updated_at: Mapped[Time] = mapped_column(default=now)


@dataclass(frozen=True)
class Held:
    """A draft as it is stored; references are ids, or names of what is not there (yet)."""

    id: int
    version: int
    base_version: int
    values: dict[str, Any]
    updated_at: str
    updated_by: dict[str, Any] | None


_drafts = Draft.__table__


def find(connection: Connection, record: Record, id: int) -> Held | None:
    """The draft of a record, None where there is none."""
    users = REGISTRY["users"].table
    names = ("id", "version", "base_version", "values", "updated_at", "author_id")
    wanted = (
        select(*(_drafts.c[name] for name in names), users.c.username)
        .join_from(_drafts, users, users.c.id == _drafts.c.author_id, isouter=True)
        .where(_drafts.c.type == record.path, _drafts.c.record_id == id)
    )
    row = connection.execute(wanted).first()
    if row is None:
        return None
    by = None if row.author_id is None else {"id": row.author_id, "username": row.username}
    return Held(*row[:4], updated_at=rfc3339(row.updated_at), updated_by=by)


def keep(
    connection: Connection, record: Record, actor: Actor, id: int, held: Held | None, new: Held
) -> None:
    """Store `new` in the place of `held`; that a draft was begun is noted in the audit."""
    values = {
        "version": new.version,
        "base_version": new.base_version,
        "values": new.values,
        "author_id": actor.user_id,
        "updated_at": now(),
    }
    if held is not None:
        connection.execute(update(_drafts).where(_drafts.c.id == held.id).values(values))
        return
    connection.execute(insert(_drafts).values(type=record.path, record_id=id, **values))
    audit.keep(connection, [audit.event(actor, "draft", record.path, id, list(new.values))])


def forget(connection: Connection, record: Record, id: int) -> bool:
    """Remove the draft of a record; whether there was one."""
    if not record.drafts:
        return False
    mine = _drafts.c.type == record.path, _drafts.c.record_id == id
    return connection.execute(delete(_drafts).where(*mine)).rowcount > 0
