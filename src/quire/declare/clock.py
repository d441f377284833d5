"""The time of day: one clock, UTC, whole seconds, RFC 3339 with Z outside."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_STORED = (
    "%(year)04d-%(month)02d-%(day)02dT%(hour)02d:%(minute)02d:%(second)02dZ"  # what SQLite holds
)
_PARSED = r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z"


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


def _stored(value: datetime | None) -> str | None:
    return None if value is None else rfc3339(value)


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else to_utc(value)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: timestamptz on PostgreSQL, RFC 3339 text on SQLite.

    SQLite has no time type and drops zones; text of fixed width sorts as time does and needs no
    work on the way out. One change binds the present a dozen times: its text is remembered.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            stored = sqlite.DATETIME(storage_format=_STORED, regexp=_PARSED)
            return dialect.type_descriptor(stored)
        return dialect.type_descriptor(DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _stored if dialect.name == "sqlite" else _utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return _utc(value)
