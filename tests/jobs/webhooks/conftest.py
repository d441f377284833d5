"""Fixtures for tests of webhooks: a receiver on this machine, and webhooks that send to it."""

import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select, update

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.jobs.webhooks.fan_out import queue_deliveries
from quire.jobs.worker import run_due_jobs
from quire.records import POSTS, WEBHOOKS
from quire.records.deliveries import Delivery
from quire.store.db import read_connection, transaction
from quire.store.write import create

TABLE = Delivery.__table__


@dataclass
class Message:
    """A request that the receiver got."""

    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def about(self):
        """The event and the id of its record."""
        return self.json["type"], self.json["data"]["id"]


class Receiver:
    """An HTTP server that keeps what it is sent; `answer(handler, message)` answers, 204 by default."""

    def __init__(self):
        self.messages = []
        self.answer = lambda handler, message: send(handler, 204)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message(self.path, dict(self.headers), body)
                receiver.messages.append(message)
                with suppress(OSError):  # who sends may have left
                    receiver.answer(self, message)

            do_GET = do_POST

            def log_message(self, *given):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @property
    def heard(self):
        """The events it was told of, with the ids of their records, in order."""
        return [message.about for message in self.messages]


def send(handler, status, body=b"", **headers):
    """Answer a request."""
    handler.send_response(status)
    for name, value in {"Content-Length": len(body), **headers}.items():
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def listening():
    """A receiver as long as the block lasts."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture
def receiver():
    with listening() as receiver:
        yield receiver


@pytest.fixture
def app(app, monkeypatch):
    """The application, which may send to this machine, with a context around the test."""
    monkeypatch.setitem(app.config, "WEBHOOK_PRIVATE_NETWORKS", True)
    with app.app_context():
        yield app


@pytest.fixture
def subscribe(app, people, receiver):
    """`subscribe("posts.*")`: a webhook of ann's that sends to the receiver; what its creation came to."""

    def made(*events, **raw):
        values = {"url": receiver.url, "events": list(events), "owner": people["ann"].id, **raw}
        return create(WEBHOOKS, SYSTEM, values)

    return made


@pytest.fixture
def make_post(make, people):
    """`make_post(title="A")`: the id of a new draft of ann's."""
    return lambda **raw: make(
        POSTS, **{"title": "A", "body": "x", "author": people["ann"].id, **raw}
    )


def work():
    """Make deliveries of what has happened, and send what is due."""
    queue_deliveries()
    run_due_jobs()


def hasten():
    """Let what waits for its next attempt be due."""
    with transaction() as connection:
        waiting = TABLE.c.next_attempt_at.is_not(None)
        connection.execute(update(TABLE).where(waiting).values(next_attempt_at=now()))


def deliveries():
    """Return all deliveries, oldest first."""
    with read_connection() as connection:
        return connection.execute(select(TABLE).order_by(TABLE.c.id)).all()
