"""What `include` brings: one statement for each relation, whatever the number of rows."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select
from sqlalchemy.types import BigInteger

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.record import Record
from quire.declare.rules import required
from quire.declare.vocabulary import relations
from quire.store.project import Projection

MAX_NESTED = 50
Rows = list[dict[str, Any]]


def include(
    connection: Connection,
    record: Record,
    actor: Actor,
    rows: Rows,
    paths: tuple[str, ...],
    fields: tuple[str, ...] | None = None,
) -> None:
    """Put the records that `paths` name into `rows`, as far as `actor` may see them.

    A reference to a record that he may not see stays the small object it was. `fields` are the
    paths that will be left of the rows.
    """
    for head in dict.fromkeys(path.partition(".")[0] for path in paths):
        target = relations(record, actor)[head]
        whole = _asks_for_seldom(target, head, fields or ())
        if head in record.by_name:
            brought = _referred(connection, target, actor, rows, head, whole)
        else:
            brought = _nested(connection, record, target, actor, rows, whole)
        deeper = tuple(p.partition(".")[2] for p in paths if p.startswith(f"{head}."))
        include(connection, target, actor, brought, deeper)


def _asks_for_seldom(target: Record, head: str, fields: tuple[str, ...]) -> bool:
    return any(one.seldom and f"{head}.{one.name}" in fields for one in target.fields)


def _referred(
    connection: Connection, target: Record, actor: Actor, rows: Rows, name: str, whole: bool
) -> Rows:
    ids = {small["id"] for row in rows for small in _listed(row.get(name))}
    found = {row["id"]: row for row in _by(connection, target, actor, "id", ids, whole)}
    for row in rows:
        value = row.get(name)
        if isinstance(value, list):
            row[name] = [found.get(small["id"], small) for small in value]
        elif value is not None:
            row[name] = found.get(value["id"], value)
    return list(found.values())


def _listed(value: Any) -> Rows:
    return value if isinstance(value, list) else [value] if value else []


def _nested(
    connection: Connection, record: Record, target: Record, actor: Actor, rows: Rows, whole: bool
) -> Rows:
    table = record.table.name
    name = next(n for n in target.nested if target.field(n).target == table)
    found = _by(connection, target, actor, name, {row["id"] for row in rows}, whole)
    groups: dict[int, Rows] = defaultdict(list)
    for row in found:
        groups[row[name]["id"]].append(row)
    for row in rows:
        row[target.path] = groups[row["id"]]
    return found


def _by(
    connection: Connection, target: Record, actor: Actor, name: str, ids: set[int], whole: bool
) -> Rows:
    if not ids:
        return []
    projection, statement = _plan(target, actor.typical, name, whole)
    values = {"ids": sorted(ids), "actor_id": actor.user_id, "now": now()}
    return [projection.shape(row) for row in connection.execute(statement, values)]


@lru_cache(500)
def _plan(target: Record, actor: Actor, name: str, whole: bool) -> tuple[Projection, Select[Any]]:
    projection = Projection(target, actor, target.names if whole else None)
    column, id = target.field(name).column, target.table.c.id
    conditions = [column.in_(bindparam("ids", type_=BigInteger, expanding=True))]
    if target.trashes:
        conditions.append(target.table.c.deleted_at.is_(None))
    conditions += required(target.allows(actor, "read"))
    statement = projection.select_from(target.table).order_by(id)
    if name == "id":
        return projection, statement.where(*conditions)
    return projection, statement.where(id.in_(_first_ones(column, id, conditions)))


def _first_ones(column: Any, id: Any, conditions: Sequence[Any]) -> Select[Any]:
    """The ids of the first rows below each record: a post may have thousands of comments."""
    place = func.row_number().over(partition_by=column, order_by=id).label("place")
    numbered = select(id, place).where(*conditions).subquery("numbered")
    return select(numbered.c.id).where(numbered.c.place <= MAX_NESTED)


def prune(rows: Rows, fields: tuple[str, ...] | None) -> Rows:
    """Only the parts of nested objects that paths such as `author.username` name."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for path in fields or ():
        head, _, rest = path.partition(".")
        if rest:
            wanted[head].append(rest)
    for head in [h for h in wanted if h not in (fields or ())]:
        for row in rows:
            value = row.get(head)
            if isinstance(value, list):
                row[head] = [_part(one, wanted[head]) for one in value]
            elif value is not None:
                row[head] = _part(value, wanted[head])
    return rows


def _part(value: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Of a record that may not be seen there is only the small object, which holds less."""
    return {name: value[name] for name in names if name in value}
