"""The clock of the program, as tests set it."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pytest import MonkeyPatch

from quire.declare import clock

PAST, EARLIER, FUTURE = "2026-01-02T10:00:00Z", "2026-01-01T10:00:00Z", "2099-01-01T10:00:00Z"
"""When content of the tests was published, or will be."""


def stop_clock(monkeypatch, present=None, **later):
    """Let it be so much later than `present` or now, or earlier, and stay so until `monkeypatch` is undone."""
    stopped = (present or datetime.now(UTC)) + timedelta(**later)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return stopped.astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Stopped)


@contextmanager
def an_hour_ago():
    """Within the block it is an hour ago, for what many tests share.

    What grows old in the course of a long run would let a test fail at its end alone.
    """
    with MonkeyPatch.context() as patch:
        stop_clock(patch, hours=-1)
        yield
