"""A read takes one connection from the pool; whoever else needs one meanwhile is not kept from it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from quire.records import POSTS, TAGS
from quire.store.connections.kept_connection import allow_keeping, close_kept, first_connection
from quire.store.db import db, read_connection, transaction


@pytest.fixture
def pool(app):
    """The number of connections that were taken from the pool so far, and that are out now."""

    class Pool:
        taken = 0

        @property
        def out(self):
            return engine.pool.checkedout()

    def note(*_):
        pool.taken += 1

    pool = Pool()
    with app.app_context():
        engine = db.engine
    event.listen(engine, "checkout", note)
    yield pool
    event.remove(engine, "checkout", note)


@pytest.fixture
def post(make, people):
    live = {"published_at": "2026-01-02T10:00:00Z", "author": people["ann"].id}
    return make(POSTS, title="Live", body="Text.", **live)


@pytest.mark.parametrize("name", [None, "ann"])
@pytest.mark.parametrize("path", ["/api/v1/posts", "/api/v1/posts/{id}"])
def test_read_takes_one_connection(as_, post, pool, path, name):
    client = as_(name)
    client.get(f"{path.format(id=post)}?fields=id")  # totals are counted once
    pool.taken, before = 0, pool.out
    assert client.get(path.format(id=post)).status_code == 200
    assert (pool.taken, pool.out) == (1, before)


def test_request_without_a_read_returns_the_connection(client, pool):
    before = pool.out
    assert client.get("/api/v1/posts?nonsense=1").status_code == 400
    assert pool.out == before


def test_next_read_sees_later_commits(app, make, pool):
    with app.test_request_context("/") as context:
        allow_keeping(context.request.environ)
        with first_connection(db.engine, context.request.environ) as connection:
            assert connection.execute(POSTS.table.select()).first() is None
        with ThreadPoolExecutor() as others:
            others.submit(make, TAGS, name="sea").result()
        with read_connection() as kept:
            assert kept is connection
            assert kept.execute(TAGS.table.select()).first().name == "sea"


def test_writer_returns_the_connection_first(app, pool):
    with app.test_request_context("/") as context:
        environ, before = context.request.environ, pool.out
        allow_keeping(environ)
        with first_connection(db.engine, environ):
            pass
        assert pool.out == before + 1
        with transaction():
            assert pool.out == before + 1
        close_kept(environ)
        assert pool.out == before


def test_failed_connection_is_not_kept(app, pool):
    with app.test_request_context("/") as context:
        environ, before = context.request.environ, pool.out
        allow_keeping(environ)
        with pytest.raises(ZeroDivisionError), first_connection(db.engine, environ):
            1 / 0  # noqa: B018
        assert pool.out == before
