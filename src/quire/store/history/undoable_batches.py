"""Batches: changes that somebody made at once, stored for a while so that they can be undone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.column_types import Count, Time, Whole
from quire.declare.mixins import HasId
from quire.declare.record import REGISTRY, Record
from quire.declare.references import Ref, actor_reference, reference
from quire.errors import Conflict, Problem, Unavailable
from quire.store import import_origins, write
from quire.store.audit import RecordId, Word
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import Model, nested_transaction, read_connection, transaction
from quire.store.history.revert import revert
from quire.store.revisions import data_at
from quire.store.transactions.long_work import delete_in_batches
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Saved
from quire.translations.messages import Message

ROWS_AT_ONCE = 500
"""Changes that are read together: a batch may hold more than fit into memory."""
UNDO_SECONDS = 2.0
"""How long one call undoes: others wait for its transaction."""
BATCHES_LAST = timedelta(days=7)
"""How long a batch can be undone."""
BULK, ACTION, IMPORT = "bulk", "action", "import"
"""Kinds of batches: a bulk call, an action on many in the panel, an imported table."""


class Batch(HasId, Model):
    """Changes made together, which can be undone for a week."""

    __tablename__ = "batches"

    kind: Mapped[Word]
    actor_id: Mapped[Ref | None] = actor_reference(index=True)
    created_at: Mapped[Time] = mapped_column(default=now, index=True)
    rows: Mapped[Count] = mapped_column(default=0)
    undone_at: Mapped[Time | None]
    undone_by_id: Mapped[Ref | None] = actor_reference(index=True)


class BatchChange(HasId, Model):
    """One change of a batch that has not been undone; RowChange says what the columns mean."""

    __tablename__ = "batch_changes"

    batch_id: Mapped[Ref] = reference("batches", on_delete="CASCADE", index=True)
    row: Mapped[Whole]
    action: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    version: Mapped[Whole | None]
    base_version: Mapped[Whole | None]
    attempts: Mapped[Count] = mapped_column(default=0)
    """How often it could not be undone."""


class RowChange(NamedTuple):
    """The change to one row of a batch.

    `row` is its number in the request, `action` create, update, delete or the name of an
    action, `version` that of the record after the change (None where it is gone), `base_version` the
    one before; `id` is that of a stored change.
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
_insert_changes = Prepared(insert(_changes))
_COLUMNS = [_changes.c[n] for n in RowChange._fields]


def is_undone() -> ColumnElement[bool]:
    """Whether nothing is left to undo, as SQL over the batches; not of those that nobody has undone."""
    left = select(_changes.c.id).where(_changes.c.batch_id == _batches.c.id).correlate(_batches)
    return and_(_batches.c.undone_at.is_not(None), ~exists(left))


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


def begin(connection: Connection, actor: Actor, kind: str) -> int:
    """A new batch of `actor`'s, in the open transaction; its id."""
    values = {"kind": kind, "actor_id": actor.user_id}
    key: Any = connection.execute(insert(_batches).values(values)).inserted_primary_key
    return int(key[0])


def store_changes(connection: Connection, batch_id: int, some: Sequence[RowChange]) -> None:
    """Store changes, in their transaction."""
    rows = [{**one._asdict(), "batch_id": batch_id} for one in some]
    _insert_changes(connection, rows)
    more = update(_batches).where(_batches.c.id == batch_id)
    connection.execute(more.values(rows=_batches.c.rows + len(rows)))


def store_batch(
    connection: Connection, actor: Actor, kind: str, some: Sequence[RowChange]
) -> int | None:
    """A new batch of changes, in their transaction; its id, None where there are none."""
    if not some:
        return None
    batch = begin(connection, actor, kind)
    store_changes(connection, batch, some)
    return batch


def count(batch_id: int | None) -> int:
    """How many changes of a batch are stored."""
    statement = select(func.count()).select_from(_changes).where(_changes.c.batch_id == batch_id)
    with read_connection() as connection:
        return int(connection.execute(statement).scalar_one())


def changes(batch_id: int | None, below: int = 0) -> Iterator[RowChange]:
    """The changes of a batch, the last one first; with `below` only those with a lower id."""
    statement = select(*_COLUMNS).where(_changes.c.batch_id == batch_id)
    statement = statement.order_by(_changes.c.id.desc()).limit(ROWS_AT_ONCE)
    while True:
        page = statement.where(_changes.c.id < below) if below else statement
        with read_connection() as connection:
            batch_changes = [RowChange(*row) for row in connection.execute(page)]
        if not batch_changes:
            return
        yield from batch_changes
        below = batch_changes[-1].id


