"""Counts for the dashboard: records in each state, and on each day."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from quire.actor import Actor
from quire.admin.dashboard.chart import Day
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions
from quire.declare.sql_functions import time_text
from quire.store.conditions import expression
from quire.store.db import read_connection
from quire.store.read import rule_params

DAYS = 30
MOST_COUNTED = 1000
"""Records of one author that are counted."""


def _visible_rows(record: Record, actor: Actor, *columns: Any) -> Select[Any]:
    """A SELECT over the rows that the actor sees in the panel, without the trash."""
    statement = select(*columns).select_from(record.table)
    statement = statement.where(*row_conditions(record.allows(actor, "panel")))
    if record.has_trash:
        statement = statement.where(record.table.c.deleted_at.is_(None))
    return statement


def _counts(statement: Select[Any], actor: Actor, **values: Any) -> dict[Any, int]:
    with read_connection() as connection:
        rows = connection.execute(statement, {**rule_params(actor), **values})
        return dict(rows.all())


def by_status(record: Record, actor: Actor) -> dict[str, int]:
    """How many records are in each state."""
    status = expression(record.field("status")).label("status")
    return _counts(_visible_rows(record, actor, status, func.count()).group_by(status), actor)


def statuses_by(record: Record, actor: Actor, field: Field, id: int) -> dict[str, int]:
    """How many records of one author, say, are in each state, counted among the latest."""
    status = expression(record.field("status")).label("status")
    latest = _visible_rows(record, actor, status).where(record.table.c[field.column.key] == id)
    rows = latest.order_by(record.table.c.id.desc()).limit(MOST_COUNTED).subquery()
    return _counts(select(rows.c.status, func.count()).group_by(rows.c.status), actor)


def total(record: Record, actor: Actor) -> int:
    """How many records there are."""
    with read_connection() as connection:
        statement = _visible_rows(record, actor, func.count())
        return int(connection.execute(statement, rule_params(actor)).scalar_one())


def _by_day(record: Record, actor: Actor, since: datetime) -> dict[str, int]:
    created_at = record.table.c.created_at
    day = func.substr(time_text(created_at), 1, 10).label("day")
    statement = (
        _visible_rows(record, actor, day, func.count()).where(created_at >= since).group_by(day)
    )
    return _counts(statement, actor)


def last_days(actor: Actor) -> list[Day]:
    """Posts and comments of each of the last DAYS days, oldest first."""
    today = now()
    since = (today - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0)
    posts = _by_day(REGISTRY["posts"], actor, since)
    comments = _by_day(REGISTRY["comments"], actor, since)
    days: list[date] = [(since + timedelta(days=n)).date() for n in range(DAYS)]
    return [Day(one, posts.get(str(one), 0), comments.get(str(one), 0)) for one in days]
