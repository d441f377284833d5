"""Undoes batches, one change after another, as long as no one has edited the record since."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic

from sqlalchemy import Connection, bindparam, delete, select, update

from quire.actor import Actor
from quire.declare.input_validation import is_same_value
from quire.declare.record import REGISTRY, Record
from quire.errors import (
    Conflict,
    NotFound,
    Problem,
    Unavailable,
    ValidationFailed,
    VersionConflict,
)
from quire.store import import_origins, write
from quire.store.connections.prepared_statements import Prepared
from quire.store.connections.writer_lock import BUSY_SECONDS
from quire.store.db import nested_transaction, read_connection, transaction
from quire.store.history.revert import revert
from quire.store.history.undoable_batches import (
    IMPORT,
    ROWS_AT_ONCE,
    Batch,
    BatchChange,
    RowChange,
    change_columns,
    count,
)
from quire.store.revisions import data_of_versions
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Raw
from quire.translations.messages import Message

UNDO_SECONDS = BUSY_SECONDS - 1.0
"""The time limit of one call; other writers wait for its transaction, and fail if it takes longer."""
HISTORY_KNOWS = Message(
    "This %(noun)s has been changed since. You can restore an earlier version from its history.",
    noun="",
)
CHANGED_SINCE = Message(
    "This %(noun)s has been changed since. Edit it to set it to what it was.", noun=""
)
REFERENCES_GONE = Message("%(reasons)s You can restore the rest from its history.", reasons="")
GONE = Message("This %(noun)s no longer exists, or you can no longer see it.", noun="")

_batches = Batch.__table__
_changes = BatchChange.__table__
_take_change = Prepared(
    delete(_changes).where(_changes.c.id == bindparam("id")).returning(*change_columns)
)
_set_version_before = Prepared(
    update(_changes)
    .where(
        _changes.c.batch_id == bindparam("of_batch"),
        _changes.c.type == bindparam("of_type"),
        _changes.c.record_id == bindparam("of_record"),
        _changes.c.id < bindparam("before"),
    )
    .values(version=bindparam("version"))
)


def _first_changes(batch_id: int) -> list[RowChange]:
    """Some changes of a batch, newest first, with those that could not be undone before at the end."""
    statement = select(*change_columns).where(_changes.c.batch_id == batch_id)
    newest_first = statement.order_by(_changes.c.attempts, _changes.c.id.desc()).limit(ROWS_AT_ONCE)
    with read_connection() as connection:
        return [RowChange(*row) for row in connection.execute(newest_first)]


def _note_attempt(change: RowChange) -> None:
    """Count a failed attempt, so that other changes come first next time."""
    statement = update(_changes).where(_changes.c.id == change.id)
    with transaction() as connection:
        connection.execute(statement.values(attempts=_changes.c.attempts + 1))


@dataclass(frozen=True)
class UndoResult:
    """The outcome of undoing a batch: what was undone, what was not and why, and how many were not tried."""

    undone: list[RowChange]
    refused: list[tuple[RowChange, Problem]]
    untried: int


def undo_batch(actor: Actor, batch_id: int, seconds: float | None = None) -> UndoResult:
    """Undo as much of a batch as the time limit allows, newest change first; the rest is left for the next call."""
    until = monotonic() + (UNDO_SECONDS if seconds is None else seconds)
    result, is_import = UndoResult([], [], 0), _is_import(batch_id)
    for change in _first_changes(batch_id):
        try:
            undo(actor, batch_id, change, is_import)
            result.undone.append(change)
        except Unavailable:
            raise
        except Problem as problem:
            _note_attempt(change)
            result.refused.append((change, problem))
        if monotonic() > until:
            break
    return replace(result, untried=count(batch_id) - len(result.refused))


def _is_import(batch_id: int) -> bool:
    with read_connection() as connection:
        kind = select(_batches.c.kind).where(_batches.c.id == batch_id)
        return connection.execute(kind).scalar() == IMPORT


@retry_conflicts
def undo(actor: Actor, batch_id: int, change: RowChange, is_import: bool) -> None:
    """Undo a change if no one has edited the record since, and delete it from the batch.

    The rules of every change and the rights of `actor` apply. If the batch `is_import`, the origin of the
    record is deleted too. Raises PermissionDenied, NotFound, VersionConflict, ValidationFailed, Conflict.
    """
    record = REGISTRY[change.type]
    with nested_transaction() as connection:
        rows = _take_change(connection, {"id": change.id})
        if not rows:
            raise Conflict("This has already been undone.")
        with _refusals_in_words(record):
            version = _take_back(connection, record, actor, RowChange(*rows[0]))
        # earlier changes of the batch to the same record must expect the new version
        same = {"of_batch": batch_id, "of_type": change.type, "of_record": change.record_id}
        _set_version_before(connection, {**same, "before": change.id, "version": version})
        if is_import:
            import_origins.delete_origin(
                connection, import_origins.TABLES, change.type, change.record_id
            )


@contextmanager
def _refusals_in_words(record: Record) -> Iterator[None]:
    """Replace version errors, which mean nothing to someone who undoes, by what happened to the record and what can be done."""
    noun = Message(record.noun)
    try:
        yield
    except VersionConflict as conflict:
        words = HISTORY_KNOWS if record.history else CHANGED_SINCE
        raise VersionConflict(words.with_values(noun=noun), extra=conflict.extra) from None
    except NotFound:
        raise NotFound(GONE.with_values(noun=noun)) from None
    except ValidationFailed as invalid:
        if any(one["code"] != "not_found" for one in invalid.details):
            raise
        words = REFERENCES_GONE.with_values(reasons=invalid.message)
        raise ValidationFailed(invalid.details, words) from None


def _take_back(
    connection: Connection, record: Record, actor: Actor, change: RowChange
) -> int | None:
    """Undo a change; return the version of the record afterwards, None if it is gone."""
    id, version, base = change.record_id, change.version, change.base_version
    if version is None:
        raise Conflict(
            Message(
                "This %(noun)s was permanently deleted. Only a backup can still contain it.",
                noun=Message(record.noun),
            )
        )
    if change.action == "create":
        saved = write.delete(record, actor, id, version=version)
        return None if saved is None else saved.version
    stored = data_of_versions(connection, record, id, (base or 0, version))
    before = stored.get(base or 0)
    if before is None:
        raise Conflict(
            Message(
                "The earlier state of this %(noun)s is no longer available.",
                noun=Message(record.noun),
            )
        )
    data = _changed_data(before, stored.get(version, {}))
    saved = revert(record, actor, id, data, action=change.action, version=version)
    if not data:  # nothing that a revision holds has changed, such as a password
        raise Conflict("The earlier value is secret and was not stored.")
    return saved.version


def _changed_data(before: Raw, after: Raw) -> Raw:
    """The earlier values that a change replaced; equal references, which may dangle by now, are not part of them."""
    return {name: one for name, one in before.items() if not is_same_value(after.get(name), one)}
