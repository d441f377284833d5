"""Mail about comments, to people who were replied to and to authors of posts.

People are never notified of their own comments, or of comments that are not visible yet.
"""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.job_registry import Job, on_event_batch
from quire.declare.markdown import strip_tags
from quire.declare.publication import live_condition
from quire.jobs.mail.account_mail import active_user, mail_to, profile_of
from quire.jobs.mail.message import MailMessage, mail_template, site_root, unsubscribe_url
from quire.monitoring.request_id import following
from quire.records import COMMENTS, POSTS, PROFILES, USERS
from quire.store import read
from quire.store.db import transaction
from quire.store.events.mail import enqueue_mail
from quire.translations.messages import Message

PAUSE = 30
"""Seconds in which a comment can be edited, or marked as spam, before anyone is notified."""
EXCERPT_LENGTH = 800
"""Characters of a comment in an email."""

_comments = COMMENTS.table


@on_event_batch(
    "comments.created", "comments.approved", after=PAUSE, title="Notify people of a new comment"
)
def notify(jobs: list[Job]) -> None:
    """Enqueue emails about comments that are visible now, once for each comment."""
    request_ids = {job.record_id: job.request_id for job in jobs}
    with transaction() as connection:
        values = {"ids": list(request_ids), "now": now()}
        comments = connection.execute(_untold(), values).all()
        told = update(_comments).where(_comments.c.id.in_([one.id for one in comments]))
        connection.execute(told.values(told_at=now()))
        recipients = {one.id: _recipients(one) for one in comments}
        wanting = _select_recipients(
            connection, {id for people in recipients.values() for id in people}
        )
        for comment_id, people in recipients.items():
            with following(request_ids[comment_id]):
                for user_id, kind in people.items():
                    if user_id in wanting:
                        enqueue_mail(kind, user_id, comment=comment_id)


@cache
def _untold() -> Select[Any]:
    """Return those of the comments that are visible and have not been announced, and who may want to know."""
    posts, parents = POSTS.table, _comments.alias()
    columns = (
        _comments.c.id,
        _comments.c.author_id,
        posts.c.author_id.label("post_author_id"),
        parents.c.author_id.label("parent_author_id"),
    )
    is_visible = (
        _comments.c.status == "approved",
        _comments.c.deleted_at.is_(None),
        live_condition(posts.c),
    )
    return (
        select(*columns)
        .join(posts, posts.c.id == _comments.c.post_id)
        .outerjoin(parents, parents.c.id == _comments.c.parent_id)
        .where(_comments.c.id.in_(bindparam("ids", expanding=True)), *is_visible)
        .where(_comments.c.told_at.is_(None))
        .order_by(_comments.c.id)  # so that two workers lock them in the same order
        .with_for_update(of=_comments, key_share=True)  # those who reply do not have to wait for it
    )


def _recipients(comment: Any) -> dict[int, str]:
    """Return the recipients, one email each: a reply takes precedence over a comment on one's own post."""
    people = {comment.post_author_id: "comment"}
    if comment.parent_author_id is not None:
        people[comment.parent_author_id] = "reply"
    people.pop(comment.author_id, None)
    return people


def _select_recipients(connection: Connection, ids: set[int]) -> set[int]:
    """Select the people who want and can receive email about comments now."""
    users, profiles = USERS.table, PROFILES.table
    can_get_mail = (users.c.id.in_(ids), users.c.is_active, users.c.email.is_not(None))
    wanting = select(users.c.id).join(profiles, profiles.c.user_id == users.c.id)
    found = connection.execute(wanting.where(*can_get_mail, profiles.c.comment_mail))
    return set(found.scalars())


def _load_visible(id: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return a visible comment and its post."""
    visible_id = read.find_id(COMMENTS, SYSTEM, id=id)
    comment = read.get_record(COMMENTS, SYSTEM, visible_id) if visible_id is not None else None
    if comment is None or comment["status"] != "approved" or comment["deleted_at"]:
        return None
    post = read.get_record(POSTS, SYSTEM, comment["post"]["id"])
    return (comment, post) if post["status"] == "published" else None


@mail_template("comment", "reply")
def _about_comment(job: Job) -> MailMessage | None:
    user, visible_comment = active_user(job.record_id), _load_visible(job.data["comment"])
    if user is None or visible_comment is None or not profile_of(user["id"]).comment_mail:
        return None
    comment, post = visible_comment
    words = {
        **excerpt(comment),
        "username": user["username"],
        "title": post["title"],
        "url": f"{site_root()}/posts/{post['slug']}#comment-{comment['id']}",
    }
    return mail_to(user, job.kind, words, unsubscribe_url(user["id"], "comments"))


def excerpt(comment: dict[str, Any]) -> dict[str, str]:
    """Return who wrote it and the first words, as plain text."""
    text = strip_tags(comment["body_html"])
    shortened = text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH] + "…"
    return {"who": comment["author_name"] or Message("A guest"), "text": shortened}
