"""Exact decimals on both databases: NUMERIC on PostgreSQL, scaled integers on SQLite."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class _Scaled(Numeric[Any]):
    """NUMERIC whose values are passed as they are: SQLite keeps the integers they are."""

    def bind_processor(self, dialect: Dialect) -> None:
        """No conversion to float."""

    def result_processor(self, dialect: Dialect, coltype: Any) -> None:
        """Nor back."""


class DecimalNumber(TypeDecorator[Decimal]):
    """A decimal of `digits` digits, `places` of them behind the point.

    SQLite would keep a binary float, which is neither exact nor sorts exactly; an integer is both.
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
