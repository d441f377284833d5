"""Draft, scheduled, published, archived, trashed: one meaning, in SQL, used everywhere.

Nothing is switched on when its time comes: whether it has come is asked at each read.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_, case, or_
from sqlalchemy.sql.elements import ColumnElement

from quire.declare.change import Change
from quire.declare.record import Action
from quire.declare.rules import Rule
from quire.declare.sql import NOW
from quire.declare.values import TIME
from quire.errors import Conflict

STATUSES = ("draft", "scheduled", "published", "archived", "trashed")


def live(model: Any) -> ColumnElement[bool]:
    """The rows that readers see now."""
    parts = [model.published_at <= NOW]
    if hasattr(model, "unpublish_at"):
        parts.append(or_(model.unpublish_at.is_(None), model.unpublish_at > NOW))
    if hasattr(model, "deleted_at"):
        parts.append(model.deleted_at.is_(None))
    return and_(*parts)


def status(model: Any) -> ColumnElement[str]:
    """A word of STATUSES for each row."""
    steps: list[Any] = []
    if hasattr(model, "deleted_at"):
        steps.append((model.deleted_at.is_not(None), "trashed"))
    steps += [(model.published_at.is_(None), "draft"), (model.published_at > NOW, "scheduled")]
    if hasattr(model, "unpublish_at"):
        steps.append((model.unpublish_at <= NOW, "archived"))
    return case(*steps, else_="published")


def is_live(model: Any) -> ColumnElement[bool]:
    """Whether each row is live, as a column."""
    return case((live(model), True), else_=False)


def published_short(change: Change) -> None:
    """Understand `"published": true | false`, the short form of a date; refuse contradictions."""
    wanted = change.take("published")
    if wanted is None:
        return
    if change.gives("published_at") or (change.state is None and "published_at" in change.values):
        at = change["published_at"]
        if wanted != (at is not None and at <= change.time):
            change.refuse("published", "not_allowed", "Published contradicts published_at.")
    elif wanted:
        put_live(change)
    else:
        change.set(published_at=None)


def put_live(change: Change) -> None:
    """Publish now, unless it is published; an end that has passed no longer counts."""
    if change.before("status") == "published":
        return
    change.set(published_at=change.moment)
    _forget_end(change, change.time)


def _forget_end(change: Change, start: str) -> None:
    ends = change.before("unpublish_at")
    if ends and ends <= start:
        change.set(unpublish_at=None)


def publish(change: Change) -> None:
    """Put it before readers, now or at a later time: at `at`, or when its draft says."""
    drafted = change.take("published_at")
    at = change.take("at") or drafted
    if at is None:
        put_live(change)
    else:
        change.set(published_at=at)
        _forget_end(change, change["published_at"])


def unpublish(change: Change) -> None:
    """Make it a draft again."""
    if change.before("published_at") is None:
        raise Conflict(f"This {change.record.one.lower()} is a draft already.")
    change.set(published_at=None)


def restore(change: Change) -> None:
    """Take it out of the trash."""
    if change.before("deleted_at") is None:
        raise Conflict(f"This {change.record.one.lower()} is not in the trash.")
    change.set(deleted_at=None)


def unless(status: str) -> Callable[[dict[str, Any]], bool]:
    """For `fits`: of no use to what is in that state already."""
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
            fits=unless("published"),
        ),
        Action("unpublish", unpublish, allow, fits=unless("draft")),
    ]


def restore_action(allow: Rule) -> Action:
    """Back from the trash."""
    return Action("restore", restore, allow, in_trash=True)
