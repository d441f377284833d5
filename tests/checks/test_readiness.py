"""/readyz: 200 if database, schema, disk and jobs are healthy, else 503 with reasons, within seconds."""

import shutil
import sqlite3
import threading
from collections import namedtuple

import pytest
from sqlalchemy import text

from quire.checks import jobs, readiness
from quire.monitoring.setup import shared_counters
from quire.store.db import db, transaction
from quire.store.events.outbox import enqueue
from quire.store.migrations import newest_revision
from tests.databases import stamp
from tests.waiting import wait_until

USAGE = namedtuple("usage", "total used free")


def asked(app, **headers):
    response = app.test_client().get("/readyz", headers=headers)
    assert response.headers["Cache-Control"] == "no-store"
    body = response.get_json()
    assert (body["status"] == "ok") == (response.status_code == 200)
    assert all("reason" in one for one in body["checks"].values() if one["status"] != "ok")
    return response.status_code, body["checks"]


def wait_minutes(app, minutes, stop_clock):
    with app.app_context():
        enqueue("mail.reset")
    stop_clock(minutes=minutes)


def test_healthy_server_is_ready(app):
    status, checks = asked(app)
    assert status == 200
    assert list(checks) == ["database", "schema", "jobs", "disk"]
    assert {one["status"] for one in checks.values()} == {"ok"}


def test_readiness_answers_for_any_host(app):
    assert asked(app, Host="evil.example")[0] == 200


@pytest.mark.parametrize(
    ("revision", "words"), [("000000000000", "too old"), ("", "no database yet")]
)
def test_outdated_schema_is_not_ready(app, revision, words):
    with app.app_context():
        with transaction() as connection:
            stamp(connection, revision)
        status, checks = asked(app)
        with transaction() as connection:
            stamp(connection, newest_revision())
    assert status == 503 and words in checks["schema"]["reason"]
    assert checks["database"]["status"] == "ok"


@pytest.mark.parametrize(
    ("megabytes", "status", "word"), [(2000, 200, "ok"), (500, 200, "warning"), (10, 503, "error")]
)
def test_low_disk_space_is_a_warning_then_an_error(app, monkeypatch, megabytes, status, word):
    usage = USAGE(10**12, 0, megabytes * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    answer = asked(app)
    assert (answer[0], answer[1]["disk"]["status"]) == (status, word)


def test_briefly_waiting_jobs_are_ready(app, stop_clock):
    wait_minutes(app, 4, stop_clock)
    assert asked(app)[0] == 200


def test_waiting_jobs_without_a_worker_are_not_ready(app, stop_clock):
    wait_minutes(app, 6, stop_clock)
    status, checks = asked(app)
    assert status == 503
    assert checks["jobs"]["reason"] == (
        "The oldest job has been waiting for 6 minutes, and no worker is running."
    )
    assert "worker" in checks["jobs"]["action"]


def test_backlog_with_busy_workers_is_a_warning(app, stop_clock, monkeypatch):
    wait_minutes(app, 6, stop_clock)
    monkeypatch.setattr(jobs, "job_threads", lambda app: 1)
    status, checks = asked(app)
    assert (status, checks["jobs"]["status"]) == (200, "warning")


def test_worker_on_another_machine_is_detected_by_its_claim(app, stop_clock):
    with app.app_context():
        enqueue("mail.reset")
        enqueue("mail.reset")
        with transaction() as connection:
            claim = "UPDATE outbox SET attempts = 1, due_at = '2999-01-01T00:00:00.000000Z'"
            if connection.dialect.name != "sqlite":
                claim = "UPDATE outbox SET attempts = 1, due_at = '2999-01-01'"
            connection.execute(text(f"{claim} WHERE id = (SELECT max(id) FROM outbox)"))
    stop_clock(minutes=6)
    assert asked(app)[1]["jobs"]["status"] == "warning"


def test_unreachable_database_is_not_ready_and_leaks_no_address(make_app, tmp_path):
    app = make_app(DATABASE_URL="postgresql://somebody:secret@127.0.0.1:1/nothing")
    status, checks = asked(app)
    assert status == 503
    assert checks["database"]["status"] == checks["schema"]["status"] == "error"
    assert "127.0.0.1" not in str(checks) and "secret" not in str(checks)
    assert "somebody" not in str(checks)


def test_read_only_database_is_a_warning(app, monkeypatch):
    monkeypatch.setattr(readiness, "is_read_only", lambda connection: True)
    status, checks = asked(app)
    assert (status, checks["database"]["status"]) == (200, "warning")
    assert checks["database"]["reason"] == "The database is read-only."


def test_readiness_does_not_wait_for_a_writer(app):
    with app.app_context():
        url = db.engine.url
        if url.get_backend_name() != "sqlite":
            pytest.skip("PostgreSQL has no lock of its one writer")
    writer = sqlite3.connect(url.database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert asked(app)[0] == 200
    writer.execute("ROLLBACK")
    writer.close()


def test_hanging_database_is_not_ready_and_checked_once(app, monkeypatch):
    monkeypatch.setattr(readiness, "SECONDS", 0.05)
    released, calls = threading.Event(), []

    def hang():
        calls.append(1)
        released.wait(10)
        return {"database": readiness.OK}

    monkeypatch.setattr(readiness, "_check_database", hang)
    for _ in range(3):
        status, checks = asked(app)
        assert status == 503 and "did not answer within" in checks["database"]["reason"]
    assert len(calls) == 1  # later requests join the one that hangs
    released.set()
    wait_until(lambda: not any(one.name == "readiness" for one in threading.enumerate()))


def test_workers_of_other_processes_count(app, stop_clock):
    wait_minutes(app, 6, stop_clock)
    with app.app_context():
        folder = shared_counters()._folder
    folder.mkdir(exist_ok=True)
    state = '{"started": 1, "cpu_seconds": 1, "memory_bytes": 1, "job_threads": 2}'
    (folder / "h-1-a.json").write_text(f'{{"process": {state}}}', encoding="utf-8")
    try:
        assert asked(app)[1]["jobs"]["status"] == "warning"
    finally:
        shutil.rmtree(folder)
