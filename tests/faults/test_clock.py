"""A clock that is set back by an hour: nothing is lost or reordered, and nobody is signed out."""

from datetime import timedelta

import pytest

from quire.declare.clock import now, rfc3339
from quire.jobs.worker import run_due_jobs
from quire.store.db import read_connection
from quire.store.events.outbox import OutboxEvent

pytestmark = pytest.mark.faults
TABLE = OutboxEvent.__table__


def changed(client, since):
    """Return the titles of posts that the change feed reports after `since`, and its new position."""
    answer = client.get(f"/api/v1/changes?since={since}").json
    ids = [one["id"] for one in answer["changes"] if one["type"] == "posts"]
    return [client.get(f"/api/v1/posts/{id}").json["title"] for id in ids], answer["next"]


def test_clock_set_back_an_hour(app, as_, stop_clock):
    ann, reader = as_("ann"), app.test_client()
    since = reader.get("/api/v1/changes").json["next"]

    def publish(title):
        raw = {"title": title, "body": "b", "published_at": rfc3339(now() - timedelta(days=1))}
        answer = ann.post("/api/v1/posts", json=raw)
        assert answer.status_code == 201, answer.json
        return answer.json

    publish("before")
    assert reader.get("/api/v1/posts").json["total"] == 1
    seen, middle = changed(reader, since)
    stop_clock(hours=-1)
    publish("after")
    assert reader.get("/api/v1/posts").json["total"] == 2
    assert seen == ["before"]
    assert changed(reader, middle)[0] == ["after"]
    assert changed(reader, since)[0] == ["before", "after"]
    page = reader.get("/api/v1/posts?cursor=&per_page=1&sort=-created_at").json
    rest = reader.get(
        f"/api/v1/posts?per_page=1&sort=-created_at&cursor={page['next_cursor']}"
    ).json
    assert [one["title"] for one in page["posts"] + rest["posts"]] == ["before", "after"]


def test_jobs_run_after_the_clock_was_set_back(app, as_, stop_clock):
    stop_clock(hours=-1)
    raw = {"username": "new", "email": "new@example.org", "password": "pallas athene 9"}
    assert app.test_client().post("/api/v1/users", json=raw).status_code == 201
    with app.app_context():
        run_due_jobs()
        waiting = TABLE.select().where(TABLE.c.type == "mail", TABLE.c.due_at.is_not(None))
        with read_connection() as connection:
            assert connection.execute(waiting).all() == []
