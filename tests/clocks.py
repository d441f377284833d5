"""The program's clock in tests."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pytest import MonkeyPatch

from quire.declare import clock

PAST, EARLIER, FUTURE = "2026-01-02T10:00:00Z", "2026-01-01T10:00:00Z", "2099-01-01T10:00:00Z"
"""When content of the tests was published, or will be."""


def stop_clock(monkeypatch, present=None, **later):
    """Stop the clock at a time so much later than `present` or now, or earlier, until `monkeypatch` is undone."""
    stopped = (present or datetime.now(UTC)) + timedelta(**later)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return stopped.astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Stopped)


@contextmanager
def an_hour_ago():
    """Set the clock back by an hour inside the block, for content that many tests share.

    Otherwise content that expires during a long run would make tests fail only at its end.
    """
    with MonkeyPatch.context() as patch:
        stop_clock(patch, hours=-1)
        yield
