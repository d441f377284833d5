"""How many posts were published in each month, as the public sees it."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from quire.actor import ANONYMOUS
from quire.declare.clock import rfc3339
from quire.declare.record import REGISTRY
from quire.declare.sql import time_text
from quire.store.db import reading
from quire.store.lasting import lasting
from quire.store.read import bound, visible


class Month(NamedTuple):
    """A month in UTC, the number of its posts, and when one of them was changed last."""

    year: int
    month: int
    posts: int
    changed: str


def posts_by_month() -> list[Month]:
    """Months in which something was published, newest first."""
    return lasting("posts by month", _counted)


def _counted() -> list[Month]:
    with reading() as connection:
        rows = connection.execute(_counting(), bound(ANONYMOUS)).all()
    return [Month(int(at[:4]), int(at[5:]), number, rfc3339(last)) for at, number, last in rows]


@cache
def _counting() -> Select[Any]:
    posts = REGISTRY["posts"]
    month = func.substr(time_text(posts.table.c.published_at), 1, 7).label("month")
    newest = func.max(posts.table.c.updated_at)
    rows = select(month, func.count(), newest).where(visible(posts, ANONYMOUS))
    return rows.group_by(month).order_by(month.desc())
