"""Draft, scheduled, published, archived, trashed: defined once, in SQL, and used everywhere.

Nothing runs at a scheduled time: each read compares it with the current time.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import CompoundSelect, and_, case, func, or_, select, true, union_all
from sqlalchemy.sql.elements import ColumnElement

from quire.declare.action import Action
from quire.declare.change import Change
from quire.declare.fields import Computed
from quire.declare.record import REGISTRY, Record
from quire.declare.reference_rules import index_by_id
from quire.declare.rules import Rule
from quire.declare.sql_functions import NOW
from quire.declare.value_kinds import COUNT, TIME
from quire.errors import Conflict
from quire.translations.messages import Message

STATUSES = ("draft", "scheduled", "published", "archived", "trashed")


def live_condition(columns: Any) -> ColumnElement[bool]:
    """Return the condition for rows that readers can see now, by the columns of their table."""
    parts = [columns.published_at <= NOW]
    if "unpublish_at" in columns:
        parts.append(or_(columns.unpublish_at.is_(None), columns.unpublish_at > NOW))
    if "deleted_at" in columns:
        parts.append(columns.deleted_at.is_(None))
    return and_(*parts)


def status(columns: Any) -> ColumnElement[str]:
    """Return a word of STATUSES for each row."""
    steps: list[Any] = []
    if "deleted_at" in columns:
        steps.append((columns.deleted_at.is_not(None), "trashed"))
    steps += [(columns.published_at.is_(None), "draft"), (columns.published_at > NOW, "scheduled")]
    if "unpublish_at" in columns:
        steps.append((columns.unpublish_at <= NOW, "archived"))
    return case(*steps, else_="published")


def is_live(columns: Any) -> ColumnElement[bool]:
    """Return whether each row is live, as a column."""
    return case((live_condition(columns), True), else_=False)


def live_references(name: str, path: str, by: str, table: Any) -> Computed:
    """Declare the field `name`: how many live records of the type `path` refer to each row of `table` by their field
    `by`.

    The number is the same for everyone, so it reveals no drafts.
    """
    return Computed(
        name,
        lambda: _count_live(path, by, table),
        COUNT,
        counter=True,
        on_request=True,
        up_to=lambda limit: _count_live_up_to(limit, path, by, table),
    )


def _count_live(path: str, by: str, table: Any) -> ColumnElement[int]:
    """The ids of records that are not live are collected once for all rows: looking up each takes much longer."""
    record = REGISTRY[path]
    columns, id, target = _references(record, by)
    not_live = _not_live_ids(record.table.alias().c)
    is_live = id.not_in(not_live) if columns is None else live_condition(columns)
    count = select(func.count()).select_from(id.table).where(target == table.c.id, is_live)
    return count.correlate(table).scalar_subquery()


def _count_live_up_to(limit: int, path: str, by: str, table: Any) -> ColumnElement[int]:
    """Each referring record is looked up until `limit` are counted, so the cost does not grow with their number."""
    record = REGISTRY[path]
    columns, id, target = _references(record, by)
    is_live = _is_live_by_id(record.table, id) if columns is None else live_condition(columns)
    found = select(id).where(target == table.c.id, is_live).limit(limit)
    counted = found.correlate(table).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()


def _is_live_by_id(table: Any, id: Any) -> ColumnElement[bool]:
    """Return whether the row with this id is live, as a value, which no database joins in an order of its own."""
    live = select(true()).where(table.c.id == id, live_condition(table.c)).correlate_except(table)
    index = index_by_id(table)
    hint = f"INDEXED BY {index}" if index else "NOT INDEXED"
    return live.with_hint(table, hint, "sqlite").scalar_subquery()


def _references(record: Record, by: str) -> tuple[Any, Any, Any]:
    """Return columns that tell which references of a field are live, None if only the record does; its id; the
    target.
    """
    many = record.field(by).many
    if many is None:
        referring = record.table.alias()
        return None, referring.c.id, referring.c[record.field(by).column.key]
    link = many.table.c
    return link if "published_at" in link else None, link.source_id, link.target_id


def _not_live_ids(columns: Any) -> CompoundSelect[Any]:
    """Return the ids of all rows that readers cannot see now, some twice: each part uses an index."""
    parts = [columns.published_at.is_(None), columns.published_at > NOW]
    if "unpublish_at" in columns:
        parts.append(columns.unpublish_at <= NOW)
    if "deleted_at" in columns:
        parts.append(columns.deleted_at.is_not(None))
    return union_all(*(select(columns.id).where(part) for part in parts))


def apply_published_flag(change: Change) -> None:
    """Apply `"published": true | false`, the shorthand for a date; refuse contradictions."""
    published = change.pop("published")
    if published is None:
        return
    if change.changes("published_at") or (change.state is None and "published_at" in change.values):
        at = change["published_at"]
        if published != (at is not None and at <= change.time):
            change.refuse("published", "not_allowed", "Published contradicts published_at.")
    elif published:
        publish_now(change)
    else:
        change.set(published_at=None)


def publish_now(change: Change) -> None:
    """Publish now, unless it is published; an end that has passed no longer counts."""
    if change.before("status") == "published":
        return
    change.set(published_at=change.moment)
    _clear_past_end(change, change.time)


def _clear_past_end(change: Change, start: str) -> None:
    ends = change.before("unpublish_at")
    if ends and ends <= start:
        change.set(unpublish_at=None)


def publish(change: Change) -> None:
    """Publish it now, or at the time given by `at` or by its draft."""
    draft_time = change.pop("published_at")
    at = change.pop("at") or draft_time
    if at is None:
        publish_now(change)
    else:
        change.set(published_at=at)
        _clear_past_end(change, change["published_at"])


def unpublish(change: Change) -> None:
    """Turn it back into a draft."""
    if change.before("published_at") is None:
        raise Conflict(
            Message("This %(noun)s is already a draft.", noun=Message(change.record.noun))
        )
    change.set(published_at=None)


def restore(change: Change) -> None:
    """Restore it from the trash."""
    if change.before("deleted_at") is None:
        raise Conflict(
            Message("This %(noun)s is not in the trash.", noun=Message(change.record.noun))
        )
    change.set(deleted_at=None)


def not_in_status(status: str) -> Callable[[dict[str, Any]], bool]:
    """A function for `available`: false for records that have that status already."""
    return lambda state: state.get("status") != status


def publication_actions(allow: Rule) -> list[Action]:
    """Publish (with an optional `at`) and unpublish."""
    return [
        Action(
            "publish",
            publish,
            allow,
            inputs=(("at", TIME),),
            takes_draft=True,
            available=not_in_status("published"),
        ),
        Action("unpublish", unpublish, allow, available=not_in_status("draft")),
    ]


def restore_action(allow: Rule) -> Action:
    """Back from the trash."""
    return Action("restore", restore, allow, in_trash=True)
