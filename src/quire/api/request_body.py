"""Reads request bodies: one JSON object, parsed strictly, or an error."""

import json
import math
from codecs import BOM_UTF8
from typing import Any

from quire.api.query_parameters import allow_params
from quire.declare.value_kinds import INT64, is_printable
from quire.errors import BadRequest, UnsupportedMediaType
from quire.web.current import current_globals, current_request

MAX_DEPTH = 32
MAX_KEYS = 1000
"""Keys of an object: an error names each one that is unknown."""
MAX_EXACT_INTEGER = 2**53
"""Every integer up to this one has an exact float representation."""
JSON_TYPES = frozenset({"application/json"})
MULTIPART = "multipart/form-data"
_CONTAINERS = (dict, list)
MERGE_TYPES = JSON_TYPES | {"application/merge-patch+json"}


def read_object(*params: str, optional: bool = False) -> dict[str, Any]:
    """The JSON object in the body; {} for an empty body if it is `optional`.

    Only `params` are allowed as query parameters. Raises BadRequest (not UTF-8, not JSON, not an object,
    too deep, too many keys, numbers beyond 64 bits, NaN, a duplicate key, NUL or a lone surrogate in a text) and
    UnsupportedMediaType.
    """
    allow_params(*params)
    request = current_request()
    body = request.get_data(cache=False)
    if optional and not body:
        return {}
    allowed = MERGE_TYPES if request.method == "PATCH" else JSON_TYPES
    if request.mimetype not in allowed:
        raise UnsupportedMediaType(f"Send {' or '.join(sorted(allowed))}.")
    value = strict_json(body)
    if not isinstance(value, dict):
        raise BadRequest("The body must be one JSON object.")
    current_globals().body_names = value.keys()
    return value


def strict_json(body: bytes) -> Any:
    """The value of a JSON text. Raises BadRequest for everything that two parsers could read
    differently (RFC 8259 leaves duplicate keys and large numbers open).

    A byte order mark, which some editors write, is ignored (RFC 8259, 8.1).
    """
    try:
        value = _DECODER.decode(body.removeprefix(BOM_UTF8).decode())
    except UnicodeDecodeError:
        raise BadRequest("The body is not valid UTF-8.") from None
    except RecursionError:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"The body is not valid JSON ({where}).") from None
    _check_depth(value)
    if b"\\u" in body:
        _check_characters(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise BadRequest(f"The body contains an object with more than {MAX_KEYS:,} keys.")
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BadRequest("The body contains the same key twice.")
    return members


def _integer(text: str) -> int:
    value = int(text) if len(text) < 21 else INT64 + 1
    if not -INT64 - 1 <= value <= INT64:
        raise BadRequest("The body contains a number larger than 64 bits.")
    return value


def _number(text: str) -> float | int:
    value = float(text)
    if not math.isfinite(value):
        raise BadRequest("The body contains NaN or an infinite number.")
    # JSON has only one kind of number: 5.0 counts as an integer, as in JSON Schema
    return int(value) if value.is_integer() and abs(value) <= MAX_EXACT_INTEGER else value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_number
)


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        parts = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for some in parts for one in some if isinstance(one, _CONTAINERS)]
    if level:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_characters(value: Any) -> None:
    if isinstance(value, str):
        if not is_printable(value):
            raise BadRequest("The body contains characters that cannot be stored.")
    elif isinstance(value, _CONTAINERS):
        for part in [*value.values(), *value] if isinstance(value, dict) else value:
            _check_characters(part)
