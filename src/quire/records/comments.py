"""Comments: what readers write below posts."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Index, and_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import SYSTEM, Actor
from quire.declare.action import Action, Moderation
from quire.declare.change import Change, actor_id
from quire.declare.clock import now
from quire.declare.column_types import Html, Name, Prose, Time, choice
from quire.declare.fields import Editable, Fixed, Shown
from quire.declare.markdown import render_before_transaction, render_comment, render_field
from quire.declare.mixins import HasId, Timestamped, Versioned, table_args
from quire.declare.publication import live_condition, not_in_status, restore_action
from quire.declare.query import Query
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.reference_rules import via
from quire.declare.references import Ref, reference
from quire.declare.rules import NOBODY, SIGNED_IN, all_of, any_of, owner, role, where
from quire.declare.value_kinds import time_from_text
from quire.errors import Conflict, PermissionDenied
from quire.records.site_settings import ONLY_ROW
from quire.security.quotas import consume
from quire.store.connections.prepared_statements import Prepared
from quire.store.counters import increment
from quire.store.db import Model, read_connection
from quire.store.read import get_record
from quire.translations.messages import Message


class Comment(HasId, Timestamped, Versioned, Model):
    """A reader's comment on a post."""

    __tablename__ = "comments"
    __table_args__ = table_args(
        Index("ix_comments_below", "post_id", "status", "deleted_at"),
        # includes who may see a comment: a search yields ids, and the rows are long
        Index("ix_comments_visible", "id", "status", "deleted_at", "post_id", "author_id"),
        Index("ix_comments_created_at", "created_at"),
        # the moderation queue, newest first, and searches sorted by status
        Index("ix_comments_status", "status", "id", "deleted_at", "post_id", "author_id"),
    )

    post_id: Mapped[Ref] = reference("posts", on_delete="CASCADE")
    parent_id: Mapped[Ref | None] = reference("comments", on_delete="SET NULL", index=True)
    author_id: Mapped[Ref | None] = reference("users", on_delete="SET NULL", index=True)
    author_name: Mapped[Name] = mapped_column(default="")
    body: Mapped[Prose]
    body_html: Mapped[Html]
    status: Mapped[str] = choice("pending", "approved", "spam")
    deleted_at: Mapped[Time | None]
    told_at: Mapped[Time | None]


_comments = Comment.__table__.c

OWN = owner(_comments.author_id)
NOT_TRASHED = where(lambda: _comments.deleted_at.is_(None), "that it is not in the trash")
TRASHED = where(lambda: _comments.deleted_at.is_not(None), "that it is in the trash")
APPROVED = where(
    lambda: and_(_comments.status == "approved", _comments.deleted_at.is_(None)),
    "that it is approved",
)
BELOW_OWN_POST = via(_comments.post_id, "posts", "update")
ON_OWN_POST = all_of(BELOW_OWN_POST, NOT_TRASHED)
# a comment shows the title of its post, so users who may not see the post may not see the comment
BELOW_VISIBLE = via(_comments.post_id, "posts", "read")
WRITER = any_of(all_of(OWN, BELOW_VISIBLE), role("moderator"))
MODERATOR_OF_POST = any_of(ON_OWN_POST, role("moderator"))
COMMENT_SETTINGS = ("comments", "comments_close_after_days")
"""Settings that apply to new comments."""


def before_save(change: Change) -> None:
    """Render the HTML, and check a new comment (are comments open, is it moderated?) and the edit window."""
    render_field(change)
    if change.verb == "create" and change.actor.is_system:
        change.set(told_at=change.moment)  # no email about imported comments
    elif change.verb == "create":
        _check_new_comment(change)
    if (
        change.verb == "update"
        and change.changes("body")
        and not change.actor.at_least("moderator")
    ):
        _check_edit_window(change)
    change.after_save(lambda state: _count(change, state))


def _count(change: Change, state: dict[str, Any] | None) -> None:
    """Store the number of approved comments with the post: lists would otherwise count them on each read."""
    more = _is_counted(state) - _is_counted(change.state)
    if more:
        increment("posts", (state or change.state or {})["post"]["id"], "comment_count", more)


def _is_counted(state: dict[str, Any] | None) -> int:
    return int(state is not None and state["status"] == "approved" and state["deleted_at"] is None)


def _check_new_comment(change: Change) -> None:
    with read_connection() as connection:
        [row] = _comment_settings()(connection, {"id": change["post"], "now": now()})
    rule, days, is_open = row
    if rule == "closed" or not is_open or (days and _is_closed_by_age(change["post"], days)):
        raise Conflict("Comments are closed.", code="comments_closed")
    trusted = rule == "open" or change.actor.at_least("author")
    change.set(author_name=change.actor.username or "", status="approved" if trusted else "pending")
    if change["parent"] is not None:
        _check_parent(change)


