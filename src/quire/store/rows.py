"""Rows of one table: found with what may be done to them, inserted, updated, compared."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    Select,
    Table,
    bindparam,
    delete,
    literal,
    select,
)
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError

from quire.actor import SYSTEM, Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.rules import Answer, Rule
from quire.errors import Conflict, Missing, Refused, detail
from quire.store.project import Projection

State = dict[str, Any]


def _sql(answer: Answer) -> Any:
    return literal(answer) if isinstance(answer, bool) else answer


@dataclass(frozen=True)
class Found:
    """A row: all that is stored, whether it may be changed, what the actor sees (None: nothing)."""

    state: State
    allowed: bool
    shown: State | None


@lru_cache(1000)
def _plan(
    record: Record, actor: Actor, rule: Rule, many: bool
) -> tuple[Projection, Select[Any], list[str]]:
    """All that is stored of some rows, whether `actor` may see and change them, and which fields
    he sees on some rows only; a row's last columns say so in that order."""
    projection = Projection(record, SYSTEM, record.names)
    table = record.table
    wanted = bindparam("ids", type_=BigInteger, expanding=many)
    ids = table.c.id.in_(wanted) if many else table.c.id == wanted
    seen = record.seen_by(actor)
    partly = [name for name, answer in seen.items() if answer is not True]
    flags = [_sql(seen[name]) for name in partly]
    flags += [_sql(record.allows(actor, "read")), _sql(rule(actor))]
    labelled = (flag.label(f"flag_{i}") for i, flag in enumerate(flags))
    statement = projection.select_from(table).where(ids).add_columns(*labelled)
    return projection, statement, partly


def _shown(record: Record, actor: Actor, state: State, row: Any, partly: list[str]) -> State | None:
    if not row[-2]:
        return None
    flags = row[-2 - len(partly) : -2]
    hidden = {name for name, flag in zip(partly, flags, strict=True) if not flag}
    return {name: state[name] for name in record.seen_by(actor) if name not in hidden}


def _select(
    connection: Connection, record: Record, actor: Actor, ids: list[Any], rule: Rule, lock: bool
) -> list[Found]:
    many = len(ids) > 1
    projection, statement, partly = _plan(record, actor.typical, rule, many)
    if lock and connection.dialect.name != "sqlite":
        statement = statement.with_for_update(of=record.table)
    values = {"ids": ids if many else ids[0], "actor_id": actor.user_id, "now": now()}
    found = []
    for row in connection.execute(statement, values):
        state = projection.shape(row)
        found.append(Found(state, bool(row[-1]), _shown(record, actor, state, row, partly)))
    return found


def find(connection: Connection, record: Record, actor: Actor, id: int, rule: Rule) -> Found:
    """A record that `rule` lets the actor change. Raises Missing, Refused."""
    found = _select(connection, record, actor, [id], rule, lock=True)
    if not found or not (found[0].shown or found[0].allowed):
        raise Missing(f"There is no such {record.one.lower()}.")
    if not found[0].allowed:
        raise Refused(f"This needs {rule.missing(actor)}.")
    return found[0]


def hold(connection: Connection, record: Record, id: int | None) -> None:
    """Let others who hold the same record wait until the transaction ends."""
    connection.execute(_holding(record), {"id": id})


@lru_cache(100)
def _holding(record: Record) -> Select[Any]:
    key = record.table.c.id
    # SQLite leaves it out and needs none: it has one writer
    return select(key).where(key == bindparam("id")).with_for_update(key_share=True)


def look(connection: Connection, record: Record, actor: Actor, id: int, rule: Rule) -> Found | None:
    """A record as it is for the actor, whether he sees it or not; None where there is none."""
    found = _select(connection, record, actor, [id], rule, lock=False)
    return found[0] if found else None


def allowed(
    connection: Connection, record: Record, actor: Actor, ids: list[Any], rule: Rule
) -> list[Found]:
    """Those rows, in the order of `ids`, for which the rule holds now."""
    found = _select(connection, record, actor, ids, rule, lock=False)
    by_id = {one.state["id"]: one for one in found if one.allowed}
    return [by_id[id] for id in ids if id in by_id]


