"""Attempts from many addresses, and time that passes immediately."""

import os
from importlib import import_module

import pytest

from quire.security import counter_storage, login_throttle
from quire.security.counter_storage import PREFIX
from tests.users import PASSWORD

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
REDIS = os.environ.get("TEST_REDIS_URL", "")
needs_redis = pytest.mark.skipif(not REDIS, reason="TEST_REDIS_URL is not set")


def redis_client():
    """Return a client of Redis; its library takes 6 MB of a process, and few runs have a server."""
    return import_module("redis").from_url(REDIS)


def wait_for_redis(monkeypatch):
    """Count in Redis even if it responds late, since other tests keep the machine busy."""
    monkeypatch.setattr(counter_storage, "TIMEOUT_SECONDS", 30)
    monkeypatch.setattr(counter_storage, "SLOW_SECONDS", 30)


class Attempts:
    """Users of an application that counts their attempts."""

    def __init__(self, app):
        self.app = app

    def api(self, name="ann", password="wrong", ip=HERE, **more):
        """Sign in through the API."""
        given = {"email": more.pop("email", f"{name}@example.org"), "password": password}
        return self.post("/api/v1/auth/token", ip, json=given, **more)

    def page(self, name="ann", password="wrong", ip=HERE):
        """Sign in through the page."""
        given = {"email": f"{name}@example.org", "password": password}
        return self.post("/auth/login", ip, data=given)

    def right(self, name="ann", ip=HERE):
        """Sign in with the correct password."""
        return self.api(name, PASSWORD, ip)

    def post(self, path, ip=HERE, **more):
        """Send a request from an address."""
        here = {"REMOTE_ADDR": ip}
        return self.app.test_client().post(path, environ_overrides=here, **more)

    def fail(self, times, **more):
        """Send wrong passwords; return the statuses of the responses."""
        return [self.api(**more).status_code for _ in range(times)]

    def block(self, **more):
        """Send so many wrong passwords that the next one has to wait for a minute."""
        for _ in range(12):
            self.later(60)
            assert self.api(**more).status_code == 401

    def later(self, seconds):
        """Let time pass for the counters."""
        tallies = self.app.extensions[login_throttle.STORAGE]
        if hasattr(tallies, "redis"):
            kept = redis_client()
            for key in kept.scan_iter(f"{PREFIX}:*"):
                kept.pexpire(key, max(0, kept.pttl(key) - 1000 * seconds))
        else:
            for key in tallies.expirations:
                tallies.expirations[key] -= seconds


def wait_of(answer):
    """Return the seconds after which to try again."""
    assert answer.status_code == 429
    return int(answer.headers["Retry-After"])
