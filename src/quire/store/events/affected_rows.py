"""Names in the outbox the rows that the database deletes or changes with a record, so that no other needs to be read again.

Those whose visibility follows from that of the record are named by notes of who saw them (viewers.py). The others are
named for what is kept of large tables (lists/id_blocks.py) alone: the feed of changes passes over them.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    literal,
    select,
    union_all,
)

from quire.declare.record import REGISTRY, Record, find_record
from quire.store.connections.prepared_statements import Prepared, Unprepared, prepare
from quire.store.events.outbox import event_row, insert_events
from quire.store.events.viewers import dependent_rows
from quire.store.version_names import has_version, referring_columns

AFFECTED = "affected"
"""The event, after the type: `posts.affected`."""
MAX_ROWS = 1000
"""If there are more rows, none is named."""
Rows = tuple[Record, ColumnElement[bool]]


def name_affected_rows(connection: Connection, record: Record, id: int) -> frozenset[str]:
    """Name in the open transaction what goes or changes with the record `id`; the tables of which all rows are named.

    `note_viewers` and an event of the deletion itself name the others.
    """
    statement, tables = _affected_rows(record)
    if statement is None:
        return tables
    rows = statement(connection, {"record": id, "limit": MAX_ROWS + 1})
    if len(rows) > MAX_ROWS:
        return frozenset()
    if rows:
        named = ((REGISTRY[path], {"id": row}) for path, row in rows)
        insert_events(connection, [event_row(one, AFFECTED, row, []) for one, row in named])
    return tables


@cache
def _affected_rows(record: Record) -> tuple[Prepared | Unprepared | None, frozenset[str]]:
    """The statement that finds what nothing else names, and the tables of all rows that are affected."""
    deleted = record.table.c.id == bindparam("record", type_=BigInteger)
    noted = [(one, where) for one, where in dependent_rows(record, deleted) if one.is_versioned]
    affected = list(_affected_by_deletion(record, deleted))
    tables = frozenset({record.table.name, *(one.table.name for one, _ in affected)})
    unnamed = [_select_others(*rows, noted) for rows in affected if not _is_among(rows, noted)]
    if not unnamed:
        return None, tables
    return prepare(union_all(*unnamed).limit(bindparam("limit", type_=BigInteger))), tables


def _select_others(record: Record, where: ColumnElement[bool], noted: list[Rows]) -> Select[Any]:
    """The types and ids of rows that are not among those noted."""
    is_noted = (condition for one, condition in noted if one is record)
    conditions = (one.is_not(True) for one in is_noted)
    return select(literal(record.path), record.table.c.id).where(where, *conditions)


def _affected_by_deletion(record: Record, where: ColumnElement[bool]) -> Iterator[Rows]:
    """The types, and the condition of the rows, in which the database changes something when those of `record` go."""
    ids = select(record.table.c.id).where(where)
    for column, deletes in referring_columns(record.table.name):
        other = find_record(column.table.name)
        if other is not None and has_version(other.table.name):
            yield other, column.in_(ids)
            if deletes:
                yield from _affected_by_deletion(other, column.in_(ids))


def _is_among(rows: Rows, others: list[Rows]) -> bool:
    return any(one is rows[0] and where.compare(rows[1]) for one, where in others)
