"""The archive: all months with posts, and the posts of one month."""

from datetime import UTC, datetime
from itertools import groupby

from flask import Response

from quire.declare.query_conditions import Condition
from quire.errors import NotFound
from quire.records import POSTS
from quire.site.archive_queries import posts_by_month
from quire.site.content import post_list_page
from quire.site.page import render_page
from quire.web.caching import note_shown


def archive() -> Response:
    """The years with their months."""
    note_shown(POSTS)
    years = [(year, list(rows)) for year, rows in groupby(posts_by_month(), lambda one: one.year)]
    return render_page("archive.html", years=years)


def month(year: int, month: int) -> Response:
    """The posts of a month. Raises NotFound if it has none."""
    if (year, month) not in {one[:2] for one in posts_by_month()}:
        raise NotFound("Nothing was published in this month.")
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    where = (
        Condition("published_at", "gte", (_start(year, month),)),
        Condition("published_at", "lt", (_start(*after),)),
    )
    return post_list_page("month.html", where, year=year, month=month)


def _start(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)
