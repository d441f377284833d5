"""Imports the history of a record from another installation: its revisions and its version there."""

from typing import Any

from sqlalchemy import Connection, delete, update

from quire.declare.record import Record
from quire.store import revisions
from quire.store.revisions import Revision


def import_history(
    connection: Connection,
    record: Record,
    id: int,
    version: int,
    past: list[dict[str, Any]] | None = None,
    **hidden: Any,
) -> None:
    """Give a record, in the open transaction, the `version` it had elsewhere, and its `past`.

    `past` are the values of revisions; they replace those that the import itself has created. Without
    it only those beyond `version` are deleted. `hidden` are columns that no interface may set, such
    as the hash of a password.
    """
    table, revision_table = record.table, Revision.__table__
    own = (revision_table.c.type == record.path) & (revision_table.c.record_id == id)
    if past:
        connection.execute(delete(revision_table).where(own))
        revisions.insert_revisions(connection, past)
    else:
        connection.execute(delete(revision_table).where(own, revision_table.c.version > version))
    connection.execute(update(table).where(table.c.id == id).values(version=version, **hidden))
