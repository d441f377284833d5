"""Drafts: unpublished changes to a record, stored alongside its live version; at most one per record."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Index, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.declare.column_types import Object, Time, Whole
from quire.declare.mixins import HasId, Versioned, table_args
from quire.declare.record import Record, record_of
from quire.declare.references import Ref, actor_reference
from quire.store import audit
from quire.store.audit import RecordId, Word
from quire.store.db import Model


class Draft(HasId, Versioned, Model):
    """The values of a record that differ from those that are live.

    `base_version` is the version of the record that it started from, `version` counts the draft's own
    changes.
    """

    __tablename__ = "drafts"
    __table_args__ = table_args(Index("ix_drafts_record", "type", "record_id", unique=True))

    type: Mapped[Word]
    record_id: Mapped[RecordId]
    base_version: Mapped[Whole]
    values: Mapped[Object]
    author_id: Mapped[Ref | None] = actor_reference(index=True)
    created_at: Mapped[Time] = mapped_column(default=now)
    updated_at: Mapped[Time] = mapped_column(default=now)


@dataclass(frozen=True)
class StoredDraft:
    """A stored draft; references are ids, or names of records that do not exist (yet)."""

    id: int
    version: int
    base_version: int
    values: dict[str, Any]
    updated_at: str
    updated_by: dict[str, Any] | None


_drafts = Draft.__table__


def find_draft(connection: Connection, record: Record, id: int) -> StoredDraft | None:
    """The draft of a record, None if there is none."""
    accounts = record_of(_drafts.c.author_id.info["ref"])
    table, reference_fields = accounts.table, accounts.reference_fields
    names = ("id", "version", "base_version", "values", "updated_at", "author_id")
    columns = [_drafts.c[name] for name in names]
    columns += [table.c[name].label(f"by_{name}") for name in reference_fields]
    statement = (
        select(*columns)
        .join_from(_drafts, table, table.c.id == _drafts.c.author_id, isouter=True)
        .where(_drafts.c.type == record.path, _drafts.c.record_id == id)
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    by = (
        None
        if row.author_id is None
        else dict(zip(reference_fields, row[len(names) :], strict=True))
    )
    draft_id, version, base, values = row[:4]
    return StoredDraft(draft_id, version, base, values, rfc3339(row.updated_at), by)


def store_draft(
    connection: Connection,
    record: Record,
    actor: Actor,
    id: int,
    former: StoredDraft | None,
    new: StoredDraft,
) -> None:
    """Replace `former` with `new`; the audit log records the start of a draft."""
    moment = now()
    values = {
        "version": new.version,
        "base_version": new.base_version,
        "values": new.values,
        "author_id": actor.user_id,
        "updated_at": moment,
    }
    if former is not None:
        connection.execute(update(_drafts).where(_drafts.c.id == former.id).values(values))
        return
    identity = {"type": record.path, "record_id": id, "created_at": moment}
    connection.execute(insert(_drafts).values(identity | values))
    audit.insert_rows(
        connection, [audit.audit_row(actor, "draft", record.path, id, list(new.values))]
    )


def delete_draft(connection: Connection, record: Record, id: int) -> bool:
    """Delete the draft of a record; return whether there was one."""
    if not record.drafts:
        return False
    conditions = _drafts.c.type == record.path, _drafts.c.record_id == id
    return connection.execute(delete(_drafts).where(*conditions)).rowcount > 0
