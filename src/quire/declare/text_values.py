"""Converts text in a form or a table to JSON values for the store, and back; nothing is validated here."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import orjson

from quire.declare.fields import Field
from quire.declare.record import Record, record_of

OMITTED = object()
"""What `decode_value` returns for a value that is not sent at all."""

MAX_ID_DIGITS = 20
"""The maximum number of digits: anything longer is not an id and takes long to parse."""

BIG_WIDGETS = ("markdown", "json", "html")
INPUT_TYPES = {
    "number": "number",
    "decimal": "number",
    "date": "date",
    "datetime": "datetime-local",
    "email": "email",
    "url": "url",
}


def _text(text: str, field: Field) -> Any:
    if text:
        return text
    return None if field.nullable else ""


def _whole(text: str, field: Field) -> Any:
    try:
        return int(text)
    except ValueError:
        return text or None


def to_rfc3339(text: str) -> str:
    """Return a typed time as RFC 3339; without a zone it is UTC, anything else stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.isoformat(timespec='seconds')}Z" if moment.tzinfo is None else text


def _moment(text: str, field: Field) -> Any:
    return to_rfc3339(text) if text else None


def _lines(text: str, field: Field) -> Any:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pairs(text: str, field: Field) -> Any:
    parts = [line.partition("=") for line in text.splitlines() if line.strip()]
    return [{"label": label.strip(), "url": url.strip()} for label, _, url in parts]


def _object(text: str, field: Field) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return text


def split_names(text: str) -> list[str]:
    """Return comma-separated names; one that contains a comma is in double quotes."""
    line = " ".join(text.splitlines())
    try:
        rows = list(csv.reader([line], skipinitialspace=True))
    except csv.Error:  # longer than the module reads: the store reports the error
        return [line]
    return [name.strip() for name in (rows[0] if rows else []) if name.strip()]


def _reference(name: str, target: Record) -> Any:
    """Return the id for `#7`, or for a number if records are known by id; otherwise a name."""
    number = name.removeprefix("#")
    by_id = name.startswith("#") or target.key == "id"
    is_number = number.isascii() and number.isdigit() and len(number) < MAX_ID_DIGITS
    return int(number) if by_id and is_number else name


def _ref(text: str, field: Field) -> Any:
    return _reference(text, record_of(field.target or "")) if text else None


def _refs(text: str, field: Field) -> Any:
    target = record_of(field.target or "")
    return [_reference(name, target) for name in split_names(text)]


def _point(text: str, field: Field) -> Any:
    """Convert percent in the form to fractions in the record."""
    if not text:
        return None
    try:
        x, y = (round(float(part) / 100, 4) for part in text.split(" "))
    except ValueError:
        return text
    return {"x": x, "y": y}


def _percent(value: dict[str, float], field: Field) -> str:
    return " ".join(f"{value[name] * 100:g}" for name in ("x", "y"))


DECODERS = {
    "number": _whole,
    "datetime": _moment,
    "lines": _lines,
    "pairs": _pairs,
    "json": _object,
    "point": _point,
    "ref": _ref,
    "refs": _refs,
    "decimal": lambda typed, field: typed or None,
    "date": lambda typed, field: typed or None,
    "select": lambda typed, field: typed or None,
}


def decode_value(field: Field, text: Any, *, creating: bool) -> Any:
    """Return the JSON value for the text of an input, or OMITTED.

    An empty input leaves a value to its default on creation, and a secret as it is later.
    """
    widget = field.kind.widget
    if isinstance(text, bool):
        return text
    text = (text or "").replace("\r\n", "\n")
    clean = text if widget in BIG_WIDGETS else text.strip()
    if not clean and (
        creating or not field.readable or (field.default_from and not field.nullable)
    ):
        return OMITTED
    return DECODERS.get(widget, _text)(clean, field)


def is_same_text(field: Field, one: Any, other: Any) -> bool:
    """Whether two texts of a form mean the same; browsers rewrite line breaks and times."""
    first, second = (decode_value(field, value, creating=False) for value in (one, other))
    return type(first) is type(second) and bool(first == second)


def reference_key(small: Any, field: Field) -> str:
    """Return the text that names a reference: its natural key, or else its id."""
    if not isinstance(small, dict):
        return str(small)
    target = record_of(field.target or "")
    return str(small[target.key]) if target.key in small else f"#{small['id']}"


def _join_names(names: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(list(names))
    return out.getvalue().replace(",", ", ") if '"' not in out.getvalue() else out.getvalue()


def merge_names(base: str, mine: str, theirs: str) -> str:
    """Return the names in `theirs`, with those added and without those removed from `base` to `mine`."""
    before, after, stored = (split_names(text) for text in (base, mine, theirs))
    removed = set(before) - set(after)
    added = [name for name in after if name not in before and name not in stored]
    return _join_names([*(name for name in stored if name not in removed), *added])


ENCODERS: dict[str, Callable[[Any, Field], str]] = {
    "ref": reference_key,
    "refs": lambda value, field: _join_names(reference_key(one, field) for one in value),
    "datetime": lambda value, field: str(value).removesuffix("Z"),
    "lines": lambda value, field: "\n".join(value),
    "point": _percent,
    "pairs": lambda value, field: "\n".join(f"{one['label']} = {one['url']}" for one in value),
    "json": lambda value, field: orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(),
}


def encode_value(field: Field, value: Any) -> Any:
    """Return what the form shows for a JSON value: text, or a bool for a checkbox."""
    if value is None or isinstance(value, bool):
        return bool(value) if field.kind.widget == "checkbox" else ""
    encode = ENCODERS.get(field.kind.widget)
    return str(value) if encode is None else encode(value, field)


def parse_version(text: str) -> int:
    """Return the version that a form was loaded with; 0, older than all, if it is not a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
