"""Total post views per day, one row for each day."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, insert, literal, select, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Count
from quire.store.db import Model, transaction
from quire.store.transactions.advisory_locks import advisory_lock


class DailyViews(Model):
    """The views of one day (UTC, `2026-11-29`)."""

    __tablename__ = "daily_views"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    views: Mapped[Count]


_rows: Any = DailyViews.__table__


def add_views(number: int, moment: datetime | None = None) -> None:
    """Add to the views of a day, today's by default, in the open transaction if there is one."""
    day = f"{moment or now():%Y-%m-%d}"
    added = update(_rows).where(_rows.c.day == day).values(views=_rows.c.views + number)
    with transaction() as connection:
        advisory_lock("daily views")
        if not connection.execute(added).rowcount:
            connection.execute(insert(_rows).values(day=day, views=number))


def views_since(day: str, kind: str) -> Select[Any]:
    """A SELECT of `kind`, the day and its views, from this day on."""
    return select(literal(kind), _rows.c.day, _rows.c.views).where(_rows.c.day >= day)
