"""The archive: all months in which something was published, and the posts of one."""

from datetime import UTC, datetime
from itertools import groupby

from flask import Response

from quire.declare.query import Condition
from quire.errors import Missing
from quire.site.looks import show
from quire.site.reading import posts_with
from quire.store.months import posts_by_month


def archive() -> Response:
    """Years with their months."""
    years = [(year, list(rows)) for year, rows in groupby(posts_by_month(), lambda one: one.year)]
    return show("archive.html", years=years)


def month(year: int, month: int) -> Response:
    """The posts of a month; months without any are no pages."""
    if (year, month) not in {one[:2] for one in posts_by_month()}:
        raise Missing("Nothing was published in this month.")
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    where = (
        Condition("published_at", "gte", (_start(year, month),)),
        Condition("published_at", "lt", (_start(*after),)),
    )
    return posts_with("month.html", where, year=year, month=month)


def _start(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)
