"""Counts the visible records of a list for each value of a field."""

from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, null, select

from quire.actor import Actor
from quire.declare.collation import sort_key
from quire.declare.fields import Field
from quire.declare.grouping import PERIODS, Grouping
from quire.declare.query import Query, QueryShape
from quire.declare.record import Record, record_of
from quire.declare.reference_rules import index_by_id
from quire.store.db import read_connection
from quire.store.lists.conditions import expression
from quire.store.lists.index_hints import has_narrow
from quire.store.lists.statements import MAX_PLANS, visible_rows
from quire.store.read import count_rows, query_params

Group = dict[str, Any]
MAX_GROUPS = 1000
"""The maximum number of groups, since titles and ids have as many as there are rows: the largest, or the latest periods."""


def count_groups(
    record: Record, actor: Actor, query: Query, grouping: Grouping
) -> tuple[list[Group], int]:
    """The groups of the records that `query` selects and `actor` may see, and the number of these records.

    A group has the `key` of its records as responses show it, a `label` for people, and a `count`.
    A record with several values, such as tags, is in several groups; one without a value is in the
    group of the key None.
    """
    statement = _statement(record, record.cache_key_actor(actor), query.shape, grouping)
    values = query_params(actor, query)
    with read_connection() as connection:
        total = count_rows(connection, record, actor, query, values)
        rows = connection.execute(statement, values).all()
    groups = [_group(record, grouping, *row) for row in rows]
    return groups if grouping.period else sorted(groups, key=_order_of), total


@lru_cache(MAX_PLANS)
def _statement(record: Record, actor: Actor, shape: QueryShape, grouping: Grouping) -> Select[Any]:
    """The statement for key, title of the record that the key refers to, and size of each group."""
    field = grouping.fields(record)[1]
    keys = _keys(record, grouping).where(*visible_rows(record, actor, shape))
    index = None if has_narrow(record, shape.conditions) else index_by_id(record.table)
    if index is not None:
        keys = keys.with_hint(record.table, f"INDEXED BY {index}", "sqlite")
    rows = keys.subquery("rows")
    number = func.count().label("number")
    totals = select(rows.c.key, null(), number).group_by(rows.c.key).limit(MAX_GROUPS)
    if grouping.period:
        return totals.order_by(rows.c.key.desc().nulls_last())
    groups = totals.order_by(number.desc(), rows.c.key).subquery("groups")
    label_column = field.kind.column_out(groups.c.key)
    if field.target is None:
        return select(label_column, null(), groups.c.number)
    target = record_of(field.target)
    with_labels = groups.outerjoin(target.table, target.table.c.id == groups.c.key)
    return select(label_column, target.table.c[_title(target)], groups.c.number).select_from(
        with_labels
    )


def _keys(record: Record, grouping: Grouping) -> Select[Any]:
    """The key of each row, or one row for each of its values."""
    own, field = grouping.fields(record)
    source, key = record.table, expression(field)
    if own.many is not None:
        link = own.many.table
        source, key = (
            source.outerjoin(link, link.c.source_id == record.table.c.id),
            link.c.target_id,
        )
    if field is not own:
        target = record_of(own.target or "").table
        reference = key if own.many is not None else own.column
        source = source.outerjoin(target, target.c.id == reference)
        key = expression(field)
    if grouping.period:
        key = func.substr(field.kind.column_out(key), 1, PERIODS[grouping.period])
    return select(key.label("key")).select_from(source)


def _title(target: Record) -> str:
    """The field that names a record in references."""
    return target.title_field if target.title_field in target.reference_fields else "id"


def _group(record: Record, grouping: Grouping, key: Any, title: Any, number: int) -> Group:
    field = grouping.fields(record)[1]
    if key is not None and field.kind.name == "decimal":
        key = field.kind.value_out(key)
    return {"key": key, "label": _label(grouping, field, key, title), "count": number}


def _label(grouping: Grouping, field: Field, key: Any, title: Any) -> str:
    if key is None:
        return "None"
    if grouping.period:
        return _period_label(grouping.period, key)
    if isinstance(key, bool):
        return "Yes" if key else "No"
    if field.choices:
        return str(key).replace("_", " ").capitalize()
    return str(key if title is None else title)


def _period_label(period: str, key: str) -> str:
    """`2026`, `January 2026`, `31 January 2026`."""
    if period == "year":
        return key
    day = date.fromisoformat(key if period == "day" else f"{key}-01")
    month = f"{day:%B} {key[:4]}"
    return month if period == "month" else f"{day.day} {month}"


def _order_of(group: Group) -> Any:
    """The sort key: largest groups first, then by label."""
    key = group["key"]
    return -group["count"], key is None, sort_key(group["label"]), str(key)
