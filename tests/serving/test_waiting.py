"""Requests that wait for changes: others are answered meanwhile, and a server that stops ends them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from quire.actor import SYSTEM
from quire.records import TAGS
from quire.store import write
from quire.store.feed_position import current_position
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


def wait_for_waiters(app):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        watcher = app.extensions.get("quire.changes")
        if watcher and watcher.waiting == WAITING:
            return
        time.sleep(0.05)
    raise AssertionError("not all of them wait")


def test_others_are_answered_and_all_hear_of_a_change(quire):
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


def test_a_server_that_stops_lets_nobody_wait(quire):
    with ThreadPoolExecutor(WAITING) as pool:
        with serving(quire) as url:
            address = f"{url}/api/v1/changes?wait=25&since={cursor(url)}"
            answers = [pool.submit(ask, address) for _ in range(WAITING)]
            wait_for_waiters(quire)
            begun = time.monotonic()
        assert time.monotonic() - begun < 15
        assert all(b'"changes":[]' in answer.result(20) for answer in answers)
    assert not [one for one in threading.enumerate() if one.name == "changes" and time.sleep(1)]
