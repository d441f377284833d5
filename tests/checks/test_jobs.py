"""The checks for failed or waiting jobs and disabled webhooks; others are in test_readiness."""

import pytest
from sqlalchemy import insert, text

from quire.actor import SYSTEM
from quire.checks import jobs
from quire.config.running_servers import registered
from quire.declare.clock import now
from quire.jobs.worker import run_due_jobs
from quire.monitoring.setup import shared_counters
from quire.records import DELIVERIES, WEBHOOKS
from quire.store.db import transaction
from quire.store.events.mail import enqueue_mail
from quire.store.events.outbox import enqueue
from quire.store.write import create
from tests.mail_servers import Post


@pytest.fixture
def context(app):
    """The application's context."""
    with app.app_context():
        yield app


def test_healthy_queue_passes_all_checks(context):
    assert [one().status for one in (jobs.check_jobs, jobs.check_queue, jobs.check_webhooks)] == [
        "ok"
    ] * 3


def test_missing_worker_is_a_warning(make_app, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    with app.app_context():
        assert jobs.check_worker().status == "warning"
        folder = shared_counters()._folder
        folder.mkdir()
        state = '{"started": 1, "cpu_seconds": 1, "memory_bytes": 1, "job_threads": 2}'
        (folder / "h-1-a.json").write_text(f'{{"process": {state}}}', encoding="utf-8")
        assert jobs.check_worker().status == "ok"


def test_just_started_server_counts_as_a_worker(make_app, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path, JOB_THREADS=1)
    with app.app_context(), registered(tmp_path, "http://127.0.0.1:8000/"):
        assert jobs.check_worker().status == "ok"
        app.config["JOB_THREADS"] = 0
        assert jobs.check_worker().status == "warning"


def test_permanently_failed_job_is_a_warning(make_app, people):
    post = Post()
    post.start()
    app = make_app(**post.settings())
    try:
        with app.app_context():
            post.answers.append("550 nobody of that name")
            enqueue_mail("reset", email="ann@example.org")
            run_due_jobs()
            result = jobs.check_queue()
    finally:
        post.stop()
    assert result.status == "warning" and result.reason == "1 job has failed for good."


def test_backlog_of_jobs_is_reported(context, monkeypatch):
    monkeypatch.setattr(jobs, "BACKLOG", 3)
    for _ in range(4):
        enqueue("mail.reset")
    assert jobs.check_queue().reason == "4 jobs are waiting."


def test_failed_deliveries_and_disabled_webhooks_are_reported(context, people):
    raw = {"url": "https://127.0.0.1/", "events": ["posts.created"], "owner": people["root"].id}
    context.config["WEBHOOK_PRIVATE_NETWORKS"] = True
    try:
        hook = create(WEBHOOKS, SYSTEM, raw).id
    finally:
        context.config["WEBHOOK_PRIVATE_NETWORKS"] = False
    delivery = {
        "webhook_id": hook, "event": "posts.created", "message_id": "m", "type": "posts",
        "record_id": 1, "event_at": now(), "status": "failed",
    }  # fmt: skip
    with transaction() as connection:
        connection.execute(insert(DELIVERIES.model.__table__).values(**delivery))
    assert "1 delivery" in jobs.check_webhooks().reason
    with transaction() as connection:
        off = "UPDATE webhooks SET is_active = false, disabled_reason = 'All attempts have failed.'"
        connection.execute(text(off))
    assert "1 webhook was turned off" in jobs.check_webhooks().reason
