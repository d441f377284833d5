"""Requests that wait for changes: others are answered meanwhile, and a server that stops ends them."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import event

from quire.actor import SYSTEM
from quire.auth.jwt import issue
from quire.records import POSTS, TAGS
from quire.store import write
from quire.store.db import db
from quire.store.events.feed_position import current_position
from tests.running_server import serving

WAITING = 30


@pytest.fixture
def quire(make_app):
    """An application with two threads for requests."""
    return make_app(THREADS=2)


def ask(url):
    with urlopen(url, timeout=40) as answer:
        return answer.read()


def cursor(url):
    return ask(f"{url}/api/v1/changes").decode().partition('"next":"')[2].partition('"')[0]


def wait_for_waiters(app, count=WAITING):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        watcher = app.extensions.get("quire.changes")
        if watcher and len(watcher.waits) == count:
            return
        time.sleep(0.05)
    raise AssertionError(f"not {count} of them wait")


def test_others_are_answered_and_all_waiting_requests_see_a_change(quire):
    with serving(quire) as url, ThreadPoolExecutor(WAITING) as pool:
        address = f"{url}/api/v1/changes?wait=25&since={cursor(url)}"
        answers = [pool.submit(ask, address) for _ in range(WAITING)]
        wait_for_waiters(quire)
        assert b'"tags"' in ask(f"{url}/api/v1/tags")
        with quire.app_context():
            id = write.create(TAGS, SYSTEM, {"name": "sea"}).id
            assert current_position().last
        for answer in answers:
            assert f'"id":{id}'.encode() in answer.result(20)


def test_stopping_server_ends_the_wait(quire):
    with ThreadPoolExecutor(WAITING) as pool:
        with serving(quire) as url:
            address = f"{url}/api/v1/changes?wait=25&since={cursor(url)}"
            answers = [pool.submit(ask, address) for _ in range(WAITING)]
            wait_for_waiters(quire)
            begun = time.monotonic()
        assert time.monotonic() - begun < 15
        assert all(b'"changes":[]' in answer.result(20) for answer in answers)
    assert not [one for one in threading.enumerate() if one.name == "changes" and time.sleep(1)]


def begin_to_wait(url, since):
    """Return the connection of a waiting request."""
    address = urlsplit(url)
    client = socket.create_connection((address.hostname, address.port), timeout=20)
    path = f"/api/v1/changes?wait=25&since={since}"
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
    return client


def test_disconnected_clients_free_their_places(make_app):
    app = make_app(THREADS=2, CHANGES_WAITING=WAITING)
    with serving(app) as url:
        since = cursor(url)
        clients = [begin_to_wait(url, since) for _ in range(WAITING)]
        wait_for_waiters(app)
        for client in clients[1:]:
            client.close()
        wait_for_waiters(app, count=1)
        with clients[0] as half:  # it sends nothing more, but still reads
            half.shutdown(socket.SHUT_WR)
            assert b'"changes":[]' in half.recv(4096)


def test_connection_continues_after_a_wait(quire):
    with serving(quire) as url:
        since = cursor(url)
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
            connection.request("GET", f"/api/v1/changes?wait=25&since={since}")
            wait_for_waiters(quire, count=1)
            with quire.app_context():
                id = write.create(TAGS, SYSTEM, {"name": "sea"}).id
            assert f'"id":{id}'.encode() in connection.getresponse().read()
            connection.request("GET", "/api/v1/tags")
            assert b'"tags"' in connection.getresponse().read()


def test_identical_requests_share_one_read(quire, people):
    """Ten requests of each reader: each gets only what that reader may see."""
    readers = {name: headers(quire, name and people[name]) for name in (None, "ann", "bob")}
    with serving(quire) as url, ThreadPoolExecutor(WAITING) as pool, reads_of_posts(quire) as reads:
        answers = {
            name: [pool.submit(changes, url, proof) for _ in range(10)]
            for name, proof in readers.items()
        }
        wait_for_waiters(quire)
        with quire.app_context():
            post = {"title": "Ebb", "body": "Low.", "author": people["ann"].id}
            draft = write.create(POSTS, SYSTEM, post).id
            for answer in answers["ann"]:
                assert answer.result(20) == [("upsert", draft)]
            wait_for_reads(reads, len(readers))  # the others go on waiting
            published = write.create(POSTS, SYSTEM, {**post, "published": True}).id
        for answer in (*answers[None], *answers["bob"]):
            assert answer.result(20) == [("upsert", published)]
        assert len(reads) == len(readers) + 2


def wait_for_reads(reads, count):
    until = time.monotonic() + 20
    while len(reads) < count and time.monotonic() < until:
        time.sleep(0.05)
    assert len(reads) == count


def headers(app, account):
    """Return the credentials of an account, none for None."""
    with app.app_context():
        return {"Authorization": f"Bearer {issue(account)['access_token']}"} if account else {}


def changes(url, proof):
    """Return the changes that a waiting reader gets from now on, as operations and ids."""
    path = f"{url}/api/v1/changes"

    def told(query):
        with urlopen(Request(path + query, headers=proof), timeout=40) as answer:
            return json.load(answer)

    answer = told(f"?types=posts&wait=25&since={told('')['next']}")
    return [(one["op"], one["id"]) for one in answer["changes"]]


@contextmanager
def reads_of_posts(app):
    """The statements that read changed posts."""
    sent = []

    def note(connection, cursor, statement, *rest):
        if "page_ids" in statement and statement.startswith("SELECT posts."):
            sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