@cache
def _comment_settings() -> Prepared:
    """Return the site's rules for comments, and whether a live post accepts them."""
    posts, settings = REGISTRY["posts"], REGISTRY["settings"]
    is_open = and_(posts.table.c.comments_open, live_condition(posts.table.c))
    site_rules = [select(settings.table.c[name]).scalar_subquery() for name in COMMENT_SETTINGS]
    live_id = posts.table.c.id == bindparam("id", type_=BigInteger)
    return Prepared(select(*site_rules, is_open).where(live_id))


def _is_closed_by_age(post: int, days: int) -> bool:
    state = get_record(REGISTRY["posts"], SYSTEM, post, Query(fields=("id", "published_at")))
    return are_comments_closed(state["published_at"], days)


def are_comments_closed(published_at: str | None, days: int) -> bool:
    """Whether comments on a post are closed because of its age; never if the limit is 0 days."""
    if not days or published_at is None:
        return False
    return bool(time_from_text(published_at) + timedelta(days=days) <= now())


def _check_edit_window(change: Change) -> None:
    """Allow authors to edit their comments for a limited time. Raises PermissionDenied."""
    minutes = get_record(REGISTRY["settings"], SYSTEM, ONLY_ROW)["comment_edit_minutes"]
    if is_edit_window_over(change["created_at"], minutes):
        raise PermissionDenied(
            Message(
                "You can only edit a comment for %(minutes)s minutes after posting it.",
                minutes=minutes,
            )
        )


def is_edit_window_over(created_at: str, minutes: int) -> bool:
    """Whether the time in which authors can edit a comment is over; never if the limit is 0 minutes."""
    end = editable_until(created_at, minutes)
    return end is not None and end <= now()


def editable_until(created_at: str, minutes: int) -> datetime | None:
    """Return the time until which its author can edit a comment, or None if there is no limit."""
    return time_from_text(created_at) + timedelta(minutes=minutes) if minutes else None


def _check_parent(change: Change) -> None:
    parent = get_record(
        REGISTRY["comments"], SYSTEM, change["parent"], Query(fields=("id", "post"))
    )
    if parent["post"]["id"] != change["post"]:
        change.refuse("parent", "not_allowed", "Parent must be a comment on the same post.")


def before_transaction(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """Render the HTML, and count the comment towards the readers' quota. Raises TooManyRequests."""
    if id is None and not actor.at_least("author"):
        consume("comment", f"account {actor.user_id}", actor)
    return render_before_transaction(actor, id, values, render_comment)


def approve(change: Change) -> None:
    """Show the comment to readers."""
    change.set(status="approved")


def spam(change: Change) -> None:
    """Mark the comment as spam, hidden from readers."""
    change.set(status="spam")


def pending(change: Change) -> None:
    """Return the comment to the moderation queue, hidden from readers."""
    change.set(status="pending")


COMMENTS = Record(
    Comment,
    path="comments",
    newest_first=True,
    fields=[
        Shown("id", sort=True, filter=True),
        Fixed("post", filter=True),
        Fixed("parent", filter=True),
        Shown("author", filter=True, default_from=actor_id),
        Shown("author_name"),
        Editable("body", search=True, rendering=render_comment),
        Shown("body_html", computed=True),
        Shown("status", filter=True, sort=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
        Shown("deleted_at", read_rule=TRASHED),
        Shown("told_at", read_rule=NOBODY, computed=True, label="Notification sent at"),
    ],
    access=Access(
        read=any_of(
            all_of(any_of(APPROVED, OWN), BELOW_VISIBLE),
            ON_OWN_POST,
            role("moderator"),
        ),
        create=SIGNED_IN,
        update=WRITER,
        delete=any_of(WRITER, BELOW_OWN_POST),
        permanent=role("moderator"),
        panel=MODERATOR_OF_POST,
    ),
    actions=[
        Action("approve", approve, MODERATOR_OF_POST, available=not_in_status("approved")),
        Action(
            "spam",
            spam,
            MODERATOR_OF_POST,
            title="Mark as spam",
            past="marked as spam",
            available=not_in_status("spam"),
        ),
        Action(
            "pending",
            pending,
            MODERATOR_OF_POST,
            title="Mark as pending",
            past="marked as pending",
            available=not_in_status("pending"),
        ),
        restore_action(WRITER),
    ],
    before_save=before_save,
    before_transaction=before_transaction,
    reference_fields=("id",),
    title_field="body",
    nested_under=("post",),
    moderation=Moderation(
        waiting="pending",
        accept="approve",
        reject="spam",
        undecide="pending",
        about="post",
        reply_to="parent",
        author="author",
        text="body",
        html="body_html",
    ),
    tabs=(("Needs review", "status=pending"),),
)
