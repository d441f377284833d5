"""SQL types that both databases store exactly: times in UTC, decimal numbers."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Numeric
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from quire.declare.clock import rfc3339, to_utc

_STORAGE_FORMAT = (
    "%(year)04d-%(month)02d-%(day)02dT%(hour)02d:%(minute)02d:%(second)02dZ"  # as SQLite stores it
)


_PARSE_PATTERN = r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z"


def _to_text(value: datetime | None) -> str | None:
    return None if value is None else rfc3339(value)


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else to_utc(value)


class UTCDateTime(TypeDecorator[datetime]):
    """A time: timestamptz on PostgreSQL, RFC 3339 text on SQLite.

    SQLite has no time type and drops zones; text of fixed width sorts like time and needs no conversion in output.
    A change binds the current time a dozen times, so its text is cached.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            text_type = sqlite.DATETIME(storage_format=_STORAGE_FORMAT, regexp=_PARSE_PATTERN)
            return dialect.type_descriptor(text_type)
        return dialect.type_descriptor(DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _to_text if dialect.name == "sqlite" else _utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return _utc(value)


class _Scaled(Numeric[Any]):
    """NUMERIC whose values are passed unconverted: SQLite stores them as integers."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Do not convert to float."""

    def result_processor(self, dialect: Dialect, coltype: Any) -> None:
        """Do not convert from float."""


class DecimalNumber(TypeDecorator[Decimal]):
    """A decimal of `digits` digits, of which `places` are decimal places.

    SQLite would store a binary float, which is neither exact nor sorted exactly; an integer is both.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int = 12, places: int = 2):
        super().__init__(digits, places)
        self.digits, self.places = digits, places

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Scaled(self.digits, self.places))
        return dialect.type_descriptor(Numeric(self.digits, self.places))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return int(value.scaleb(self.places).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None or dialect.name != "sqlite":
            return value
        return Decimal(value).scaleb(-self.places)
