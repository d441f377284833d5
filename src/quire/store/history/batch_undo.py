"""Undoes batches: each change in turn, as long as nobody has edited its record since."""

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
"""How long one call undoes: others wait for its transaction, and are refused later."""
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
    """Some changes of a batch, the last one first, those that could not be undone before at the end."""
    statement = select(*change_columns).where(_changes.c.batch_id == batch_id)
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


def undo_batch(actor: Actor, batch_id: int, seconds: float | None = None) -> UndoResult:
    """Undo as much of a batch as there is time for, the last change first; the rest stays for the next time."""
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
    """Undo a change as long as nobody has edited the record since, and delete it from the batch.

    By the rules of every other change, with the rights of `actor`; where the batch `is_import` of a table,
    it is no longer known where the record came from. Raises PermissionDenied, NotFound, VersionConflict,
    ValidationFailed, Conflict.
    """
    record = REGISTRY[change.type]
    with nested_transaction() as connection:
        rows = _take_change(connection, {"id": change.id})
        if not rows:
            raise Conflict("This has already been undone.")
        with _refusals_in_words(record):
            version = _take_back(connection, record, actor, RowChange(*rows[0]))
        # what the same batch did to this record before is left at another version now
        same = {"of_batch": batch_id, "of_type": change.type, "of_record": change.record_id}
        _set_version_before(connection, {**same, "before": change.id, "version": version})
        if is_import:
            import_origins.delete_origin(
                connection, import_origins.TABLES, change.type, change.record_id
            )


@contextmanager
def _refusals_in_words(record: Record) -> Iterator[None]:
    """Whoever undoes has read no version: say what has become of the record, and what can be done."""
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
    """Undo a change; returns the version of the record afterwards, None where it is gone."""
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
    if not data:  # it was something that no revision holds, such as a password
        raise Conflict("The earlier value is secret and was not stored.")
    return saved.version


def _changed_data(before: Raw, after: Raw) -> Raw:
    """What a change has replaced: records that both refer to may have gone since, and are no part of it."""
    return {name: one for name, one in before.items() if not is_same_value(after.get(name), one)}
