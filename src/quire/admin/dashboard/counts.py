"""Counts for the dashboard, all in one statement: what is waiting, and what was added on each day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, literal, select, union, union_all

from quire.actor import Actor
from quire.admin.dashboard.chart import Day
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.query_conditions import ConditionShape
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions, rule_params
from quire.declare.sql_functions import time_text
from quire.records.deliveries import FAILED
from quire.store.daily_views import views_since
from quire.store.db import read_connection
from quire.store.events import queue_admin
from quire.store.lists.conditions import expression
from quire.store.lists.index_hints import hint_at_condition, hint_by_id

DAYS = 30
LATELY = timedelta(days=7)
"""How long a failure is reported."""
MAX_COUNTED = 1000
"""The maximum number of rows of one kind that are counted; above it, no exact number is needed."""
MAX_COMPARED = 100
"""The maximum number of drafts, of posts with a date and of changes among which the last ones are found."""
SERIES = ("posts", "comments", "users")
"""Types whose new records are counted by day."""
VIEWS = "views"


@dataclass(frozen=True)
class HomeCounts:
    """`numbers` by kind, at most MAX_COUNTED + 1 each; `days` are the last DAYS, the oldest first."""

    numbers: dict[str, int]
    days: list[Day]


def _in_panel(path: str, actor: Actor) -> Record | None:
    record = REGISTRY[path]
    return record if record.allows(actor, "panel") is not False else None


def _visible_rows(record: Record, actor: Actor, *columns: Any) -> Select[Any]:
    """A SELECT of the rows that the actor sees in the panel, without the trash."""
    statement = select(*columns).select_from(record.table)
    statement = statement.where(*row_conditions(record.allows(actor, "panel")))
    if record.has_trash:
        statement = statement.where(record.table.c.deleted_at.is_(None))
    return statement


def _in_state(record: Record, actor: Actor, word: str) -> Select[Any]:
    status = expression(record.field("status"))
    return _visible_rows(record, actor, record.table.c.id).where(status == word)


def _own_drafts(posts: Record, actor: Actor) -> Select[Any]:
    """SQLite gets a hint where to find the drafts of one author: it cannot know how few there are."""
    columns = posts.table.c
    mine = _in_state(posts, actor, "draft").where(columns.author_id == actor.user_id)
    drafts = mine.where(columns.published_at.is_(None))
    return drafts.with_hint(posts.table, "INDEXED BY ix_posts_author_id", "sqlite")


def latest_own_posts(posts: Record, actor: Actor, limit: int) -> Sequence[Any]:
    """The user's own posts that were changed last, among the newest drafts, the latest dates and everyone's last
    changes.

    An index has the posts of an author by date only; sorting by change would read them all.
    """
    columns = posts.table.c
    own = _visible_rows(posts, actor, columns.id, columns.updated_at)
    own = own.where(columns.author_id == actor.user_id)
    mine = own.with_hint(posts.table, "INDEXED BY ix_posts_author_id", "sqlite")
    drafts = mine.where(columns.published_at.is_(None)).order_by(columns.id.desc())
    dated = mine.where(columns.published_at.is_not(None)).order_by(columns.published_at.desc())
    newest = (select(one.limit(MAX_COMPARED).subquery()) for one in (drafts, dated))
    changed = own.where(columns.id.in_(_changed_last(posts.table)))
    changed = changed.with_hint(posts.table, "NOT INDEXED", "sqlite")
    compared = union(*newest, changed).subquery()
    order = compared.c.updated_at.desc(), compared.c.id.desc()
    latest = select(compared.c.id).order_by(*order).limit(limit)
    status = expression(posts.field("status")).label("status")
    shown = select(
        columns.id, columns.title, time_text(columns.updated_at).label("updated_at"), status
    )
    statement = shown.where(columns.id.in_(latest)).order_by(
        columns.updated_at.desc(), columns.id.desc()
    )
    statement = statement.with_hint(posts.table, hint_by_id(posts.table), "sqlite")
    with read_connection() as connection:
        return connection.execute(statement, rule_params(actor)).mappings().all()


def _changed_last(table: Any) -> Select[Any]:
    """The ids of everyone's last changes: an old post is not among the newest of a prolific author."""
    changed = table.alias("changed")
    latest = select(changed.c.id).order_by(changed.c.updated_at.desc()).limit(MAX_COMPARED)
    return select(latest.subquery().c.id)


def statuses_by(record: Record, actor: Actor, field: Field, id: int) -> dict[str, int]:
    """How many records, of one author for example, are in each state, counted among the latest."""
    status = expression(record.field("status")).label("status")
    latest = _visible_rows(record, actor, status).where(record.table.c[field.column.key] == id)
    rows = latest.order_by(record.table.c.id.desc()).limit(MAX_COUNTED).subquery()
    statement = select(rows.c.status, func.count()).group_by(rows.c.status)
    with read_connection() as connection:
        return dict(connection.execute(statement, rule_params(actor)).all())


def home_counts(actor: Actor) -> HomeCounts:
    """All numbers of the dashboard that this actor may see."""
    today = now()
    since = (today - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0)
    kinds = [
        *(_number(kind, rows) for kind, rows in _kinds(actor, today)),
        *(_by_day(record, actor, since) for name in SERIES if (record := _in_panel(name, actor))),
    ]
    if sees_views(actor):
        kinds.append(views_since(f"{since:%Y-%m-%d}", VIEWS))
    with read_connection() as connection:
        found = connection.execute(union_all(*kinds), {**rule_params(actor), "now": today}).all()
    counts = {(kind, day): number for kind, day, number in found}
    days: list[date] = [(since + timedelta(days=n)).date() for n in range(DAYS)]
    return HomeCounts(
        {kind: number for kind, day, number in found if not day},
        [Day(one, *(counts.get((name, str(one)), 0) for name in (*SERIES, VIEWS))) for one in days],
    )


def sees_views(actor: Actor) -> bool:
    """Whether the actor is shown how often everyone's posts are read."""
    return actor.at_least("moderator")


def _kinds(actor: Actor, today: datetime) -> Iterator[tuple[str, Select[Any]]]:
    """What is counted, as SELECTs of ids."""
    for record in REGISTRY.values():
        if record.moderation is not None and _in_panel(record.path, actor):
            yield record.path, _in_state(record, actor, record.moderation.waiting)
    if posts := _in_panel("posts", actor):
        columns = posts.table.c
        yield "any_post", _visible_rows(posts, actor, columns.id)
        yield "draft", _own_drafts(posts, actor)
        # a scheduled post is listed at the time when it will be published
        yield "scheduled", _in_state(posts, actor, "scheduled").where(columns.sorted_at > today)
    if deliveries := _in_panel("deliveries", actor):
        lately = deliveries.table.c.created_at > today - LATELY
        yield "deliveries", _in_state(deliveries, actor, FAILED).where(lately)
    if actor.at_least("admin"):
        yield "jobs", queue_admin.failed_rows()


def _number(kind: str, rows: Select[Any]) -> Select[Any]:
    counted = rows.limit(MAX_COUNTED + 1).subquery()
    columns: tuple[Any, ...] = (literal(kind), literal(""), func.count())
    return select(*columns).select_from(counted)


def _by_day(record: Record, actor: Actor, since: datetime) -> Select[Any]:
    created_at = record.table.c.created_at
    day = func.substr(time_text(created_at), 1, 10)
    rows = _visible_rows(record, actor, literal(record.path), day, func.count())
    rows = rows.where(created_at >= since).group_by(day)
    hint = hint_at_condition(record, [ConditionShape("created_at", "gte", 1)])
    return rows.with_hint(record.table, hint, "sqlite")
