"""What `include` brings: one statement for each relation, whatever the number of rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select
from sqlalchemy.types import BigInteger

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.query_fields import Relation, relations
from quire.declare.record import Record
from quire.declare.rules import row_conditions
from quire.store.projection import Projection
from quire.store.size_limit import SizeLimit

MAX_NESTED = 50
Rows = list[dict[str, Any]]
Paths = tuple[str, ...]


def include(
    connection: Connection,
    record: Record,
    actor: Actor,
    rows: Rows,
    paths: Paths,
    fields: Paths | None,
    limit: SizeLimit,
) -> None:
    """Put the records that `paths` name into `rows`, as far as `actor` may see them.

    A reference to a record that he may not see stays the small object it was. Of records below
    another come the first MAX_NESTED, and beside them how many there are. `fields` are the paths
    that will be left of the rows. Raises TooCostly.
    """
    known = relations(record, actor) if paths else {}
    for head in heads(paths):
        deeper, named = _below(head, paths), _below(head, fields or ())
        shown = None if fields is None or head in fields or not named else named
        names = _columns(known[head].target, shown, named, deeper)
        brought = _load_relation(connection, known[head], actor, rows, head, names, limit)
        include(connection, known[head].target, actor, brought, deeper, shown, limit)


def heads(paths: Iterable[str]) -> Paths:
    """The first parts of paths such as `author.username`."""
    return tuple(dict.fromkeys(path.partition(".")[0] for path in paths))


def _below(head: str, paths: Paths) -> Paths:
    return tuple(path.removeprefix(f"{head}.") for path in paths if path.startswith(f"{head}."))


def _columns(target: Record, shown: Paths | None, named: Paths, deeper: Paths) -> Paths | None:
    """The fields to read of a relation; None for the usual ones."""
    if shown is not None:
        return heads(("id", *shown, *deeper))
    return heads((*target.default_fields(target.field_names), *named)) if named else None


def _load_relation(
    connection: Connection,
    relation: Relation,
    actor: Actor,
    rows: Rows,
    name: str,
    columns: Paths | None,
    limit: SizeLimit,
) -> Rows:
    place = _place_below if relation.reverse else _place_referred
    ids = {row["id"] for row in rows} if relation.reverse else _referred_ids(rows, name)
    if not ids:
        return place(relation, rows, name, [], [])
    projection, statement = _plan(relation, relation.target.cache_key_actor(actor), columns)
    values = {"ids": sorted(ids), "actor_id": actor.user_id, "now": now()}
    found = list(limit.counted(connection.execute(statement, values), projection.long))
    return place(relation, rows, name, found, [projection.shape(row) for row in found])


def _referred_ids(rows: Rows, name: str) -> set[int]:
    return {small["id"] for row in rows for small in _as_list(row.get(name))}


def _as_list(value: Any) -> Rows:
    return value if isinstance(value, list) else [value] if value else []


def _place_referred(
    relation: Relation, rows: Rows, name: str, found: Sequence[Any], brought: Rows
) -> Rows:
    by_id = {one["id"]: one for one in brought}
    for row in rows:
        value = row.get(name)
        if isinstance(value, list):
            row[name] = [by_id.get(small["id"], small) for small in value]
        elif value is not None:
            row[name] = by_id.get(value["id"], value)
    return brought


def _place_below(
    relation: Relation, rows: Rows, name: str, found: Sequence[Any], brought: Rows
) -> Rows:
    """The last columns of what was found are the id of the record above it, and the total there."""
    groups: dict[int, Rows] = defaultdict(list)
    totals: dict[int, int] = defaultdict(int)
    for row, one in zip(found, brought, strict=True):
        groups[row[-2]].append(one)
        totals[row[-2]] = row[-1]
    for row in rows:
        below = groups[row["id"]]
        if relation.many:
            row |= {name: below, f"{name}_total": totals[row["id"]]}
        else:
            row[name] = below[0] if below else None
    return brought


@lru_cache(500)
def _plan(relation: Relation, actor: Actor, names: Paths | None) -> tuple[Projection, Select[Any]]:
    target, id = relation.target, relation.target.table.c.id
    projection = Projection(target, actor, names)
    column = relation.field.column if relation.reverse else id
    conditions = [column.in_(bindparam("ids", type_=BigInteger, expanding=True))]
    if target.has_trash:
        conditions.append(target.table.c.deleted_at.is_(None))
    conditions += row_conditions(target.allows(actor, "read"))
    if not relation.reverse:
        statement = projection.select_from(target.table).where(*conditions)
        return projection, statement.order_by(id)
    first = _first_ones(column, id, conditions)
    source = target.table.join(first, first.c.id == id)
    statement = projection.select_from(source).where(first.c.place <= MAX_NESTED)
    return projection, statement.add_columns(first.c.above, first.c.total).order_by(id)


def _first_ones(column: Any, id: Any, conditions: Sequence[Any]) -> Any:
    """The ids of the rows below each record, numbered: a post may have thousands of comments."""
    place = func.row_number().over(partition_by=column, order_by=id).label("place")
    total = func.count().over(partition_by=column).label("total")
    numbered = select(id, column.label("above"), place, total).where(*conditions)
    return numbered.subquery("numbered")


def prune(rows: Rows, fields: Paths | None) -> Rows:
    """Only the parts of nested objects that paths such as `author.username` name."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for path in fields or ():
        head, _, rest = path.partition(".")
        if rest and head not in (fields or ()):
            wanted[head].append(rest)
    for head, names in wanted.items():
        for row in rows:
            value = row.get(head)
            if isinstance(value, list):
                row[head] = [_part(one, tuple(names)) for one in value]
            elif value is not None:
                row[head] = _part(value, tuple(names))
    return rows


def _part(value: dict[str, Any], names: Paths) -> dict[str, Any]:
    """Of a record that may not be seen there is only the small object, which holds less."""
    kept = {name: value[name] for name in heads(names) if name in value}
    totals = ((f"{name}_total", value.get(f"{name}_total")) for name in kept)
    kept |= {name: total for name, total in totals if total is not None}
    return prune([kept], names)[0]
