"""Records in the outbox who sees a record before a change that may hide it, so that they learn of the change.

A note names the lowest role that sees the record without owning it, and an owner who sees it. Notes are
written for the record itself and for each record whose visibility depends on it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    bindparam,
    case,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.schema import Column

from quire.actor import ROLES, Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.record import REGISTRY, Record, record_of
from quire.declare.rules import Rule, ShownBy
from quire.declare.sql_functions import ACTOR_ID
from quire.declare.sql_types import UTCDateTime
from quire.store.events.outbox import OutboxEvent

RANKED_ROLES = ("anonymous", *ROLES)
"""The roles of readers in ascending order; notes hold the index of one."""
NOTE = "viewers"
"""The event of notes, after the type: `posts.viewers`."""
_NOTE_COLUMNS = (
    "event", "type", "record_id", "version", "data", "created_at", "attempts", "audience", "owner_id",
)  # fmt: skip


def note_viewers(
    connection: Connection, record: Record, id: int, moment: datetime | None = None
) -> None:
    """Record, in the open transaction, who sees the record `id`, or saw it at `moment`."""
    created = now()
    values = {"record": id, "now": moment or created, "created": created}
    for statement in _notes(record):
        connection.execute(statement, values)


def note_before(connection: Connection, change: Change) -> None:
    """Record who sees a record and the records it shows, before a change that may alter that."""
    if change.state is not None and _alters_visibility(change):
        note_viewers(connection, change.record, change.state["id"])
    for other, rule in _showing_rules():
        rows = rule.affected_by(change)
        if rows is not None:
            for statement in _notes_where(other, rows):
                connection.execute(statement, {"now": change.moment, "created": change.moment})


def _alters_visibility(change: Change) -> bool:
    columns = visibility_columns(change.record)
    fields = map(change.record.field, change.values)
    return any(
        one.is_stored and one.column.name in columns and change.alters(one) for one in fields
    )


@cache
def visibility_columns(record: Record) -> frozenset[str]:
    """The names of the columns of `record` that decide who sees it."""
    answers = [record.allows(Actor(role, 0), "read") for role in RANKED_ROLES]
    conditions = [one for one in answers if not isinstance(one, bool)]
    columns = {
        column.name
        for condition in conditions
        for column in visitors.iterate(condition)
        if isinstance(column, Column) and column.table is record.table
    }
    return frozenset(columns) - {"id"}


@cache
def _notes(record: Record) -> list[Insert]:
    """The statements that record who sees a record and the records that depend on it."""
    is_record = record.table.c.id == bindparam("record", type_=BigInteger)
    return [
        note
        for one, where in dependent_rows(record, is_record)
        for note in _notes_where(one, where)
    ]


def _notes_where(record: Record, where: ColumnElement[bool]) -> Iterator[Insert]:
    """The statements that record who sees these rows of `record`."""
    if record.is_versioned:
        for owner in list(_owners(record)) or [null()]:
            yield insert(OutboxEvent).from_select(_NOTE_COLUMNS, _note(record, owner).where(where))


@cache
def _showing_rules() -> list[tuple[Record, ShownBy]]:
    """The types whose rows are visible because other records show them, with the rules that decide it."""
    return [
        (record, rule.shows)
        for record in REGISTRY.values()
        for rule in record.access.read.walk()
        if rule.shows
    ]


def dependent_rows(
    record: Record, where: ColumnElement[bool], path: tuple[Record, ...] = ()
) -> Iterator[tuple[Record, ColumnElement[bool]]]:
    """`record` and the types whose read rule depends on it, with the condition for the affected rows."""
    yield record, where
    ids = select(record.table.c.id).where(where)
    for other in REGISTRY.values():
        if other in (record, *path):
            continue
        columns = {one.reference[0] for one in other.access.read.walk() if one.reference}
        for column in columns:
            if any(key.column.table is record.table for key in column.foreign_keys):
                yield from dependent_rows(other, column.in_(ids), (*path, record))
    for other, rule in _showing_rules():
        shown = rule.shown_by(record, where)
        if shown is not None and other not in (record, *path):
            yield other, shown


def _note(record: Record, owner: Any) -> Any:
    columns = record.table.c
    return select(
        literal(f"{record.path}.{NOTE}"),
        literal(record.path),
        columns.id,
        columns.version,
        literal({}, JSON()),
        bindparam("created", type_=UTCDateTime),
        literal(0),
        _audience(record),
        owner,
    )


def _audience(record: Record) -> ColumnElement[Any]:
    """The index of the lowest role that sees a row without owning it, null if there is none."""
    steps: list[Any] = []
    for rank, role in enumerate(RANKED_ROLES):
        answer = record.allows(Actor(role), "read")
        if answer is True:
            return case(*steps, else_=rank) if steps else literal(rank)
        if answer is not False and not (steps and answer.compare(steps[-1][0])):
            steps.append((answer, rank))
    return case(*steps, else_=null()) if steps else null()


def _owners(record: Record) -> Iterator[ColumnElement[Any]]:
    """For each possible owner of a row, the user's id if they see the row as its owner, else null."""
    answer = record.allows(Actor("author", 0), "read")
    if isinstance(answer, bool):
        return
    users = _owner_columns(record, record.access.read, lambda column: column)
    for user in {str(one): one for one in users}.values():
        yield case((_answer_for(answer, user), user), else_=null())


def _owner_columns(record: Record, rule: Rule, place: Callable[[Any], Any]) -> Iterator[Any]:
    for part in rule.walk():
        if part.owner_column is not None:
            yield place(part.owner_column)
        if part.reference is not None:
            column, table, verb = part.reference
            target = record_of(table)
            inner = getattr(target.declared_access, verb)
            beyond = _columns_of_target(record, column, target, place)
            yield from _owner_columns(target, inner, beyond)


def _columns_of_target(
    record: Record, column: Any, target: Record, place: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Columns of `target`, read through the `column` of `record` that refers to it."""
    refers = target.table.c.id == column

    def correlate(inner: Any) -> Any:
        query = select(inner).select_from(target.table).where(refers)
        return place(query.correlate(record.table).scalar_subquery())

    return correlate


def _answer_for(answer: ColumnElement[bool], user: Any) -> ColumnElement[bool]:
    """The answer of a rule with `user` in place of the actor."""

    def replace(element: Any, **_: Any) -> Any:
        return user if getattr(element, "key", None) == ACTOR_ID.key else None

    return visitors.replacement_traverse(answer, {}, replace)
