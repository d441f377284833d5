"""A PostgreSQL replica that is behind, unreachable, silent or not a replica: reads are never stale, and always
answered."""

import logging
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from quire.app import create_app
from quire.checks.database import check_replica
from quire.monitoring import outage_log
from quire.store import replica as module
from quire.store.db import REPLICA, db
from quire.store.migrations import newest_revision
from tests.api.client import Client
from tests.databases import stamp
from tests.postgresql_servers import PROGRAMS, primary_and_replica
from tests.users import enrol, signed_in
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed"),
]
CONNECTIONS = []
"""All that were ever made, as a pool that is thrown away does not close those that are in use then."""
POST = {"title": "Tides", "body": "High and low.", "published_at": "2020-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A primary server and its replica, with tables and users."""
    with primary_and_replica() as (primary, replica):
        app = application(primary, replica, tmp_path_factory.mktemp("instance"))
        with app.app_context():
            db.create_all()
            with db.engine.begin() as connection:
                stamp(connection, newest_revision())
        yield primary, replica, enrol(app)
        close(app)
        for one in CONNECTIONS:
            one.close()
        CONNECTIONS.clear()


@pytest.fixture
def servers(installed):
    """Both servers, running and at the same position."""
    primary, replica, _ = installed
    yield primary, replica
    replica.signal(signal.SIGCONT)
    if replica.process is None:
        replica.start()
    if replica.query("SELECT pg_is_wal_replay_paused()"):
        replica.query("SELECT pg_wal_replay_resume()")


@pytest.fixture
def apps(installed, servers, tmp_path, monkeypatch):
    """Two applications, like two processes of one installation, that already use the replica."""
    monkeypatch.setattr(outage_log, "_logged_at", {})
    both = [application(*servers, tmp_path) for _ in range(2)]
    for app in both:
        wait_until(lambda app=app: is_used(app))
    yield both
    for app in both:
        close(app)


@pytest.fixture
def ann(installed, apps):
    """A client of the author in the first application."""
    return signed_in(apps[0], installed[2]["ann"])


def application(primary, replica, folder):
    settings = {
        "DATABASE_URL": primary.url, "DATABASE_REPLICA_URL": f"{replica.url}?application_name=quire", "QUIRE_INSTANCE": folder,
    }  # fmt: skip
    app = create_app("testing", settings)
    app.test_client_class = Client
    with app.app_context():
        for engine in engines(app):
            event.listen(engine, "connect", lambda raw, _: CONNECTIONS.append(raw))
    return app


def engines(app):
    return app.extensions[REPLICA].engine, db.engine


def close(app):
    replica = app.extensions[REPLICA]
    wait_until(lambda: not replica.is_sampling)
    with app.app_context():
        for engine in engines(app):
            # a thread may still be waiting for a query that took too long
            wait_until(lambda pool=engine.pool: not pool.checkedout())
            engine.dispose()


def is_used(app):
    """Return whether reads are answered from the replica."""
    with seen(app) as statements:
        address = f"/api/v1/posts?title={secrets.token_hex(8)}"  # for which no response is cached
        assert app.test_client().get(address).status_code == 200
    return bool(statements)


@contextmanager
def seen(app):
    """The statements sent to the replica that name posts."""
    statements, engine = [], app.extensions[REPLICA].engine

    def note(connection, cursor, statement, *rest):
        if "FROM posts" in statement:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def titles(client):
    return [post["title"] for post in client.get("/api/v1/posts?sort=-id").json["posts"]]


def publish(client, title):
    answer = client.post("/api/v1/posts", json={**POST, "title": title})
    assert answer.status_code == 201, answer.json
    return answer.json["id"]


def test_everyone_sees_every_change_immediately(apps, ann):
    reader = apps[1].test_client()
    on_replica = 0
    for number in range(60):
        publish(ann, f"Number {number}")
        for client in (ann, reader):
            assert titles(client)[0] == f"Number {number}"
        time.sleep(0.02 * (number % 3))
        with seen(apps[1]) as statements:
            assert f"Number {number}" in reader.get(f"/?page=1&x={number}").text
            on_replica += bool(statements)
    assert on_replica > 10


def test_lagging_replica_is_not_read(servers, apps, ann):
    _, replica = servers
    reader = apps[1].test_client()
    publish(ann, "Before")
    wait_until(lambda: is_used(apps[0]) and is_used(apps[1]))
    replica.query("SELECT pg_wal_replay_pause()")
    id = publish(ann, "After")
    assert titles(ann)[0] == titles(reader)[0] == "After"
    assert "After" in reader.get("/").text
    assert ann.patch(f"/api/v1/posts/{id}", json={"title": "Again"}).status_code == 200
    assert titles(ann)[0] == titles(reader)[0] == "Again"
    assert not is_used(apps[1])
    replica.query("SELECT pg_wal_replay_resume()")
    wait_until(lambda: is_used(apps[1]))
    assert titles(reader)[0] == "Again"


def test_deactivated_account_is_refused_immediately(installed, servers, apps):
    _, replica = servers
    people = installed[2]
    member, root = signed_in(apps[1], people["bob"]), signed_in(apps[0], people["root"])
    assert member.get("/api/v1/users/me").status_code == 200
    wait_until(lambda: is_used(apps[1]))
    replica.query("SELECT pg_wal_replay_pause()")
    for active, status in ((False, 401), (True, 401)):
        path = f"/api/v1/users/{people['bob'].id}"
        assert root.patch(path, json={"is_active": active}).status_code == 200
        assert member.get("/api/v1/users/me").status_code == status


def test_connections_of_the_replica_are_cut(servers, apps, ann):
    _, replica = servers
    for _ in range(5):
        wait_until(lambda: is_used(apps[0]))
        replica.query(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'quire'"
        )
        assert ann.get("/api/v1/posts").status_code == 200
        assert publish(ann, "Cut")


def test_killed_replica_comes_back(servers, apps, ann, caplog):
    _, replica = servers
    replica.stop()
    caplog.set_level(logging.WARNING, "quire.database")
    for _ in range(20):
        assert ann.get("/api/v1/posts").status_code == 200
        assert publish(ann, "Alone")
        assert titles(ann)[0] == "Alone"
    assert len([one for one in caplog.records if module.AWAY.reason in one.message]) == 1
    assert not [one for one in caplog.records if "Check DATABASE_URL" in one.message]
    status = apps[0].test_client().get("/readyz")
    assert status.status_code == 200
    assert status.json["checks"]["replica"]["reason"] == module.AWAY.reason
    replica.start()
    wait_until(lambda: is_used(apps[0]))


def test_hanging_replica(servers, apps, ann):
    """Waiting requests are answered by the primary server after two seconds, later ones immediately."""
    _, replica = servers
    wait_until(lambda: is_used(apps[0]))
    replica.signal(signal.SIGSTOP)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: apps[0].test_client().get("/api/v1/posts"), range(4)))
    assert {one.status_code for one in answers} == {200}
    assert not is_used(apps[0])
    askers = []
    event.listen(
        apps[0].extensions[REPLICA].engine,
        "do_connect",
        lambda *_: askers.append(threading.get_ident()),
    )
    for _ in range(10):
        assert ann.get("/api/v1/posts").status_code == 200
    assert threading.get_ident() not in askers
    replica.signal(signal.SIGCONT)
    wait_until(lambda: is_used(apps[0]))


def test_lag_is_reported(servers, apps, ann):
    _, replica = servers
    with apps[0].app_context():
        wait_until(lambda: check_replica().reason == "0.0 s behind")
        replica.query("SELECT pg_wal_replay_pause()")
        publish(ann, "Late")
        wait_until(lambda: check_replica().reason != "0.0 s behind")
        assert check_replica().status == "ok"
    client = apps[0].test_client()
    assert client.get("/readyz").json["checks"]["replica"]["reason"].endswith("s behind")
    numbers = client.get("/metrics").text
    assert "quire_replica_up 1.0" in numbers
    assert 'quire_replica_lookups_total{server="replica"}' in numbers
    (size,) = [line for line in numbers.splitlines() if line.startswith("quire_replica_lag_bytes ")]
    assert float(size.split()[1]) > 0


def test_server_that_is_not_a_replica_is_not_read(servers, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(outage_log, "_logged_at", {})
    primary, _ = servers
    app = application(primary, primary, tmp_path)
    with app.app_context():
        assert check_replica().reason == module.FOREIGN.reason
    for _ in range(3):
        assert not is_used(app)
        time.sleep(0.1)
    assert any(module.FOREIGN.reason in one.message for one in caplog.records)
    close(app)
