"""Each request queries the state of the database once, even if the database does not respond."""

from importlib import import_module

import pytest
from sqlalchemy import event

from quire.actor import SYSTEM
from quire.app import create_app
from quire.declare.clock import now, rfc3339
from quire.records import POSTS
from quire.store.db import db
from quire.store.write import create
from tests.running_server import free_port, silent_server
from tests.users import signed_in

ASKS = ("PRAGMA data_version", "SELECT pg_current_snapshot()")
VERSIONS = "string_agg(data_versions"
"""In the next statement on PostgreSQL if another database of the server has changed."""
PATHS = ("/api/v1/posts", "/", "/posts/first", "/feed.atom")


@pytest.fixture
def sent(make_app, people, monkeypatch):
    """An application with a post, and all statements that its database driver receives."""
    app, told = make_app(), []
    with app.app_context():
        raw = {"title": "First", "body": "b", "author": people["ann"].id}
        create(POSTS, SYSTEM, {**raw, "published_at": rfc3339(now())})
        db.engine.dispose()
        event.listen(db.engine, "connect", lambda raw, _: _trace(raw, told))
    cursor = import_module("psycopg").Cursor
    execute = cursor.execute
    monkeypatch.setattr(
        cursor,
        "execute",
        lambda cursor, query, *rest, **options: (
            told.append(query) or execute(cursor, query, *rest, **options)
        ),
    )
    return app, told


def _trace(raw, told):
    if hasattr(raw, "set_trace_callback"):
        raw.set_trace_callback(told.append)


@pytest.mark.parametrize("path", PATHS)
def test_cached_response_takes_one_statement(sent, path):
    app, told = sent
    client = app.test_client()
    tag = client.get(path).headers["ETag"]
    for headers, status in (({}, 200), ({"If-None-Match": tag}, 304)):
        told.clear()
        assert client.get(path, headers=headers).status_code == status
        asked = [one for one in told if one != ";" and VERSIONS not in one]
        assert [one.startswith(ASKS) for one in asked] == [True], told


def test_cache_and_maintenance_mode_share_one_query(sent):
    app, told = sent
    client = app.test_client()
    client.get("/api/v1/nowhere")
    told.clear()
    assert client.get("/api/v1/nowhere").status_code == 404
    assert len([one for one in told if one.startswith(ASKS)]) == 1


@pytest.mark.parametrize("scheme", ["token", "key"])
def test_authentication_and_the_list_share_a_connection(make_app, people, scheme):
    app = make_app()
    client = signed_in(app, people["ann"])
    if scheme == "key":
        new_key = {"name": "k", "scopes": ["posts:read"]}
        key = client.post("api_keys", json=new_key).json["key"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    client.get("posts")
    taken = []
    with app.app_context():
        event.listen(db.engine, "checkout", lambda *given: taken.append(given))
    assert client.get("posts").status_code == 200
    assert len(taken) == 1  # for the actor and for the list


def away(port, tmp_path):
    """Return an application whose database cannot be reached."""
    url = f"postgresql://quire@127.0.0.1:{port}/quire?connect_timeout=2"
    return create_app("testing", {"DATABASE_URL": url, "QUIRE_INSTANCE": tmp_path})


@pytest.mark.parametrize("path", ["/", "/api/v1/posts", "/feed.atom", "/admin/"])
def test_unreachable_database_is_tried_once(tmp_path, path, monkeypatch):
    app, tries = away(free_port(), tmp_path), []
    psycopg = import_module("psycopg")
    connect = psycopg.connect
    monkeypatch.setattr(psycopg, "connect", lambda *a, **k: tries.append(k) or connect(*a, **k))
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert len(tries) == 1


def test_silent_database_server_is_tried_once(tmp_path):
    with silent_server() as (port, connections):
        answer = away(port, tmp_path).test_client().get("/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert connections() == 1


def test_connect_timeout_has_a_default(tmp_path):
    """We set a default, because the driver has none and would block a thread for minutes."""
    with silent_server() as (port, connections):
        url = f"postgresql://quire@127.0.0.1:{port}/quire"
        app = create_app("testing", {"DATABASE_URL": url, "QUIRE_INSTANCE": tmp_path})
        assert app.test_client().get("/api/v1/posts").status_code == 503
        assert connections() == 1
