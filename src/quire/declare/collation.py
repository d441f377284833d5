"""Sorts text the way the index of a book does, by a hidden column that holds a sort key."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Index, String
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from quire.declare.text_segmentation import words

LENGTH = 100
"""Characters of a key; texts that are equal up to there are sorted by id."""
_DIGITS = re.compile(r"[0-9]+")
_SIGNS = re.compile(r"[^a-z0-9](?:(?<! )|[^a-z0-9])[^a-z0-9]*")
"""What stands between words in ASCII, but for a single space; it begins with a set, which is quick to find."""


@lru_cache(10_000)
def sort_key(text: str) -> str:
    """What a text is sorted by, in the order of code points.

    Case and accents do not count; spaces and signs come before digits, digits before letters, and
    numbers go by their value.
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
    """The same for most texts, several times as fast."""
    return _SIGNS.sub(lambda signs: _separator(signs[0]), text.lower())


def _separator(signs: str) -> str:
    return "!" if signs.strip() else signs[:1]


def _by_value(number: re.Match[str]) -> str:
    """A number behind the count of its digits: 9 comes before 10."""
    digits = number[0].lstrip("0")
    return f"{len(digits):02}{digits}"


def _key_or_none(text: str | None) -> str | None:
    return None if text is None else sort_key(text)


class SortKey(TypeDecorator[str]):
    """The key of a text, which is what is written; the same order on every database."""

    impl = String(LENGTH)
    cache_ok = True
    script = (
        f"sa.String(length={LENGTH})"
        f".with_variant(sa.String(length={LENGTH}, collation='C'), 'postgresql')"
    )
    """The type in a migration."""

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Code points have no order of their own on PostgreSQL unless it is asked for."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(LENGTH, collation=collation))

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        return _key_or_none


def sort_column(model: Any, column: Any) -> Any:
    """The companion `<column>_sort` of a column, created with its index if it is missing.

    The store fills it. The index holds what a model names as `__visible_by__`, too: the columns that say
    who may see a row, so that a page deep in a sorted list skips rows without reading them.
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
