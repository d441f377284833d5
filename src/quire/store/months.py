"""How many posts were published in each month, as the public sees it."""

from functools import cache
from typing import Any

from sqlalchemy import Select, func, select

from quire.actor import ANONYMOUS
from quire.declare.record import REGISTRY
from quire.declare.sql import time_text
from quire.store.db import reading
from quire.store.lasting import lasting
from quire.store.read import bound, visible


def posts_by_month() -> list[tuple[int, int, int]]:
    """Year, month and number of posts, newest first; months in UTC."""
    return lasting("posts by month", _counted)


def _counted() -> list[tuple[int, int, int]]:
    with reading() as connection:
        rows = connection.execute(_counting(), bound(ANONYMOUS)).all()
    return [(int(month[:4]), int(month[5:]), count) for month, count in rows]


@cache
def _counting() -> Select[Any]:
    posts = REGISTRY["posts"]
    month = func.substr(time_text(posts.table.c.published_at), 1, 7).label("month")
    rows = select(month, func.count()).where(visible(posts, ANONYMOUS))
    return rows.group_by(month).order_by(month.desc())
