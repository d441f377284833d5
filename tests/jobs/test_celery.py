"""Celery with real brokers: row ids are sent to `manage.py worker`, which stops cleanly."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.app import create_app
from quire.cli.worker import READY
from quire.declare.job_registry import HANDLERS, on_event
from quire.jobs.runner import run_job
from quire.jobs.side_threads import STOP_SECONDS
from quire.jobs.worker import running_workers
from quire.records import TAGS, USERS, WEBHOOKS
from quire.store.db import db, read_connection
from quire.store.events import queue
from quire.store.events.mail import enqueue_mail
from quire.store.events.outbox import enqueue
from quire.store.write import create
from tests.jobs.webhooks.conftest import deliveries, listening, send
from tests.mail_servers import TABLE, owed
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
BROKERS = {name: os.environ.get(name) for name in ("TEST_REDIS_URL", "TEST_AMQP_URL")}
PERSON = {"username": "ann", "email": "ann@example.org", "password": "long-enough-9"}
SECRET = "brokers-0123456789-abcdefghijklmnopqrstuvwxyz"
STOP = signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGTERM


class Worker:
    """`manage.py worker` with the settings in `more`."""

    def __init__(self, folder, **more):
        env = {
            **os.environ, "QUIRE_INSTANCE": str(folder), "DATABASE_URL": "", "SECRET_KEY": SECRET,
            "PYTHONUNBUFFERED": "1", **more,
        }  # fmt: skip
        flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
        self.log = (folder / "worker.log").open("w", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, env=env, stdout=self.log,
            stderr=subprocess.STDOUT, **flags,
        )  # fmt: skip
        wait_until(lambda: READY in self.said() or self.process.poll() is not None)

    def said(self):
        return Path(self.log.name).read_text(encoding="utf-8")

    def stop(self, by=STOP):
        """Stop the worker and return its exit status."""
        self.process.send_signal(by)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            self.log.close()


def address_of(broker):
    """Return the URL of a broker, empty for none; skip the test if a required one is missing."""
    url = BROKERS.get(broker, "")
    if url is None:
        pytest.skip(f"{broker} is not set")
    return url


def installation(folder, **more):
    return create_app("production", {"QUIRE_INSTANCE": folder, "SECRET_KEY": SECRET, **more})


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["", *BROKERS])
def test_worker_runs_jobs_of_other_processes_and_stops_cleanly(tmp_path, broker):
    url = address_of(broker)
    worker = Worker(tmp_path, CELERY_BROKER_URL=url)
    try:
        app = installation(tmp_path, CELERY_BROKER_URL=url)
        with app.app_context():
            id = create(USERS, SYSTEM, PERSON).id
            for _ in range(5):
                enqueue_mail("two_factor_on", id)
            enqueue("letters.fold")
        wait_until(
            lambda: len(list((tmp_path / "outbox").glob("*.eml"))) == 5 and len(owed(app)) == 0
        )
        wait_until(lambda: state_of(app, "letters.fold").failed_at)
        assert state_of(app, "letters.fold").error == "Nobody handles this."
    finally:
        begun = time.monotonic()
        status = worker.stop()
        seconds = time.monotonic() - begun
    with app.app_context():
        db.engine.dispose()
    assert status == 0 and "Traceback" not in worker.said()
    assert seconds < STOP_SECONDS / 2, "an idle worker stops without waiting"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there Ctrl-C is for all processes of a console")
@pytest.mark.parametrize("broker", ["", *BROKERS])
@pytest.mark.parametrize("seconds", [0, 1], ids=["at once", "later"])
def test_ctrl_c_exits_with_0(tmp_path, broker, seconds):
    worker = Worker(tmp_path, CELERY_BROKER_URL=address_of(broker))
    time.sleep(seconds)  # it reports ready before it is connected to its broker
    assert worker.stop(signal.SIGINT) == 0


def state_of(app, event):
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(TABLE).where(TABLE.c.event == event)).one()


def test_duplicate_message_does_nothing(app, monkeypatch):
    seen = []
    monkeypatch.setitem(HANDLERS, "letters.burn", [])
    on_event("letters.burn")(seen.append)
    with app.app_context():
        enqueue("letters.burn")
        [row] = queue.dispatch(50)
        assert queue.dispatch(50) == [] and queue.claim() is None
        first = queue.claim_dispatched(*row)
        assert queue.claim_dispatched(*row) is None
        run_job(first)
        assert len(seen) == 1 and queue.claim_dispatched(*row) is None


@pytest.mark.slow
@pytest.mark.parametrize("broker", [*BROKERS])
def test_slow_webhook_receivers_do_not_block_other_jobs(tmp_path, broker):
    """Three receivers do not answer and the worker has two threads, but mail is still sent."""
    settings = {"CELERY_BROKER_URL": address_of(broker), "WEBHOOK_PRIVATE_NETWORKS": "true"}
    worker, ended = Worker(tmp_path, **settings), threading.Event()
    with listening() as receiver:
        receiver.answer = lambda handler, message: (ended.wait(9), send(handler, 204))
        try:
            app = installation(tmp_path, **settings)
            with app.app_context():
                id = create(USERS, SYSTEM, PERSON).id
                for n in range(3):
                    create(WEBHOOKS, SYSTEM, {"url": f"{receiver.url}{n}", "events": ["tags.*"]})
                create(TAGS, SYSTEM, {"name": "sea"})
                wait_until(lambda: len(receiver.messages) == 3)
                enqueue_mail("two_factor_on", id)
                wait_until(lambda: list((tmp_path / "outbox").glob("*.eml")))
                assert {one.status for one in deliveries()} == {"pending"}
                ended.set()
                wait_until(lambda: {one.status for one in deliveries()} == {"delivered"})
        finally:
            ended.set()
            status = worker.stop()
    with app.app_context():
        db.engine.dispose()
    assert status == 0 and "Traceback" not in worker.said()


@pytest.mark.slow
def test_unreachable_broker_loses_no_job(make_app, caplog):
    app = make_app(CELERY_BROKER_URL="amqp://guest:guest@127.0.0.1:9//")
    with app.app_context():
        enqueue("letters.burn")
    with running_workers(app):
        wait_until(lambda: "The broker does not answer" in caplog.text)
    row = state_of(app, "letters.burn")
    assert row.due_at and row.attempts == 0 and row.failed_at is None


@pytest.mark.slow
def test_celery_is_not_loaded_without_a_broker():
    command = "import quire.serving.main, sys; sys.exit('celery' in sys.modules or 'kombu' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT / "src", check=False)
    assert done.returncode == 0
