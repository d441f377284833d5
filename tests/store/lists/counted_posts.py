"""Posts whose lists are counted in blocks: new ones, how many there are, the statements that count them."""

from sqlalchemy import text

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.records import POSTS
from quire.store import write
from quire.store.db import db


def new(author, **more):
    """Return the id of a new post that is live."""
    raw = {"title": "T", "body": "b", "author": author, "published_at": rfc3339(now())}
    return write.create(POSTS, SYSTEM, {**raw, **more}).id


def live():
    """Return how many posts are live, as counted by the database itself."""
    with db.engine.connect() as connection:
        words = "SELECT count(*) FROM posts WHERE deleted_at IS NULL AND published_at <= :now"
        condition = words + " AND (unpublish_at IS NULL OR unpublish_at > :now)"
        moment = now() if connection.dialect.name != "sqlite" else rfc3339(now())
        return connection.execute(text(condition), {"now": moment}).scalar_one()


def counting(seen):
    """Return the statements that count posts."""
    return [one for one in seen if "count(*)" in one and "FROM posts" in one]
