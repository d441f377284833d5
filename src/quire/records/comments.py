"""Comments: what readers say below a post."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Index, and_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import SYSTEM, Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.columns import Dated, Numbered, Ref, Versioned, refer, table_args
from quire.declare.fields import Editable, Fixed, Shown
from quire.declare.kinds import Html, Name, Prose, Time, choice
from quire.declare.markup import render, render_ahead
from quire.declare.publication import live, restore_action, unless
from quire.declare.query import Query
from quire.declare.record import REGISTRY, Access, Action, Record
from quire.declare.rules import NOBODY, SIGNED_IN, all_of, any_of, owner, role, where
from quire.declare.through import through
from quire.declare.values import time_from_text
from quire.errors import Conflict, Refused
from quire.store.budgets import spend
from quire.store.counters import count
from quire.store.db import Model, reading
from quire.store.prepared import Prepared
from quire.store.read import one
from quire.store.site import ONLY_ROW


class Comment(Numbered, Dated, Versioned, Model):
    """What a reader says below a post."""

    __tablename__ = "comments"
    __table_args__ = table_args(
        Index("ix_comments_below", "post_id", "status", "deleted_at"),
    )

    post_id: Mapped[Ref] = refer("posts", on_delete="CASCADE")
    parent_id: Mapped[Ref | None] = refer("comments", on_delete="SET NULL", index=True)
    author_id: Mapped[Ref | None] = refer("users", on_delete="SET NULL", index=True)
    author_name: Mapped[Name] = mapped_column(default="")
    body: Mapped[Prose]
    body_html: Mapped[Html]
    status: Mapped[str] = choice("pending", "approved", "spam")
    deleted_at: Mapped[Time | None]
    told_at: Mapped[Time | None]


OWN = owner(Comment.author_id)
KEPT = where(lambda: Comment.deleted_at.is_(None), "not to be in the trash")
TRASHED = where(lambda: Comment.deleted_at.is_not(None), "to be in the trash")
APPROVED = where(
    lambda: and_(Comment.status == "approved", Comment.deleted_at.is_(None)), "to be approved"
)
BELOW_OWN_POST = through(Comment.post_id, "posts", "update")
ON_OWN_POST = all_of(BELOW_OWN_POST, KEPT)
# a comment shows the title of its post: whoever may not see the post may not see that either
BELOW_VISIBLE = through(Comment.post_id, "posts", "read")
WRITER = any_of(all_of(OWN, BELOW_VISIBLE), role("moderator"))
HOST = any_of(ON_OWN_POST, role("moderator"))
HOUSE_RULES = ("comments", "comments_close_after_days")
"""Settings that decide about new comments."""


def prepare(change: Change) -> None:
    """HTML; for a new comment: may it be said here, and must it wait? For another text: in time?"""
    render(change)
    if change.verb == "create" and change.actor.is_system:
        change.set(told_at=change.moment)  # no mail about what an import brings
    elif change.verb == "create":
        _receive(change)
    if change.verb == "update" and change.gives("body") and not change.actor.at_least("moderator"):
        _check_time(change)
    change.afterwards(lambda state: _count(change, state))


def _count(change: Change, state: dict[str, Any] | None) -> None:
    """Keep the number of approved comments beside the post: lists would count it at each read."""
    more = _is_counted(state) - _is_counted(change.state)
    if more:
        count("posts", (state or change.state or {})["post"]["id"], "comment_count", more)


def _is_counted(state: dict[str, Any] | None) -> int:
    return int(state is not None and state["status"] == "approved" and state["deleted_at"] is None)


def _receive(change: Change) -> None:
    with reading() as connection:
        found = _house_rules()(connection, {"id": change["post"], "now": now()}).one()
    rule, days, is_open = found
    if rule == "closed" or not is_open or (days and _is_over(change["post"], days)):
        raise Conflict("Comments are closed here.", code="comments_closed")
    trusted = rule == "open" or change.actor.at_least("author")
    change.set(author_name=change.actor.username or "", status="approved" if trusted else "pending")
    if change["parent"] is not None:
        _check_parent(change)


@cache
def _house_rules() -> Prepared:
    """The site's rules for comments, and whether a post is live and takes them."""
    posts, settings = REGISTRY["posts"], REGISTRY["settings"]
    is_open = and_(posts.table.c.comments_open, live(posts.model))
    house = [select(settings.table.c[name]).scalar_subquery() for name in HOUSE_RULES]
    live_id = posts.table.c.id == bindparam("id", type_=BigInteger)
    return Prepared(select(*house, is_open).where(live_id))


def _is_over(post: int, days: int) -> bool:
    found = one(REGISTRY["posts"], SYSTEM, post, Query(fields=("id", "published_at")))
    return is_past(found["published_at"], days)


def is_past(published_at: str | None, days: int) -> bool:
    """Whether a post is so old that its comments are closed; 0 days close none."""
    if not days or published_at is None:
        return False
    return bool(time_from_text(published_at) + timedelta(days=days) <= now())


def _check_time(change: Change) -> None:
    """Let a writer change his words for a while. Raises Refused."""
    minutes = one(REGISTRY["settings"], SYSTEM, ONLY_ROW)["comment_edit_minutes"]
    if is_settled(change["created_at"], minutes):
        raise Refused(f"A comment can be changed for {minutes} minutes only.")


def is_settled(created_at: str, minutes: int) -> bool:
    """Whether its writer can no longer change what he said then; with 0 minutes he always can."""
    end = settles_at(created_at, minutes)
    return end is not None and end <= now()


def settles_at(created_at: str, minutes: int) -> datetime | None:
    """Until when its writer can change what he said then; None for ever."""
    return time_from_text(created_at) + timedelta(minutes=minutes) if minutes else None


def _check_parent(change: Change) -> None:
    parent = one(REGISTRY["comments"], SYSTEM, change["parent"], Query(fields=("id", "post")))
    if parent["post"]["id"] != change["post"]:
        change.refuse("parent", "not_allowed", "Parent is a comment on another post.")


def ahead(actor: Actor, id: int | None, given: dict[str, Any]) -> dict[str, Any]:
    """The HTML; and nobody says too much, but for those who write here. Raises TooMany."""
    if id is None and not actor.at_least("author"):
        spend("comment", f"account {actor.user_id}", actor)
    return render_ahead(actor, id, given)


def approve(change: Change) -> None:
    """Show the comment to readers."""
    change.set(status="approved")


def spam(change: Change) -> None:
    """Mark the comment as spam; readers do not see it."""
    change.set(status="spam")


COMMENTS = Record(
    Comment,
    path="comments",
    fields=[
        Shown("id", sort=True, filter=True),
        Fixed("post", filter=True),
        Fixed("parent", filter=True),
        Shown("author", filter=True, fill=lambda change: change.actor.user_id),
        Shown("author_name"),
        Editable("body", search=True),
        Shown("body_html", made=True),
        Shown("status", filter=True, sort=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
        Shown("deleted_at", to=TRASHED),
        Shown("told_at", to=NOBODY, made=True),
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
        panel=HOST,
    ),
    actions=[
        Action("approve", approve, HOST, fits=unless("approved")),
        Action("spam", spam, HOST, fits=unless("spam")),
        restore_action(WRITER),
    ],
    before=prepare,
    ahead=ahead,
    small=("id",),
    title="body",
    nested=("post",),
)
