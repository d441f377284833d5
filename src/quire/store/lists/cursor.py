"""Cursors: signed positions in a list, valid as long as the list has the same filters and order."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, false, or_, tuple_
from sqlalchemy.sql.elements import ColumnElement

from quire.declare.query import Query
from quire.declare.value_kinds import Kind
from quire.errors import BadRequest, detail
from quire.web.current import current_config

SortKey = tuple[Any, bool, bool, Kind]
"""What to sort by, whether descending, whether it can be null (nulls come last), its kind."""

_FREE = ("cursor", "per_page", "page", "count", "fields", "include")


_SIGNATURE = 16


@cache
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"quire-cursor" + secret.encode()).digest()


def _signature(packed: bytes) -> bytes:
    return hmac.digest(_key(current_config()["SECRET_KEY"]), packed, "sha256")[:_SIGNATURE]


def fingerprint(path: str, query: Query) -> str:
    """Return what a cursor is bound to: the type, the filters, the sort order."""
    own = sorted(pair for pair in query.parameters if pair[0] not in _FREE)
    return _digest(repr((path, own, query.nested, query.panel)))


@lru_cache(100)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def encode(mark: str, backwards: bool, keys: list[SortKey], values: Sequence[Any]) -> str:
    """Return a cursor after (or, backwards, before) the row with these sort values."""
    texts = [_text(key[3], value) for key, value in zip(keys, values, strict=True)]
    return seal([mark, backwards, texts])


def seal(value: Any) -> str:
    """Return a JSON value as signed text, which clients send back unchanged."""
    packed = orjson.dumps(value)
    return base64.urlsafe_b64encode(_signature(packed) + packed).rstrip(b"=").decode()


def unseal(text: str) -> Any:
    """Return the value in a text from `seal`; None if it is not one of ours."""
    try:
        decoded = base64.urlsafe_b64decode(text + "==")
    except ValueError:  # not ASCII, or not base64
        return None
    signature, packed = decoded[:_SIGNATURE], decoded[_SIGNATURE:]
    return orjson.loads(packed) if hmac.compare_digest(signature, _signature(packed)) else None


def _text(kind: Kind, value: Any) -> str | None:
    """Return a sort value as text that `kind` can parse; times and dates are text already."""
    return value if value is None or isinstance(value, str) else str(kind.value_out(value))


def decode(text: str, mark: str, keys: list[SortKey]) -> tuple[bool, list[Any]]:
    """Return the direction and the sort values of a cursor. Raises BadRequest if it is invalid or of another list."""
    cursor_mark, backwards, values = _unpack(text)
    if cursor_mark != mark or len(values) != len(keys):
        message = "This cursor does not belong to this list. Start again without it."
        raise BadRequest(
            message, code="invalid_cursor", details=[detail("cursor", "bad_format", message)]
        )
    restored = [
        None if value is None else key[3].from_text(value)
        for key, value in zip(keys, values, strict=True)
    ]
    return backwards, restored


def size(text: str) -> int:
    """Return how many sort values a cursor has; 0 if it is invalid."""
    return len(_unpack(text)[2])


def _unpack(text: str) -> tuple[str | None, bool, list[Any]]:
    value = unseal(text)
    if value is None or len(value) != len(("mark", "backwards", "values")):
        return None, False, []
    mark, backwards, values = value
    return mark, backwards, values


def rows_after(keys: list[SortKey], backwards: bool, values: list[Any]) -> ColumnElement[bool]:
    """Return the condition for rows after a position in sort order (before it, if `backwards`).

    Values are bound as `after_0`, `after_1` ...
    """
    marks = [bindparam(f"after_{i}", type_=key[0].type) for i, key in enumerate(keys)]
    falls = [descending != backwards for _, descending, _, _ in keys]
    if len(set(falls)) == 1 and not any(nullable for _, _, nullable, _ in keys):
        left, right = tuple_(*(key[0] for key in keys)), tuple_(*marks)
        return left < right if falls[0] else left > right
    steps = []
    for i, (column, _, nullable, _) in enumerate(keys):
        ties = [_equal(keys[j][0], marks[j], values[j]) for j in range(i)]
        steps.append(
            and_(*ties, _comes_after(column, marks[i], values[i], falls[i], nullable, backwards))
        )
    return or_(*steps)


def _equal(column: Any, mark: Any, value: Any) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == mark


def _comes_after(
    column: Any, mark: Any, value: Any, falls: bool, nullable: bool, backwards: bool
) -> ColumnElement[bool]:
    if value is None:
        return column.is_not(None) if backwards else false()
    past = column < mark if falls else column > mark
    return or_(past, column.is_(None)) if nullable and not backwards else past
