"""Loads the records that `include` names, with one statement per relation."""

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
    """Put the records that `paths` name into `rows`, if `actor` may see them.

    A reference to a record that the actor may not see stays a small object. The first MAX_NESTED nested
    records are loaded, with their total number. `fields` are the paths that the rows will be pruned
    to. Raises TooCostly.
    """
    by_name = relations(record, actor) if paths else {}
    for head in heads(paths):
        inner_paths, inner_fields = _paths_below(head, paths), _paths_below(head, fields or ())
        output_fields = (
            None if fields is None or head in fields or not inner_fields else inner_fields
        )
        names = _columns(by_name[head].target, output_fields, inner_fields, inner_paths)
        related = _load_relation(connection, by_name[head], actor, rows, head, names, limit)
        include(connection, by_name[head].target, actor, related, inner_paths, output_fields, limit)


def heads(paths: Iterable[str]) -> Paths:
    """The first parts of paths such as `author.username`."""
    return tuple(dict.fromkeys(path.partition(".")[0] for path in paths))


def _paths_below(head: str, paths: Paths) -> Paths:
    return tuple(path.removeprefix(f"{head}.") for path in paths if path.startswith(f"{head}."))


def _columns(
    target: Record, output_fields: Paths | None, inner_fields: Paths, inner_paths: Paths
) -> Paths | None:
    """The fields of a relation to read; None for the defaults."""
    if output_fields is not None:
        return heads(("id", *output_fields, *inner_paths))
    return (
        heads((*target.default_fields(target.field_names), *inner_fields)) if inner_fields else None
    )


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
    related_rows = limit.fetch_rows(connection.execute(statement, values), projection.long)
    return place(
        relation, rows, name, related_rows, [projection.shape(row) for row in related_rows]
    )


def _referred_ids(rows: Rows, name: str) -> set[int]:
    return {small["id"] for row in rows for small in _as_list(row.get(name))}


def _as_list(value: Any) -> Rows:
    return value if isinstance(value, list) else [value] if value else []


def _place_referred(
    relation: Relation, rows: Rows, name: str, related_rows: Sequence[Any], related: Rows
) -> Rows:
    by_id = {one["id"]: one for one in related}
    for row in rows:
        value = row.get(name)
        if isinstance(value, list):
            row[name] = [by_id.get(small["id"], small) for small in value]
        elif value is not None:
            row[name] = by_id.get(value["id"], value)
    return related


def _place_below(
    relation: Relation, rows: Rows, name: str, related_rows: Sequence[Any], related: Rows
) -> Rows:
    """Attach related rows to their parents; the last columns of `related_rows` are the parent's id and total."""
    groups: dict[int, Rows] = defaultdict(list)
    totals: dict[int, int] = defaultdict(int)
    for row, one in zip(related_rows, related, strict=True):
        groups[row[-2]].append(one)
        totals[row[-2]] = row[-1]
    for row in rows:
        below = groups[row["id"]]
        if relation.many:
            row |= {name: below, f"{name}_total": totals[row["id"]]}
        else:
            row[name] = below[0] if below else None
    return related


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
    """The ids of the rows below each record, numbered, since a post may have thousands of comments."""
    place = func.row_number().over(partition_by=column, order_by=id).label("place")
    total = func.count().over(partition_by=column).label("total")
    statement = select(id, column.label("above"), place, total).where(*conditions)
    return statement.subquery("numbered")


def prune(rows: Rows, fields: Paths | None) -> Rows:
    """Reduce nested objects to the parts that paths such as `author.username` name."""
    names_by_head: dict[str, list[str]] = defaultdict(list)
    for path in fields or ():
        head, _, rest = path.partition(".")
        if rest and head not in (fields or ()):
            names_by_head[head].append(rest)
    for head, names in names_by_head.items():
        for row in rows:
            value = row.get(head)
            if isinstance(value, list):
                row[head] = [_part(one, tuple(names)) for one in value]
            elif value is not None:
                row[head] = _part(value, tuple(names))
    return rows


def _part(value: dict[str, Any], names: Paths) -> dict[str, Any]:
    """The named parts; the small object of a hidden record lacks some of them."""
    part = {name: value[name] for name in heads(names) if name in value}
    totals = ((f"{name}_total", value.get(f"{name}_total")) for name in part)
    part |= {name: total for name, total in totals if total is not None}
    return prune([part], names)[0]
