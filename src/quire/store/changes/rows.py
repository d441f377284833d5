"""Loads, inserts, updates and compares rows of one table."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from inspect import unwrap
from itertools import compress
from operator import not_
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update
from sqlalchemy.sql.schema import CallableColumnDefault

from quire.actor import SYSTEM, Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.record import Record
from quire.declare.references import Many
from quire.declare.rules import Answer, Rule, requires
from quire.errors import PermissionDenied, no_such
from quire.store.connections.driver_statements import Rows, run
from quire.store.connections.prepared_statements import Prepared, prepare
from quire.store.data_versions import rows_are_named
from quire.store.db import is_writing
from quire.store.projection import Projection
from quire.store.transactions.integrity_errors import translate_integrity_errors

State = dict[str, Any]


def _sql(answer: Answer) -> Any:
    return literal(answer) if isinstance(answer, bool) else answer


class LoadedRow(NamedTuple):
    """A row: its stored state, whether the rule holds, and what the actor sees (None if nothing)."""

    state: State
    allowed: bool
    visible: State | None


@lru_cache(300)
def _plan(
    record: Record, actor: Actor, rule: Rule, many: bool, lock: bool
) -> tuple[Projection, Callable[[Connection, State], Rows], list[str], list[str]]:
    """How to load rows: the projection, a function that runs the statement, the fields that `actor` never
    sees, and those visible on some rows only. The last columns of a row are a flag for each of the
    latter, whether the actor sees the row, and whether the rule holds."""
    projection = Projection(record, SYSTEM, record.field_names)
    table = record.table
    id_param = bindparam("ids", type_=BigInteger, expanding=many)
    ids = table.c.id.in_(id_param) if many else table.c.id == id_param
    answers = record.visible_fields(actor)
    conditional = [name for name, answer in answers.items() if answer is not True]
    flags = [_sql(answers[name]) for name in conditional]
    flags += [_sql(record.allows(actor, "read")), _sql(rule(actor))]
    labelled = (flag.label(f"flag_{i}") for i, flag in enumerate(flags))
    statement = projection.select_from(table).where(ids).add_columns(*labelled)
    if lock:  # ignored by SQLite
        statement = statement.with_for_update(of=table)
    hidden = [name for name in projection.keys if name not in answers]
    return projection, prepare(statement), hidden, conditional


def _visible_state(
    state: State, row: Any, hidden: list[str], conditional: list[str]
) -> State | None:
    if not row[-2]:
        return None
    flags = row[-2 - len(conditional) : -2]
    visible = dict(state)
    for name in (*hidden, *compress(conditional, map(not_, flags))):
        del visible[name]
    return visible


def _select(
    connection: Connection, record: Record, actor: Actor, ids: list[Any], rule: Rule, lock: bool
) -> list[LoadedRow]:
    many = len(ids) > 1
    projection, execute, hidden, conditional = _plan(
        record, record.cache_key_actor(actor), rule, many, lock and is_writing(connection)
    )
    values = {"ids": ids if many else ids[0], "actor_id": actor.user_id, "now": now()}
    rows = []
    for row in execute(connection, values):
        state = projection.shape(row)
        rows.append(
            LoadedRow(state, bool(row[-1]), _visible_state(state, row, hidden, conditional))
        )
    return rows


def load_for_update(
    connection: Connection, record: Record, actor: Actor, id: int, rule: Rule
) -> LoadedRow:
    """Load a record that `rule` lets the actor change, locked if in a transaction. Raises NotFound, PermissionDenied."""
    rows = _select(connection, record, actor, [id], rule, lock=True)
    if not rows or not (rows[0].visible or rows[0].allowed):
        raise no_such(record.noun)
    if not rows[0].allowed:
        raise PermissionDenied(requires(rule.unmet(actor)))
    return rows[0]


def lock(connection: Connection, record: Record, id: int | None) -> None:
    """Make other transactions that lock the same record wait until this one ends."""
    connection.execute(_lock_statement(record), {"id": id})


@lru_cache(100)
def _lock_statement(record: Record) -> Select[Any]:
    key = record.table.c.id
    # ignored by SQLite, which has one writer and needs no lock
    return select(key).where(key == bindparam("id")).with_for_update(key_share=True)


def load(
    connection: Connection, record: Record, actor: Actor, id: int, rule: Rule
) -> LoadedRow | None:
    """A record with the actor's view of it, whether or not they see it; None if it does not exist."""
    rows = _select(connection, record, actor, [id], rule, lock=False)
    return rows[0] if rows else None


def allowed_rows(
    connection: Connection, record: Record, actor: Actor, ids: list[Any], rule: Rule
) -> list[LoadedRow]:
    """The rows for which the rule holds now, in the order of `ids`."""
    rows = _select(connection, record, actor, ids, rule, lock=False)
    by_id = {one.state["id"]: one for one in rows if one.allowed}
    return [by_id[id] for id in ids if id in by_id]


def insert(connection: Connection, change: Change) -> int:
    """Insert the row without its links; return its id. Raises Conflict if a value is taken."""
    record = change.record
    with translate_integrity_errors(record), rows_are_named([record.table.name]):
        change.new_row = _new_row(change)
        return _insert(record.table).insert_one(connection, change.new_row)


