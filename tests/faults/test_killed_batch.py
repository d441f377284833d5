"""A worker that is repeatedly killed while it runs jobs in batches: each job is done, and none twice."""

import random
import time

import pytest
from sqlalchemy import func, insert, select, update

from quire.actor import SYSTEM
from quire.app import create_app
from quire.declare.clock import now
from quire.records import COMMENTS, POSTS, USERS
from quire.store.db import db, read_connection, transaction
from quire.store.events.outbox import OutboxEvent, event_row, insert_events
from quire.store.write import create
from tests.faults.kill import environment_of
from tests.faults.test_killed_import import worker
from tests.waiting import wait_until

pytestmark = pytest.mark.faults
COMMENTS_MADE = 1500
EVENTS = OutboxEvent.__table__


@pytest.fixture
def environment(tmp_path, database_url):
    """The environment of a worker next to an application on the same database."""
    url = database_url or f"sqlite:///{(tmp_path / 'quire.db').as_posix()}"
    environment = environment_of(tmp_path, **({"DATABASE_URL": url} if database_url else {}))
    app = create_app("testing", {"QUIRE_INSTANCE": str(tmp_path), "DATABASE_URL": url})
    with app.app_context():
        yield environment
        db.engine.dispose()


@pytest.fixture
def comments(environment):
    """The ids of comments that somebody has to be notified of."""
    raw = {"username": "bob", "email": "bob@example.org", "password": "a long enough word"}
    bob = create(USERS, SYSTEM, raw).id
    raw = {"title": "Tides", "body": "x", "author": bob, "published_at": "2020-01-01T00:00:00Z"}
    post, moment = create(POSTS, SYSTEM, raw).id, now()
    row = {"post_id": post, "author_name": "x", "body": "x", "body_html": "x", "status": "approved"}
    table = COMMENTS.table
    with transaction() as connection:
        connection.execute(insert(table), [row] * COMMENTS_MADE)
        ids = list(connection.execute(select(table.c.id)).scalars())
        events = [event_row(COMMENTS, "created", {"id": id, "version": 1}, []) for id in ids]
        insert_events(connection, events)
        told_later = EVENTS.c.event == "comments.created"
        connection.execute(update(EVENTS).where(told_later).values(due_at=moment))
    return ids


def count(*where):
    """Return how many rows of a table meet a condition."""
    with read_connection() as connection:
        return connection.execute(select(func.count()).where(*where)).scalar()


def let_others_try():
    """Expire the claims of a killed worker immediately instead of after ten minutes."""
    with transaction() as connection:
        waits = EVENTS.c.due_at.is_not(None)
        connection.execute(update(EVENTS).where(waits, EVENTS.c.attempts > 0).values(due_at=now()))


def test_each_comment_is_announced_once(environment, comments, tmp_path):
    to_tell = (EVENTS.c.event == "comments.created", EVENTS.c.due_at.is_not(None))
    mail, is_told = EVENTS.c.event == "mail.comment", COMMENTS.table.c.told_at.is_not(None)
    for longest in (0, 0.05, 0.5):
        before = count(is_told) + sent(tmp_path)
        with worker(environment):
            wait_until(lambda before=before: count(is_told) + sent(tmp_path) > before, 60)
            time.sleep(random.uniform(0, longest))
        # a PostgreSQL server soon notices that the worker is gone
        wait_until(lambda: count(is_told) == COMMENTS_MADE - count(*to_tell))
        let_others_try()
    with worker(environment):
        wait_until(lambda: count(*to_tell) == count(mail) == 0, 120)
    assert sent(tmp_path) == COMMENTS_MADE
    texts = [path.read_bytes() for path in (tmp_path / "outbox").glob("*.eml")]
    ids = {int(text.partition(b"#comment-")[2].split()[0]) for text in texts}
    assert ids == set(comments)


def sent(folder):
    """Return how many jobs have sent an email, whether once or, after a worker was killed, twice."""
    return len({path.stem.rpartition("-")[2] for path in (folder / "outbox").glob("*.eml")})
