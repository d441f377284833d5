"""Counts the published posts of each month."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from quire.actor import ANONYMOUS
from quire.declare.clock import rfc3339
from quire.declare.record import REGISTRY
from quire.declare.rules import rule_params
from quire.declare.sql_functions import time_text
from quire.store.cache import cached_until_commit
from quire.store.db import read_connection
from quire.store.read import visible


class Month(NamedTuple):
    """A month in UTC, the number of its posts, and the last change of one of them."""

    year: int
    month: int
    posts: int
    changed: str


def posts_by_month() -> list[Month]:
    """Months with published posts, newest first."""
    return cached_until_commit("posts by month", _cached_counts)


def _cached_counts() -> list[Month]:
    with read_connection() as connection:
        rows = connection.execute(_count_statement(), rule_params(ANONYMOUS)).all()
    return [Month(int(at[:4]), int(at[5:]), number, rfc3339(last)) for at, number, last in rows]


@cache
def _count_statement() -> Select[Any]:
    posts = REGISTRY["posts"]
    month = func.substr(time_text(posts.table.c.published_at), 1, 7).label("month")
    newest = func.max(posts.table.c.updated_at)
    rows = select(month, func.count(), newest).where(visible(posts, ANONYMOUS))
    return rows.group_by(month).order_by(month.desc())
