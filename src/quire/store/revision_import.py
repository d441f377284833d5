"""The past of a record that comes from another installation: its revisions and its version there."""

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

    `past` are the values of revisions, in the place of those that arriving here has made; without
    it only those beyond `version` go. `hidden` are columns that no interface may set, such
    as the hash of a password.
    """
    table, kept = record.table, Revision.__table__
    own = (kept.c.type == record.path) & (kept.c.record_id == id)
    if past:
        connection.execute(delete(kept).where(own))
        revisions.insert_revisions(connection, past)
    else:
        connection.execute(delete(kept).where(own, kept.c.version > version))
    connection.execute(update(table).where(table.c.id == id).values(version=version, **hidden))
