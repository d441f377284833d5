"""Sorts text like the index of a book, by a hidden column that contains a sort key."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Index, String
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from quire.declare.text_segmentation import words

LENGTH = 100
"""The length of a key; texts with equal keys are sorted by id."""
_DIGITS = re.compile(r"[0-9]+")
_SIGNS = re.compile(r"[^a-z0-9](?:(?<! )|[^a-z0-9])[^a-z0-9]*")
"""Separators of words in ASCII, except a single space; it begins with a set, which is fast to search for."""


@lru_cache(10_000)
def sort_key(text: str) -> str:
    """Return the key by which a text is sorted, in code point order.

    Case and accents are ignored; spaces and symbols come before digits, digits before letters, and numbers are
    sorted by value.
    """
    start = text[: 2 * LENGTH]
    folded = _fold_ascii(start) if text.isascii() else _fold(start)
    return _DIGITS.sub(_by_value, folded)[:LENGTH]


def _fold(text: str) -> str:
    parts, end = [], 0
    for word in words(text):
        parts += [_separator(text[end : word.start]), word.text]
        end = word.end
    return "".join([*parts, _separator(text[end:])])


def _fold_ascii(text: str) -> str:
    """Do the same for most texts, several times as fast."""
    return _SIGNS.sub(lambda signs: _separator(signs[0]), text.lower())


def _separator(signs: str) -> str:
    return "!" if signs.strip() else signs[:1]


def _by_value(number: re.Match[str]) -> str:
    """Put the number of digits before a number, so that 9 comes before 10."""
    digits = number[0].lstrip("0")
    return f"{len(digits):02}{digits}"


def _key_or_none(text: str | None) -> str | None:
    return None if text is None else sort_key(text)


class SortKey(TypeDecorator[str]):
    """The sort key of a text, computed when it is written; the same order on every database."""

    impl = String(LENGTH)
    cache_ok = True
    script = (
        f"sa.String(length={LENGTH})"
        f".with_variant(sa.String(length={LENGTH}, collation='C'), 'postgresql')"
    )
    """The type in migrations."""

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """PostgreSQL only sorts by code points if that is requested."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(LENGTH, collation=collation))

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        return _key_or_none


def sort_column(model: Any, column: Any) -> Any:
    """Return the companion `<column>_sort` of a column, created with its index if it is missing.

    The store fills it in. The index also contains the columns that a model names as `__visible_by__`, which
    determine who may see a row, so that deep pages of a sorted list skip rows without reading them.
    """
    name = f"{column.key}_sort"
    if name not in model.__table__.c:
        companion = mapped_column(
            SortKey(),
            default=lambda context: context.get_current_parameters().get(column.key),
            nullable=column.nullable,
        )
        setattr(model, name, companion)
        table = model.__table__
        visible_by = (table.c[one] for one in getattr(model, "__visible_by__", ()))
        Index(f"ix_{table.name}_{name}", table.c[name], table.c.id, *visible_by)
    return model.__table__.c[name]
