"""Mail about comments: to whom was answered and whose post it is.

Nobody hears of his own comments, nor of any that nobody else can see yet.
"""

from typing import Any

from sqlalchemy import update

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.job_registry import Job, on_event
from quire.declare.markdown import strip_tags
from quire.jobs.mail.account_mail import active_user, mail_to, profile_of
from quire.jobs.mail.message import MailMessage, mail_template, site_root, unsubscribe_url
from quire.records import COMMENTS, POSTS
from quire.store import read
from quire.store.db import transaction
from quire.store.events.mail import enqueue_mail
from quire.translations.messages import Message

PAUSE = 30
"""Seconds in which a comment can be mended, or called spam, before anybody is told."""
EXCERPT_LENGTH = 800
"""Characters of a comment in an email."""

_comments = COMMENTS.table


@on_event(
    "comments.created", "comments.approved", after=PAUSE, title="Tell people about a new comment"
)
def notify(job: Job) -> None:
    """Enqueue the emails about a comment that is visible now; once for each comment."""
    visible_comment = _visible(job.record_id)
    if visible_comment is None:
        return
    comment, post, parent = visible_comment
    people = _recipients(comment, post, parent)
    untold = (_comments.c.id == comment["id"], _comments.c.told_at.is_(None))
    with transaction() as connection:
        result = connection.execute(update(_comments).where(*untold).values(told_at=now()))
        if result.rowcount:
            for user_id, kind in people.items():
                enqueue_mail(kind, user_id, comment=comment["id"])


def _visible(id: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None] | None:
    """A comment that readers see, its post, and what it answers."""
    visible_id = read.find_id(COMMENTS, SYSTEM, id=id)
    comment = read.get_record(COMMENTS, SYSTEM, visible_id) if visible_id is not None else None
    if comment is None or comment["status"] != "approved" or comment["deleted_at"]:
        return None
    post = read.get_record(POSTS, SYSTEM, comment["post"]["id"])
    if post["status"] != "published":
        return None
    parent = (
        read.get_record(COMMENTS, SYSTEM, comment["parent"]["id"]) if comment["parent"] else None
    )
    return comment, post, parent


def _recipients(
    comment: dict[str, Any], post: dict[str, Any], parent: dict[str, Any] | None
) -> dict[int, str]:
    """The recipients, with one email each: a reply takes precedence over a comment on the own post."""
    people = {post["author"]["id"]: "comment"}
    if parent is not None and parent["author"]:
        people[parent["author"]["id"]] = "reply"
    people.pop((comment["author"] or {}).get("id"), None)
    return people


@mail_template("comment", "reply")
def _about_comment(job: Job) -> MailMessage | None:
    user, visible_comment = active_user(job.record_id), _visible(job.data["comment"])
    if user is None or visible_comment is None or not profile_of(user["id"]).comment_mail:
        return None
    comment, post, _ = visible_comment
    words = {
        **excerpt(comment),
        "username": user["username"],
        "title": post["title"],
        "url": f"{site_root()}/posts/{post['slug']}#comment-{comment['id']}",
    }
    return mail_to(user, job.kind, words, unsubscribe_url(user["id"], "comments"))


def excerpt(comment: dict[str, Any]) -> dict[str, str]:
    """Who says it, and the first of the words, as plain text."""
    text = strip_tags(comment["body_html"])
    shortened = text if len(text) <= EXCERPT_LENGTH else text[:EXCERPT_LENGTH] + "…"
    return {"who": comment["author_name"] or Message("A guest"), "text": shortened}
