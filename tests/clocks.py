"""The clock of the program, as tests set it."""

from datetime import UTC, datetime, timedelta

from quire.declare import clock


def stop_clock(monkeypatch, **later):
    """Let it be so much later than the present, or earlier, and stay so until `monkeypatch` is undone."""
    stopped = datetime.now(UTC) + timedelta(**later)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return stopped.astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Stopped)