def insert(connection: Connection, change: Change) -> int:
    """Insert the row and its links; returns its id. Raises Conflict on a value that is taken."""
    record = change.record
    with conflicts(record):
        done = connection.execute(_into(record.table), _columns(change, change.values))
    key: Any = done.inserted_primary_key
    id = int(key[0])
    for field in record.manies:
        _add_links(connection, field, id, change.values.get(field.name) or [])
    return id


@cache
def _into(table: Table) -> Insert:
    return sql_insert(table)


def update(connection: Connection, change: Change) -> bool:
    """Update what differs from the row; returns whether anything did. Counts a version if so."""
    record, state = change.record, change.state or {}
    differing = {name for name in change.values if _differs(change, record.field(name))}
    if not differing:
        return False
    columns = _columns(change, {name: change.values[name] for name in differing})
    if record.versioned and any(
        record.field(n).tracked or not record.field(n).readable for n in differing
    ):
        columns["version"] = state["version"] + 1
        if "updated_at" in record.table.c:
            columns.setdefault("updated_at", change.moment)
    with conflicts(record):
        table = record.table
        if columns:
            connection.execute(sql_update(table).where(table.c.id == state["id"]).values(columns))
    for field in record.manies:
        if field.name in differing:
            _link(connection, field, state["id"], change.values[field.name])
    return True


def _columns(change: Change, values: State) -> State:
    fields = ((change.record.field(name), value) for name, value in values.items())
    return {field.column.name: value for field, value in fields if field.is_stored}


def _differs(change: Change, field: Field) -> bool:
    if not field.is_stored and field.many is None:
        return False
    if not field.readable:
        return True
    held, given = change.before(field.name), change[field.name]
    if field.many is not None:
        return {one["id"] for one in held or []} != set(change.values[field.name])
    return bool((held["id"] if isinstance(held, dict) and field.target else held) != given)


def _link(connection: Connection, field: Field, id: int, targets: list[int]) -> None:
    assert field.many is not None
    link = field.many.table
    connection.execute(delete(link).where(link.c.source_id == id))
    _add_links(connection, field, id, targets)


def _add_links(connection: Connection, field: Field, id: int, targets: list[int]) -> None:
    assert field.many is not None
    if targets:
        pairs = [{"source_id": id, "target_id": target} for target in targets]
        connection.execute(_into(field.many.table), pairs)


def differences(change: Change, state: State) -> list[str]:
    """The names of the fields that differ after the change; secret ones when they were given."""
    return [
        name
        for name, field in change.record.by_name.items()
        if field.tracked
        and (state.get(name) != change.before(name) if field.readable else name in change.values)
    ]


@contextmanager
def conflicts(record: Record) -> Iterator[None]:
    """Turn broken rules of the database into conflicts that name the field."""
    try:
        yield
    except IntegrityError as error:
        raise _conflict(record, error) from None


def _conflict(record: Record, error: IntegrityError) -> Conflict:
    name = _broken(record, error)
    field = record.by_name.get(name or "") or record.by_name.get((name or "").removesuffix("_id"))
    if field is None:
        return Conflict(f"This {record.one.lower()} is still in use, or refers to what is gone.")
    message = f"{field.label} is already taken."
    return Conflict(message, code="duplicate", details=[detail(field.name, "duplicate", message)])


def _broken(record: Record, error: IntegrityError) -> str | None:
    """The column of the broken unique rule: SQLite names it, PostgreSQL names the constraint."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if constraint is not None:
        prefix = f"uq_{record.table.name}_"
        return (
            constraint.removeprefix(prefix).removesuffix("_folded")
            if constraint.startswith("uq_")
            else None
        )
    match = re.search(r"UNIQUE constraint failed: \w+\.(\w+)", str(error.orig))
    return match[1].removesuffix("_folded") if match else None
