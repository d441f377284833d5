"""Mail about comments: to whom was answered and whose post it is; and what waits, once in a while.

Nobody hears of his own comments, nor of any that nobody else can see yet.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now
from quire.declare.jobs import Job, every, handles
from quire.declare.markup import words_of
from quire.declare.query import Condition, Query
from quire.declare.rules import role
from quire.jobs.letter import Letter, root, writes
from quire.jobs.writing import user_of
from quire.records import COMMENTS, POSTS, PROFILES
from quire.store import read
from quire.store.db import reading, transaction
from quire.store.mailbox import owe
from quire.store.unsubscribing import token

PAUSE = 30
"""Seconds in which a comment can be mended, or called spam, before anybody is told."""
SHOWN = 800
"""Characters of a comment in a letter."""
LISTED = 20
"""Comments in a digest."""
PERIODS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
SLACK = timedelta(minutes=90)
"""How much earlier than a period ago the last digest may have gone out: it goes once an hour."""

_comments, _profiles = COMMENTS.table, PROFILES.table


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
    if user is None or found is None or not _profile(user["id"]).comment_mail:
        return None
    comment, post, _ = found
    words = {
        **_quoted(comment),
        "username": user["username"],
        "title": post["title"],
        "url": f"{root()}/posts/{post['slug']}#comment-{comment['id']}",
    }
    return Letter(user["email"], job.kind, words, _end(user["id"], "comments"))


def _profile(user_id: int) -> Any:
    with reading() as connection:
        return connection.execute(select(_profiles).where(_profiles.c.user_id == user_id)).one()


def _quoted(comment: dict[str, Any]) -> dict[str, str]:
    text = words_of(comment["body_html"])
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return {"who": comment["author_name"] or "A guest", "text": shown}


def _end(user_id: int, kind: str) -> str:
    return f"{root()}/auth/unsubscribe/{token(user_id, kind)}"


@every(3600)
def send_digests() -> None:
    """Owe those who want it a list of the comments that wait for them."""
    for period, length in PERIODS.items():
        before = now() - length + SLACK
        wanted = _profiles.c.digest == period
        with reading() as connection:
            ids = connection.execute(select(_profiles.c.user_id).where(wanted, _is_due(before)))
            due = list(ids.scalars())
        for user_id in due:
            _owe_digest(user_id, before)


def _is_due(before: datetime) -> Any:
    sent = _profiles.c.digest_sent_at
    return sent.is_(None) | (sent <= before)


def _owe_digest(user_id: int, before: datetime) -> None:
    mine = (_profiles.c.user_id == user_id, _is_due(before))
    with transaction() as connection:
        values = {"digest_sent_at": now()}
        if connection.execute(update(_profiles).where(*mine).values(values)).rowcount:
            owe("digest", user_id)


@writes("digest")
def _digest(job: Job) -> Letter | None:
    user = user_of(job.record_id)
    if user is None or role("author")(Actor(user["role"], user["id"])) is False:
        return None
    waiting = _waiting(Actor(user["role"], user["id"], user["username"], door="jobs"))
    if not waiting.total or _profile(user["id"]).digest == "never":
        return None
    comments = [{**_quoted(one), "title": one["post"]["title"]} for one in waiting.rows]
    words = {"username": user["username"], "count": waiting.total, "comments": comments}
    return Letter(user["email"], "digest", words, _end(user["id"], "digest"))


def _waiting(actor: Actor) -> Any:
    """Pending comments that an actor finds in the panel: he may approve them."""
    pending = (Condition("status", "eq", ("pending",)),)
    wanted = Query(conditions=pending, page=1, per_page=LISTED, count=True, panel=True)
    return read.page(COMMENTS, actor, wanted)