def _first_changes(batch_id: int) -> list[RowChange]:
    """Some changes of a batch, the last one first, those that could not be undone before at the end."""
    statement = select(*_COLUMNS).where(_changes.c.batch_id == batch_id)
    newest_first = statement.order_by(_changes.c.attempts, _changes.c.id.desc()).limit(ROWS_AT_ONCE)
    with read_connection() as connection:
        return [RowChange(*row) for row in connection.execute(newest_first)]


def _note_attempt(change: RowChange) -> None:
    """Count a failed attempt: other changes come first the next time."""
    statement = update(_changes).where(_changes.c.id == change.id)
    with transaction() as connection:
        connection.execute(statement.values(attempts=_changes.c.attempts + 1))


@dataclass(frozen=True)
class UndoResult:
    """The outcome of undoing a batch: what was undone, what was not and why, how many were not tried."""

    undone: list[RowChange]
    refused: list[tuple[RowChange, Problem]]
    untried: int


def undo_batch(actor: Actor, batch_id: int) -> UndoResult:
    """Undo as much of a batch as there is time for, the last change first; the rest stays for the next time."""
    until = monotonic() + UNDO_SECONDS
    result = UndoResult([], [], 0)
    for change in _first_changes(batch_id):
        try:
            undo(actor, batch_id, change)
            result.undone.append(change)
        except Unavailable:
            raise
        except Problem as problem:
            _note_attempt(change)
            result.refused.append((change, problem))
        if monotonic() > until:
            break
    return replace(result, untried=count(batch_id) - len(result.refused))


@retry_conflicts
def undo(actor: Actor, batch_id: int, change: RowChange) -> None:
    """Undo a change as long as nobody has edited the record since, and delete it from the batch.

    By the rules of every other change, with the rights of `actor`. Raises PermissionDenied, NotFound,
    VersionConflict, ValidationFailed, Conflict.
    """
    record = REGISTRY[change.type]
    with nested_transaction() as connection:
        statement = delete(_changes).where(_changes.c.id == change.id).returning(*_COLUMNS)
        row = connection.execute(statement).first()
        if row is None:
            raise Conflict("This has already been undone.")
        version = _take_back(connection, record, actor, RowChange(*row))
        # what the same batch did to this record before is left at another version now
        same = (_changes.c.batch_id == batch_id, _changes.c.type == change.type)
        mine = (*same, _changes.c.record_id == change.record_id, _changes.c.id < change.id)
        connection.execute(update(_changes).where(*mine).values(version=version))
        if _kind(connection, batch_id) == IMPORT:
            import_origins.delete_origin(
                connection, import_origins.TABLES, change.type, change.record_id
            )


def _take_back(
    connection: Connection, record: Record, actor: Actor, change: RowChange
) -> int | None:
    """Undo a change; returns the version of the record afterwards, None where it is gone."""
    id, version, base = change.record_id, change.version, change.base_version
    if version is None:
        raise Conflict(Message("This %(noun)s was permanently deleted.", noun=Message(record.noun)))
    if change.action == "create":
        saved = write.delete(record, actor, id, version=version)
        return None if saved is None else saved.version
    data = None if base is None else data_at(connection, record, id, base)
    if data is None:
        raise Conflict(
            Message(
                "The earlier state of this %(noun)s is no longer available.",
                noun=Message(record.noun),
            )
        )
    saved = revert(record, actor, id, data, action=change.action, version=version)
    if not saved.changed:  # it was something that no revision holds, such as a password
        raise Conflict("The earlier value is secret and was not stored.")
    return saved.version


def _kind(connection: Connection, batch_id: int) -> str:
    return str(
        connection.execute(select(_batches.c.kind).where(_batches.c.id == batch_id)).scalar()
    )


def note_undone(connection: Connection, batch_id: int | None, actor: Actor) -> None:
    """Note when a batch was undone, and by whom."""
    statement = update(_batches).where(_batches.c.id == batch_id)
    connection.execute(statement.values(undone_at=now(), undone_by_id=actor.user_id))


def prune() -> int:
    """Delete batches that can no longer be undone; how many there were."""
    old = _batches.c.created_at < now() - BATCHES_LAST
    with read_connection() as connection:
        ids = list(connection.execute(select(_batches.c.id).where(old)).scalars())
    for id in ids:  # not by the cascade: that would delete all of them in one transaction
        delete_in_batches(_changes, _changes.c.batch_id == id)
    return delete_in_batches(_batches, old) if ids else 0
