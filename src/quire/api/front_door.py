"""Bodies as they may come in: one strict JSON object, or a plain refusal."""

import json
import math
from typing import Any

from flask import request

from quire.declare.values import INT64
from quire.errors import Malformed, WrongMediaType

MAX_DEPTH = 32
EXACT = 2**53
"""Up to here every integer is a float of its own."""
JSON_TYPES = frozenset({"application/json"})
MERGE_TYPES = JSON_TYPES | {"application/merge-patch+json"}


def read_object(*, optional: bool = False) -> dict[str, Any]:
    """The JSON object in the body; {} for an empty one where it is `optional`.

    Raises Malformed (not UTF-8, not JSON, not an object, too deep, numbers beyond 64 bits, NaN,
    a key twice, NUL or half a character in a text) and WrongMediaType.
    """
    body = request.get_data(cache=False)
    if optional and not body:
        return {}
    allowed = MERGE_TYPES if request.method == "PATCH" else JSON_TYPES
    if request.mimetype not in allowed:
        raise WrongMediaType(f"Send {' or '.join(sorted(allowed))}.")
    value = strict_json(body)
    if not isinstance(value, dict):
        raise Malformed("The body must be one JSON object.")
    return value


def strict_json(body: bytes) -> Any:
    """The value of a JSON text. Raises Malformed for everything that two parsers could read
    differently (RFC 8259 leaves duplicate keys and large numbers open)."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_number,
        )
    except UnicodeDecodeError:
        raise Malformed("The body is not valid UTF-8.") from None
    except RecursionError:
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Malformed(f"The body is not valid JSON ({where}).") from None
    _check(value, 1, b"\\u" in body)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("The body holds a key twice.")
    return found


def _integer(text: str) -> int:
    value = int(text) if len(text) < 21 else INT64 + 1
    if not -INT64 - 1 <= value <= INT64:
        raise Malformed("The body holds a number beyond 64 bits.")
    return value


def _number(text: str) -> float | int:
    value = float(text)
    if not math.isfinite(value):
        raise Malformed("The body holds a number that is none (NaN or infinite).")
    # JSON knows one kind of number: 5.0 is an integer there, as in JSON Schema
    return int(value) if value.is_integer() and abs(value) <= EXACT else value


def _check(value: Any, depth: int, has_escapes: bool) -> None:
    if isinstance(value, str):
        if has_escapes and any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
            raise Malformed("The body holds characters that cannot be stored.")
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")
        for part in value.values() if isinstance(value, dict) else value:
            _check(part, depth + 1, has_escapes)
        if isinstance(value, dict):
            for key in value:
                _check(key, depth, has_escapes)


def only(*names: str) -> None:
    """Refuse query parameters other than `names`."""
    for name in request.args:
        if name not in names:
            known = ", ".join(names) or "none"
            message = f"{name} is not a parameter here. Known: {known}."
            raise Malformed(
                message,
                code="unknown_parameter",
                details=[{"field": name, "code": "unknown", "message": message}],
            )
