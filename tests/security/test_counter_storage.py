"""Counters in a silent or slow Redis: at most one request waits, and limits continue in memory."""

import threading
from urllib.parse import urlsplit

import pytest

from quire.monitoring import outage_log
from quire.security import counter_storage
from quire.security.counter_storage import FallbackStorage, storage_uri
from tests.auth.attempts import REDIS, needs_redis
from tests.running_server import silent_server
from tests.tcp_proxies import proxied

LATE = 0.3
"""Seconds of delay of a slow answer: far more than a busy machine causes."""


@pytest.fixture(autouse=True)
def _never_again(monkeypatch):
    monkeypatch.setattr(counter_storage, "RETRY_SECONDS", 3600)
    monkeypatch.setattr(outage_log, "_logged_at", {})


def storage_at(port):
    """Return a storage on the Redis at that port, and the names of the calls on which this thread waits."""
    storage = FallbackStorage(storage_uri(f"redis://127.0.0.1:{port}/0"))
    own, calls = threading.get_ident(), []
    for name in ("incr", "get"):

        def noted(*arguments, name=name, call=getattr(storage.redis, name)):
            if threading.get_ident() == own:
                calls.append(name)
            return call(*arguments)

        setattr(storage.redis, name, noted)
    return storage, calls


def test_one_request_waits_for_a_silent_redis(caplog):
    with silent_server() as (port, _):
        storage, calls = storage_at(port)
        assert [storage.incr("a", 60) for _ in range(20)] == list(range(1, 21))
    assert calls == ["incr"]
    assert caplog.text.count("Redis does not answer") == 1


def test_silent_redis_is_retried_in_another_thread(monkeypatch):
    monkeypatch.setattr(counter_storage, "RETRY_SECONDS", 0)
    with silent_server() as (port, _):
        storage, calls = storage_at(port)
        for _ in range(20):
            storage.incr("a", 60)
        for thread in threading.enumerate():
            if thread.name == "redis":
                thread.join(10)
    assert calls == ["incr"]


@needs_redis
def test_slow_redis_is_avoided_until_it_is_fast_again(caplog, monkeypatch):
    monkeypatch.setattr(counter_storage, "SLOW_SECONDS", 2 * LATE / 3)
    monkeypatch.setattr(counter_storage, "TIMEOUT_SECONDS", 10 * LATE)
    with proxied(urlsplit(REDIS).port) as proxy:
        storage, calls = storage_at(proxy.port)
        storage.reset()
        storage.incr("a", 60)
        calls.clear()
        proxy.delay = LATE
        for _ in range(20):
            storage.incr("a", 60)
        assert calls == ["incr"] * counter_storage.SLOW_ANSWERS
        calls.clear()
        storage._ask_again()
        storage.incr("a", 60)
        assert "incr" not in calls
        proxy.delay = 0
        storage._ask_again()
        storage.incr("a", 60)
        assert calls[-1] == "incr"
    assert caplog.text.count("Redis answers late") == 1
