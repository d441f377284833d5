"""Mail about comments: to whom was answered and whose post it is.

Nobody hears of his own comments, nor of any that nobody else can see yet.
"""

from typing import Any

from sqlalchemy import update

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.jobs import Job, handles
from quire.declare.markup import words_of
from quire.jobs.letter import Letter, no_more, root, writes
from quire.jobs.writing import profile_of, user_of
from quire.records import COMMENTS, POSTS
from quire.store import read
from quire.store.db import transaction
from quire.store.mailbox import owe

PAUSE = 30
"""Seconds in which a comment can be mended, or called spam, before anybody is told."""
SHOWN = 800
"""Characters of a comment in a letter."""

_comments = COMMENTS.table


@handles("comments.created", "comments.approve", after=PAUSE)
def tell(job: Job) -> None:
    """Owe the letters about a comment that readers see now; once for each comment."""
    found = _visible(job.record_id)
    if found is None:
        return
    comment, post, parent = found
    people = _hearers(comment, post, parent)
    untold = (_comments.c.id == comment["id"], _comments.c.told_at.is_(None))
    with transaction() as connection:
        told = connection.execute(update(_comments).where(*untold).values(told_at=now()))
        if told.rowcount:
            for user_id, kind in people.items():
                owe(kind, user_id, comment=comment["id"])


def _visible(id: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None] | None:
    """A comment that readers see, its post, and what it answers."""
    known = read.find_id(COMMENTS, SYSTEM, id=id)
    comment = read.one(COMMENTS, SYSTEM, known) if known is not None else None
    if comment is None or comment["status"] != "approved" or comment["deleted_at"]:
        return None
    post = read.one(POSTS, SYSTEM, comment["post"]["id"])
    if post["status"] != "published":
        return None
    parent = read.one(COMMENTS, SYSTEM, comment["parent"]["id"]) if comment["parent"] else None
    return comment, post, parent


def _hearers(
    comment: dict[str, Any], post: dict[str, Any], parent: dict[str, Any] | None
) -> dict[int, str]:
    """Who hears of a comment, each by one letter: that he was answered says more than the other."""
    people = {post["author"]["id"]: "comment"}
    if parent is not None and parent["author"]:
        people[parent["author"]["id"]] = "reply"
    people.pop((comment["author"] or {}).get("id"), None)
    return people


@writes("comment", "reply")
def _about_comment(job: Job) -> Letter | None:
    user, found = user_of(job.record_id), _visible(job.data["comment"])
    if user is None or found is None or not profile_of(user["id"]).comment_mail:
        return None
    comment, post, _ = found
    words = {
        **quoted(comment),
        "username": user["username"],
        "title": post["title"],
        "url": f"{root()}/posts/{post['slug']}#comment-{comment['id']}",
    }
    return Letter(user["email"], job.kind, words, no_more(user["id"], "comments"))


def quoted(comment: dict[str, Any]) -> dict[str, str]:
    """Who says it, and the first of the words, as plain text."""
    text = words_of(comment["body_html"])
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return {"who": comment["author_name"] or "A guest", "text": shown}
