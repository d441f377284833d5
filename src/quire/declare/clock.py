"""The time of day: one clock, UTC, whole seconds, RFC 3339 with Z outside."""

from datetime import UTC, datetime
from functools import lru_cache


def now() -> datetime:
    """The present in UTC, cut to the second: what is stored is exactly what is shown."""
    return datetime.now(UTC).replace(microsecond=0)


def to_utc(value: datetime) -> datetime:
    """`value` in UTC, cut to the second; a value without a zone is taken as UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


@lru_cache(256)
def rfc3339(value: datetime) -> str:
    """`2026-01-31T12:00:00Z` for an aware datetime."""
    return to_utc(value).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
