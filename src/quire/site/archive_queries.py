"""Counts the published posts of each month."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import func, select

from quire.actor import ANONYMOUS
from quire.declare.clock import rfc3339
from quire.declare.record import REGISTRY
from quire.declare.rules import rule_params
from quire.declare.sql_functions import time_text
from quire.store.cache import cached_until_commit
from quire.store.db import read_connection
from quire.store.lists import block_cache
from quire.store.lists.id_blocks import BlockQuery, block_column, in_part
from quire.store.read import visible

KEY = "posts by month"


class Month(NamedTuple):
    """A month in UTC, the number of its posts, and the last change of one of them."""

    year: int
    month: int
    posts: int
    changed: str


def posts_by_month() -> list[Month]:
    """Months with published posts, newest first."""
    return cached_until_commit(KEY, _count_posts)


def _count_posts() -> list[Month]:
    with read_connection() as connection:
        blocks = block_cache.read_or_keep(connection, KEY, _block_query(), rule_params(ANONYMOUS))
    months: dict[str, tuple[int, str]] = {}
    for rows in blocks.values():
        for month, posts, changed in rows:
            before = months.get(month, (0, ""))
            months[month] = before[0] + posts, max(before[1], changed)
    return [
        Month(int(month[:4]), int(month[5:]), *counted)
        for month, counted in sorted(months.items(), reverse=True)
    ]


@cache
def _block_query() -> BlockQuery:
    posts = REGISTRY["posts"]
    month = func.substr(time_text(posts.table.c.published_at), 1, 7).label("month")
    block, newest = block_column(posts), func.max(posts.table.c.updated_at)
    rows = select(block, month, func.count(), newest).where(visible(posts, ANONYMOUS))
    every = rows.group_by(block, month)
    return BlockQuery(posts, every, in_part(every, posts), _months)


def _months(rows: list[Any]) -> list[Any]:
    return [(month, number, rfc3339(newest)) for month, number, newest in rows]
