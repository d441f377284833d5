"""Comments: what readers say below a post."""

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Index, and_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import SYSTEM
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.columns import Dated, Numbered, Ref, Versioned, refer, table_args
from quire.declare.fields import Editable, Fixed, Shown
from quire.declare.kinds import Html, Name, Prose, Time, choice
from quire.declare.markup import render, render_ahead
from quire.declare.publication import live, restore_action
from quire.declare.query import Query
from quire.declare.record import REGISTRY, Access, Action, Record
from quire.declare.rules import SIGNED_IN, all_of, any_of, owner, role, where
from quire.declare.through import through
from quire.errors import Conflict
from quire.store.counters import count
from quire.store.db import Model, reading
from quire.store.prepared import Prepared
from quire.store.read import one


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


def prepare(change: Change) -> None:
    """HTML, and for a new comment: may it be said here, and must it wait?"""
    render(change)
    if change.verb == "create" and not change.actor.is_system:
        _receive(change)
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
        rule, is_open = _house_rules()(connection, {"id": change["post"], "now": now()}).one()
    if rule == "closed" or not is_open:
        raise Conflict("Comments are closed here.", code="comments_closed")
    trusted = rule == "open" or change.actor.at_least("author")
    change.set(author_name=change.actor.username or "", status="approved" if trusted else "pending")
    if change["parent"] is not None:
        _check_parent(change)


@cache
def _house_rules() -> Prepared:
    """The site's rule for comments, and whether a post is live and takes them."""
    posts, settings = REGISTRY["posts"], REGISTRY["settings"]
    is_open = and_(posts.table.c.comments_open, live(posts.model))
    rule = select(settings.table.c.comments).scalar_subquery()
    live_id = posts.table.c.id == bindparam("id", type_=BigInteger)
    return Prepared(select(rule, is_open).where(live_id))


def _check_parent(change: Change) -> None:
    parent = one(REGISTRY["comments"], SYSTEM, change["parent"], Query(fields=("id", "post")))
    if parent["post"]["id"] != change["post"]:
        change.refuse("parent", "not_allowed", "Parent is a comment on another post.")


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
        Action("approve", approve, HOST),
        Action("spam", spam, HOST),
        restore_action(WRITER),
    ],
    before=prepare,
    ahead=render_ahead,
    small=("id",),
    title="body",
    nested=("post",),
)