def insert_many(connection: Connection, changes: Sequence[Change]) -> list[int]:
    """Insert several rows of one type in one statement; return their ids in order. Raises Conflict."""
    record = changes[0].record
    _cache_more_pages(connection)
    ids = _next_ids(connection, record.table, len(changes))
    for change, id in zip(changes, ids, strict=True):
        change.new_row = {"id": id, **_new_row(change)}
    with translate_integrity_errors(record), rows_are_named([record.table.name]):
        _insert_with_id(record.table)(connection, [one.new_row for one in changes])
    return ids


def _cache_more_pages(connection: Connection) -> None:
    """Enlarge SQLite's cache for a batch, so that it does not write the same index pages repeatedly."""
    if connection.dialect.name == "sqlite":
        run(connection, "PRAGMA cache_size=-2000", ())


def _next_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Reserve ids for new rows, since not all databases return several ids in order."""
    if connection.dialect.name == "sqlite":  # this transaction is the only writer
        sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?"
        [(last,)] = run(connection, sql, (table.name,))
        return list(range(last + 1, last + count + 1))
    name = select(func.pg_get_serial_sequence(table.name, table.c.id.name)).scalar_subquery()
    several = select(func.nextval(name)).select_from(func.generate_series(1, count).alias("series"))
    return list(connection.execute(several).scalars())


def _new_row(change: Change) -> State:
    columns = dict.fromkeys(_creation_time_columns(change.record.table), change.moment)
    return columns | _columns(change, change.values)


def insert_links(connection: Connection, changes: Sequence[Change]) -> None:
    """Insert the links of new rows of one type."""
    for many in changes[0].record.link_lists:
        links = [link for one in changes for link in _new_links(one, many)]
        if links:
            _insert(many.table)(connection, links)


def _new_links(change: Change, many: Many) -> list[State]:
    targets = change.values.get(many.name)
    if not targets:
        return []
    row = change.new_row
    copied = {name: row[name] for name in many.copied if name in row}
    return [{**copied, "source_id": change.id, "target_id": target} for target in targets]


@cache
def _creation_time_columns(table: Table) -> list[str]:
    """Columns that default to the time of creation, which get the same value."""
    defaults = {one.name: one.default for one in table.columns}
    return [
        name
        for name, default in defaults.items()
        if isinstance(default, CallableColumnDefault) and unwrap(default.arg) is now
    ]


@cache
def _insert(table: Table) -> Prepared:
    return Prepared(sql_insert(table))


@cache
def _insert_with_id(table: Table) -> Prepared:
    return Prepared(sql_insert(table), with_id=True)


def update(connection: Connection, change: Change) -> bool:
    """Update what differs from the row, and raise its version; return whether anything differed."""
    record, state = change.record, change.state or {}
    differing = {name for name in change.values if change.alters(record.field(name))}
    if not differing:
        return False
    columns = _columns(change, {name: change.values[name] for name in differing})
    if record.is_versioned and any(
        record.field(n).is_tracked or not record.field(n).readable for n in differing
    ):
        columns["version"] = state["version"] + 1
        if "updated_at" in record.table.c:
            columns.setdefault("updated_at", change.moment)
    with translate_integrity_errors(record), rows_are_named([record.table.name]):
        table = record.table
        if columns:
            connection.execute(sql_update(table).where(table.c.id == state["id"]).values(columns))
    for many in record.link_lists:
        if many.name in differing:
            _link(connection, many, state["id"], change.values[many.name])
        if many.copied and (many.name in differing or not columns.keys().isdisjoint(many.copied)):
            connection.execute(_copy_statement(record.table, many), {"id": state["id"]})
    return True


def _columns(change: Change, values: State) -> State:
    fields = change.record.fields_by_name
    return {column: value for name, value in values.items() for column in fields[name].column_names}


def _link(connection: Connection, many: Many, id: int, targets: list[int]) -> None:
    connection.execute(delete(many.table).where(many.table.c.source_id == id))
    if targets:
        pairs = [{"source_id": id, "target_id": one} for one in targets]
        _insert(many.table)(connection, pairs)


@cache
def _copy_statement(table: Table, many: Many) -> Update:
    """The statement that updates the columns of a row that its links copy."""
    link, row = many.table, table.alias("record")
    values = {name: row.c[name] for name in many.copied}
    of_row = link.c.source_id == bindparam("id", type_=BigInteger)
    return sql_update(link).where(of_row, row.c.id == link.c.source_id).values(values)


def differences(change: Change, state: State) -> list[str]:
    """The names of the fields that the change alters; secret ones whenever they were set."""
    before, given, names = change.state, change.values, _tracked_names(change.record)
    if before is None:
        return [n for n, readable in names if (state[n] is not None if readable else n in given)]
    return [
        name
        for name, readable in names
        if (state.get(name) != before.get(name) if readable else name in given)
    ]


@cache
def _tracked_names(record: Record) -> list[tuple[str, bool]]:
    """The fields whose changes count, and whether their values can be read to compare them."""
    return [(one.name, one.readable) for one in record.tracked_fields]
