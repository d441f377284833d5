"""The steps of a change within its transaction: complete its values, insert, recheck, remove."""

from collections.abc import Sequence

from sqlalchemy import Connection

from quire.declare.change import Change
from quire.declare.record import Record
from quire.declare.rules import Rule, refusal
from quire.errors import Conflict
from quire.store.changes import rows
from quire.store.changes.references import Create, ReferenceIds, resolve
from quire.store.changes.side_effects import record_removal
from quire.store.changes.slugs import number_slugs
from quire.store.data_versions import rows_are_named
from quire.store.db import savepoint
from quire.store.events.affected_rows import name_affected_rows
from quire.store.events.viewers import note_viewers
from quire.store.transactions.integrity_errors import refuse_deletion_in_use

MAX_ATTEMPTS = 100
"""How often to retry an insert whose slug another transaction took first; each failure means that another succeeded."""


def complete(
    connection: Connection,
    change: Change,
    create: Create,
    reference_ids: ReferenceIds | None = None,
) -> None:
    """Replace references by ids, fill in defaults, run the record's hook.

    `create` makes a record for a name that does not exist yet; `reference_ids` are the ids already
    looked up. Raises ValidationFailed, and what the hook raises.
    """
    resolve(connection, change, create, {} if reference_ids is None else reference_ids)
    change.check()
    if change.state is None:
        for field in change.record.generated_fields:
            if change.values.get(field.name) is None:
                change.fill(field.name)
    change.record.before_save(change)
    change.check()


def insert_all(connection: Connection, changes: Sequence[Change]) -> None:
    """Insert rows in one statement, or one by one if a value of one of them is taken."""
    if len(changes) > 1:
        number_slugs(changes)
        try:
            with connection.begin_nested():  # undoes a partial insert
                ids = rows.insert_many(connection, changes)
        except Conflict:  # inserted one by one, some values can be generated again
            pass
        else:
            for change, id in zip(changes, ids, strict=True):
                change.id = id
            return
    for change in changes:
        change.id = insert(connection, change)


def insert(connection: Connection, change: Change) -> int:
    """Insert the row; a generated value such as a slug is generated again if it has been taken."""
    if not any(change.record.field(name).is_unique for name in change.filled_fields):
        return rows.insert(connection, change)
    for _ in range(MAX_ATTEMPTS):
        try:
            with savepoint(connection):
                return rows.insert(connection, change)
        except Conflict as error:
            duplicates = change.filled_fields & error.fields
            if not duplicates:
                raise
            for name in duplicates:
                change.fill(name)
    return rows.insert(connection, change)


def recheck(
    connection: Connection, record: Record, rule: Rule, changes: Sequence[Change]
) -> list[rows.LoadedRow]:
    """Load the written rows. Raises PermissionDenied if the rule no longer holds."""
    actor = changes[0].actor
    ids = [change.id for change in changes]
    loaded_rows = rows.allowed_rows(connection, record, actor, ids, rule)
    if len(loaded_rows) < len(ids):
        raise refusal(rule, actor)
    return loaded_rows


def remove(connection: Connection, change: Change) -> None:
    """Delete the row and what belongs to it. Raises Conflict if something refers to it."""
    record = change.record
    record.before_save(change)
    change.check()
    id = change.id or 0
    note_viewers(connection, record, id)
    named = name_affected_rows(connection, record, id)
    with refuse_deletion_in_use(record), rows_are_named(named):
        connection.execute(record.table.delete().where(record.table.c.id == change.id))
    record_removal(connection, change)
