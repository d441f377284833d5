"""Reads the content of an archive from the store, in order and in batches, for constant memory use."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, tuple_

from quire.actor import SYSTEM
from quire.declare.record import Record
from quire.exchange.archive.format import exported_fields, secret_columns
from quire.records import REVISIONS
from quire.store.drafts.storage import Draft
from quire.store.projection import Projection

BATCH = 500
PAST = ("record_id", "version", "action", "actor", "created_at", "data")

State = dict[str, Any]


def count_records(connection: Connection, record: Record) -> int:
    """The number of records of a type."""
    return int(connection.execute(select(func.count()).select_from(record.table)).scalar_one())


def read_states(connection: Connection, record: Record, with_secrets: bool) -> Iterator[State]:
    """All records of a type in the order of their ids, optionally with their stored password hashes."""
    projection = Projection(record, SYSTEM, [one.name for one in exported_fields(record)])
    id, hidden = record.table.c.id, secret_columns(record) if with_secrets else []
    page = projection.select_from(record.table).where(id > bindparam("after")).order_by(id)
    statement = page.add_columns(*hidden).limit(BATCH)
    after = 0
    while rows := connection.execute(statement, {"after": after}).all():
        for row in rows:
            state = projection.shape(row)
            after = state["id"]
            own = zip(hidden, row[len(row) - len(hidden) :], strict=True)
            yield state | {column.key: value for column, value in own}


def read_drafts(connection: Connection, record: Record) -> Iterator[State]:
    """The drafts of the records of a type."""
    table = Draft.__table__
    statement = select(table).where(table.c.type == record.path).order_by(table.c.record_id)
    for row in connection.execute(statement.execution_options(yield_per=BATCH)).mappings():
        yield {name: row[name] for name in ("record_id", "base_version", "values")}


def read_revisions(connection: Connection, record: Record) -> Iterator[State]:
    """The revisions of the records of a type, in the order of their ids."""
    projection, table = Projection(REVISIONS, SYSTEM, PAST), REVISIONS.table.c
    place = tuple_(table.record_id, table.version)
    statement = (
        projection.select_from(REVISIONS.table)
        .where(table.type == record.path, place > tuple_(bindparam("id"), bindparam("version")))
        .order_by(table.record_id, table.version)
        .limit(BATCH)
    )
    after = {"id": 0, "version": 0}
    while rows := connection.execute(statement, after).all():
        for row in rows:
            state = projection.shape(row)
            after = {"id": state["record_id"], "version": state["version"]}
            yield state
