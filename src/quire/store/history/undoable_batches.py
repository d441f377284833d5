"""Batches: changes that were made together, stored for a while so that they can be undone."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.column_types import Count, FileName, Time, Whole
from quire.declare.mixins import HasId
from quire.declare.record import REGISTRY, Record
from quire.declare.references import Ref, actor_reference, reference
from quire.store.audit import RecordId, Word
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import Model, read_connection
from quire.store.transactions.long_work import delete_in_batches
from quire.store.write import Saved

ROWS_AT_ONCE = 500
"""Changes that are read together, since a batch may be too large for memory."""
BATCHES_LAST = timedelta(days=7)
"""How long a batch can be undone."""
BULK, ACTION, IMPORT = "bulk", "action", "import"
"""Kinds of batches: a bulk request, an action on several records in the panel, an imported table."""


class Batch(HasId, Model):
    """Changes made together, which can be undone for a week."""

    __tablename__ = "batches"

    kind: Mapped[Word]
    action: Mapped[Word | None]
    """The action; `update` if the changes had different ones."""
    type: Mapped[Word | None]
    """The type of the first record."""
    file_name: Mapped[FileName | None]
    """The table that was imported."""
    actor_id: Mapped[Ref | None] = actor_reference(index=True)
    created_at: Mapped[Time] = mapped_column(default=now, index=True)
    rows: Mapped[Count] = mapped_column(default=0)
    undone_at: Mapped[Time | None]
    undone_by_id: Mapped[Ref | None] = actor_reference(index=True)


class BatchChange(HasId, Model):
    """A change of a batch that has not been undone; see RowChange for the columns."""

    __tablename__ = "batch_changes"

    batch_id: Mapped[Ref] = reference("batches", on_delete="CASCADE", index=True)
    row: Mapped[Whole]
    action: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    version: Mapped[Whole | None]
    base_version: Mapped[Whole | None]
    attempts: Mapped[Count] = mapped_column(default=0)
    """The number of failed attempts to undo it."""


class RowChange(NamedTuple):
    """The change to one row of a batch.

    `row` is its number in the request, `action` create, update, delete or the name of an action, `version`
    that of the record after the change (None if it is gone), `base_version` the one before; `id` is that
    of a stored change.
    """

    row: int
    action: str
    type: str
    record_id: int
    version: int | None
    base_version: int | None
    id: int = 0


_batches = Batch.__table__
_changes = BatchChange.__table__
_insert_batch = Prepared(insert(_batches))
_insert_changes = Prepared(insert(_changes))
change_columns = [_changes.c[n] for n in RowChange._fields]


def is_undone() -> ColumnElement[bool]:
    """Whether an undone batch has nothing left to undo, as SQL over the batches."""
    left = select(_changes.c.id).where(_changes.c.batch_id == _batches.c.id).correlate(_batches)
    return and_(_batches.c.undone_at.is_not(None), ~exists(left))


def can_be_undone() -> ColumnElement[bool]:
    """Whether the record of a remaining change still exists, as SQL over the batches; considers only the last changes."""
    columns = _changes.c
    left = select(columns.type, columns.record_id).where(columns.batch_id == _batches.c.id)
    left = left.where(columns.version.is_not(None)).order_by(columns.id.desc())
    last = left.limit(ROWS_AT_ONCE).correlate(_batches).subquery()
    is_there = [
        and_(last.c.type == path, exists(select(1).where(record.table.c.id == last.c.record_id)))
        for path, record in REGISTRY.items()
    ]
    return exists(select(1).select_from(last).where(or_(*is_there)))


def change_of(
    row: int, action: str, record: Record, id: int, saved: Saved | None
) -> RowChange | None:
    """The change by `action` to the record `id`, None if there is nothing to undo; `saved` is None if it is gone."""
    if saved is None:
        return RowChange(row, action, record.path, id, None, None)
    if not saved.changed or saved.version is None:
        return None
    verb = "create" if saved.created else action
    return RowChange(row, verb, record.path, saved.id, saved.version, saved.base_version)


def begin(connection: Connection, actor: Actor, kind: str, file_name: str | None = None) -> int:
    """Create a batch of `actor` in the open transaction; return its id. `file_name` is that of an imported table."""
    values = {"kind": kind, "actor_id": actor.user_id, "file_name": file_name}
    return _insert_batch.insert_one(connection, values)


def store_changes(connection: Connection, batch_id: int, some: Sequence[RowChange]) -> None:
    """Store changes in their transaction."""
    rows = [{**_columns_of(one), "batch_id": batch_id} for one in some]
    _insert_changes(connection, rows)
    actions = {one.action for one in some}
    verb = actions.pop() if len(actions) == 1 else "update"
    of_first = {"batch": batch_id, "first_type": some[0].type}
    _count_changes(connection, {**of_first, "count": len(rows), "verb": verb})


def _counts_update() -> Update:
    """The statement that adds changes to the row of their batch, which sums up the action and the types."""
    columns, verb = _batches.c, bindparam("verb", type_=_batches.c.action.type)
    is_same = or_(columns.action.is_(None), columns.action == verb)
    values = {
        "rows": columns.rows + bindparam("count", type_=columns.rows.type),
        "type": func.coalesce(columns.type, bindparam("first_type", type_=columns.type.type)),
        "action": case((is_same, verb), else_="update"),
    }
    return update(_batches).where(columns.id == bindparam("batch")).values(values)


_count_changes = Prepared(_counts_update())


def _columns_of(change: RowChange) -> dict[str, Any]:
    values = zip(change._fields, change, strict=True)
    return {name: value for name, value in values if value is not None}


def store_batch(
    connection: Connection, actor: Actor, kind: str, some: Sequence[RowChange]
) -> int | None:
    """Create a batch of changes in their transaction; return its id, None if there are none."""
    if not some:
        return None
    batch = begin(connection, actor, kind)
    store_changes(connection, batch, some)
    return batch


def count(batch_id: int | None) -> int:
    """The number of stored changes of a batch."""
    statement = select(func.count()).select_from(_changes).where(_changes.c.batch_id == batch_id)
    with read_connection() as connection:
        return int(connection.execute(statement).scalar_one())


def newest_batch(actor: Actor, after: int = 0) -> tuple[int, int]:
    """The id of the last batch of `actor` after `after`, and the number of rows changed so far; (0, 0) if there is none."""
    columns = _batches.c
    mine = columns.actor_id == actor.user_id, columns.id > after
    statement = select(columns.id, columns.rows).where(*mine).order_by(columns.id.desc()).limit(1)
    with read_connection() as connection:
        row = connection.execute(statement).first()
    return (0, 0) if row is None else (row.id, row.rows)


def changes(batch_id: int | None, below: int = 0) -> Iterator[RowChange]:
    """The changes of a batch, newest first; with `below` only those with a lower id."""
    statement = select(*change_columns).where(_changes.c.batch_id == batch_id)
    statement = statement.order_by(_changes.c.id.desc()).limit(ROWS_AT_ONCE)
    while True:
        page = statement.where(_changes.c.id < below) if below else statement
        with read_connection() as connection:
            batch_changes = [RowChange(*row) for row in connection.execute(page)]
        if not batch_changes:
            return
        yield from batch_changes
        below = batch_changes[-1].id


def note_undone(connection: Connection, batch_id: int | None, actor: Actor) -> None:
    """Record when a batch was undone, and by whom."""
    statement = update(_batches).where(_batches.c.id == batch_id)
    connection.execute(statement.values(undone_at=now(), undone_by_id=actor.user_id))


def prune() -> int:
    """Delete batches that can no longer be undone; return how many there were."""
    old = _batches.c.created_at < now() - BATCHES_LAST
    with read_connection() as connection:
        ids = list(connection.execute(select(_batches.c.id).where(old)).scalars())
    for id in ids:  # not by cascade, which would delete all of them in one transaction
        delete_in_batches(_changes, _changes.c.batch_id == id)
    return delete_in_batches(_batches, old) if ids else 0
