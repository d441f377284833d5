"""A worker that is killed in the middle of a delivery: it is sent again with the same id, and in order."""

import os
import secrets
import subprocess
import sys
import threading

import pytest
from sqlalchemy import update

from quire.actor import SYSTEM
from quire.app import create_app
from quire.declare.clock import now
from quire.jobs.webhooks.fan_out import SEND
from quire.records import TAGS, WEBHOOKS
from quire.store import write
from quire.store.db import db, transaction
from quire.store.events.outbox import OutboxEvent
from tests.faults.kill import ROOT
from tests.faults.test_killed_import import worker
from tests.jobs.webhooks.conftest import deliveries, listening, send
from tests.waiting import wait_until

pytestmark = pytest.mark.faults


@pytest.fixture
def environment(tmp_path):
    """The environment of a worker next to an application on the same database."""
    url = f"sqlite:///{(tmp_path / 'quire.db').as_posix()}"
    shared = {"QUIRE_INSTANCE": str(tmp_path), "SECRET_KEY": secrets.token_urlsafe(40)}
    environment = {**os.environ, **shared, "WEBHOOK_PRIVATE_NETWORKS": "true"}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, str(ROOT / "manage.py"), "db", "upgrade"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    app = create_app("testing", {**shared, "DATABASE_URL": url, "WEBHOOK_PRIVATE_NETWORKS": True})
    with app.app_context():
        yield environment
        db.engine.dispose()


def let_others_try():
    """Expire the claim of a killed worker immediately instead of after a minute."""
    with transaction() as connection:
        claimed = update(OutboxEvent.__table__).where(OutboxEvent.event == SEND)
        connection.execute(claimed.values(due_at=now()))


def test_delivery_is_repeated_with_its_id_and_in_order(environment):
    never = threading.Event()
    with listening() as receiver:
        receiver.answer = lambda handler, message: never.wait(60)
        raw = {"url": receiver.url, "events": ["tags.*"]}
        write.create(WEBHOOKS, SYSTEM, raw)
        tag = write.create(TAGS, SYSTEM, {"name": "a"}).id
        for name in "bc":
            write.update(TAGS, SYSTEM, tag, {"name": name})
        with worker(environment):
            wait_until(lambda: receiver.messages)
        receiver.answer = lambda handler, message: send(handler, 204)
        let_others_try()
        with worker(environment):
            wait_until(lambda: {row.status for row in deliveries()} == {"delivered"})
        never.set()
        ids = [message.headers["webhook-id"] for message in receiver.messages]
        versions = [message.json["data"]["version"] for message in receiver.messages]
    assert ids[0] == ids[1] and len(set(ids)) == 3
    assert versions == [1, 1, 2, 3]
