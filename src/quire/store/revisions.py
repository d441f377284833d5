"""Revisions: the state of a record after each change; restoring one is a change like any other."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, Index, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.column_types import Object, Time, Whole
from quire.declare.fields import STORE_FIELDS, Field
from quire.declare.input_validation import default_of
from quire.declare.mixins import HasId, table_args
from quire.declare.record import Record
from quire.declare.references import Ref, actor_reference
from quire.store.audit import RecordId, Word
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import Model, read_connection


class Revision(HasId, Model):
    """A record as it was at an earlier version."""

    __tablename__ = "revisions"
    __table_args__ = table_args(
        Index("ix_revisions_record", "type", "record_id", "version", unique=True)
    )

    type: Mapped[Word]
    record_id: Mapped[RecordId]
    version: Mapped[Whole]
    action: Mapped[Word]
    actor_id: Mapped[Ref | None] = actor_reference()
    data: Mapped[Object]
    created_at: Mapped[Time] = mapped_column(default=now)


@cache
def _revision_fields(record: Record) -> list[Field]:
    return [
        one
        for one in record.fields
        if one.readable and one.is_tracked and one.name not in STORE_FIELDS
    ]


@cache
def _revision_names(record: Record) -> list[str]:
    return [one.name for one in _revision_fields(record)]


def data_of(record: Record, state: dict[str, Any]) -> dict[str, Any]:
    """The part of a state that a revision stores: everything people write, nothing secret or computed."""
    return {name: state.get(name) for name in _revision_names(record)}


def with_defaults(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    """The data of a revision, with defaults for fields that were added to the type later."""
    later = (one for one in _revision_fields(record) if one.name not in data and _has_value(one))
    return data | {one.name: default_of(one) for one in later}


def _has_value(field: Field) -> bool:
    """Whether rows that are older than the field have a value for it."""
    return field.many is not None or field.nullable or field.column.default is not None


def revision_row(
    record: Record, actor: Actor, action: str, state: dict[str, Any]
) -> dict[str, Any]:
    """The values of one revision row."""
    return {
        "type": record.path,
        "record_id": state["id"],
        "version": state["version"],
        "action": action,
        "actor_id": actor.user_id,
        "data": data_of(record, state),
    }


insert_revisions = Prepared(insert(Revision.__table__), deferred=True)
"""Adds rows in the open transaction."""


def data_at(connection: Connection, record: Record, id: int, version: int) -> dict[str, Any] | None:
    """The state of the record at `version`, None if it is unknown.

    Fields that were added to the type later have their defaults.
    """
    return data_of_versions(connection, record, id, (version,)).get(version)


def data_of_records(record: Record, versions: dict[int, int | None]) -> dict[int, dict[str, Any]]:
    """The states of several records by id, each at its version, or the latest known one if that is None."""
    table = Revision.__table__.c
    known = [(id, version) for id, version in versions.items() if version is not None]
    unknown = [id for id, version in versions.items() if version is None]
    last = select(table.record_id, func.max(table.version)).group_by(table.record_id)
    last = last.where(table.type == record.path, table.record_id.in_(unknown))
    one = tuple_(table.record_id, table.version)
    statement = select(table.record_id, table.data).where(table.type == record.path)
    with read_connection() as connection:
        rows = connection.execute(statement.where(or_(one.in_(known), one.in_(last)))).all()
    return {id: with_defaults(record, data) for id, data in rows}


def data_of_versions(
    connection: Connection, record: Record, id: int, versions: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Like `data_at`, for several versions; unknown ones are left out."""
    table = Revision.__table__.c
    statement = select(table.version, table.data).where(
        table.type == record.path, table.record_id == id, table.version.in_(versions)
    )
    rows = connection.execute(statement).all()
    return {version: with_defaults(record, data) for version, data in rows}


def import_history(
    connection: Connection,
    record: Record,
    id: int,
    version: int,
    past: list[dict[str, Any]] | None = None,
    **hidden: Any,
) -> None:
    """Give a record, in the open transaction, the `version` it had elsewhere and its `past`.

    `past` holds the values of revisions, which replace those that the import itself created. Without
    it, only those beyond `version` are deleted. `hidden` are columns that no interface may set, such
    as a password hash.
    """
    table, revision_table = record.table, Revision.__table__
    own = (revision_table.c.type == record.path) & (revision_table.c.record_id == id)
    if past:
        connection.execute(delete(revision_table).where(own))
        insert_revisions(connection, past)
    else:
        connection.execute(delete(revision_table).where(own, revision_table.c.version > version))
    connection.execute(update(table).where(table.c.id == id).values(version=version, **hidden))
