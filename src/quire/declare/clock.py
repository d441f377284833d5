"""The clock: UTC, whole seconds, RFC 3339 with Z in output."""

from datetime import UTC, datetime
from functools import lru_cache


def now() -> datetime:
    """Return the current time in UTC, truncated to the second, so that what is stored is exactly what is shown."""
    return datetime.now(UTC).replace(microsecond=0)


def to_utc(value: datetime) -> datetime:
    """Return `value` in UTC, truncated to the second; without a zone, it is taken as UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


@lru_cache(256)
def rfc3339(value: datetime) -> str:
    """Return an aware datetime as `2026-01-31T12:00:00Z`."""
    return to_utc(value).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
