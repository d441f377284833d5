"""Text in a form or a table -> JSON values for the store, and back; nothing is validated here."""

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
"""Digits; what is longer is no id and takes long to read."""

BIG_WIDGETS = ("markdown", "json", "html")
INPUT_TYPES = {
    "number": "number",
    "decimal": "number",
    "date": "date",
    "datetime": "datetime-local",
    "email": "email",
    "url": "url",
}


def _text(typed: str, field: Field) -> Any:
    if typed:
        return typed
    return None if field.nullable else ""


def _whole(typed: str, field: Field) -> Any:
    try:
        return int(typed)
    except ValueError:
        return typed or None


def to_rfc3339(typed: str) -> str:
    """A typed moment as RFC 3339; what has no zone is UTC, what is no moment stays as it is."""
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return f"{found.isoformat(timespec='seconds')}Z" if found.tzinfo is None else typed


def _moment(typed: str, field: Field) -> Any:
    return to_rfc3339(typed) if typed else None


def _lines(typed: str, field: Field) -> Any:
    return [line.strip() for line in typed.splitlines() if line.strip()]


def _pairs(typed: str, field: Field) -> Any:
    parts = [line.partition("=") for line in typed.splitlines() if line.strip()]
    return [{"label": label.strip(), "url": url.strip()} for label, _, url in parts]


def _object(typed: str, field: Field) -> Any:
    try:
        return orjson.loads(typed) if typed else None
    except orjson.JSONDecodeError:
        return typed


def split_names(typed: str) -> list[str]:
    """Names between commas; one that holds a comma stands in double quotes."""
    line = " ".join(typed.splitlines())
    try:
        rows = list(csv.reader([line], skipinitialspace=True))
    except csv.Error:  # longer than the module reads: the store says what is wrong with it
        return [line]
    return [name.strip() for name in (rows[0] if rows else []) if name.strip()]


def _reference(name: str, target: Record) -> Any:
    """`#7` is an id, as is a number where records are known by their ids; the rest is a name."""
    number = name.removeprefix("#")
    by_id = name.startswith("#") or target.key == "id"
    is_number = number.isascii() and number.isdigit() and len(number) < MAX_ID_DIGITS
    return int(number) if by_id and is_number else name


def _ref(typed: str, field: Field) -> Any:
    return _reference(typed, record_of(field.target or "")) if typed else None


def _refs(typed: str, field: Field) -> Any:
    target = record_of(field.target or "")
    return [_reference(name, target) for name in split_names(typed)]


def _point(typed: str, field: Field) -> Any:
    """Percent in the form, fractions in the record."""
    if not typed:
        return None
    try:
        x, y = (round(float(part) / 100, 4) for part in typed.split(" "))
    except ValueError:
        return typed
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


def decode_value(field: Field, typed: Any, *, creating: bool) -> Any:
    """The JSON value that goes to the store for what was typed, or LEFT_OUT.

    An empty input leaves a value to its default on creation, and a secret as it is later.
    """
    widget = field.kind.widget
    if isinstance(typed, bool):
        return typed
    typed = (typed or "").replace("\r\n", "\n")
    clean = typed if widget in BIG_WIDGETS else typed.strip()
    if not clean and (
        creating or not field.readable or (field.default_from and not field.nullable)
    ):
        return OMITTED
    return DECODERS.get(widget, _text)(clean, field)


def is_same_text(field: Field, one: Any, other: Any) -> bool:
    """Whether two texts of a form mean the same; browsers write line ends and moments anew."""
    first, second = (decode_value(field, text, creating=False) for text in (one, other))
    return type(first) is type(second) and bool(first == second)


def reference_key(small: Any, field: Field) -> str:
    """The text by which a reference is named: its natural key, else its id."""
    if not isinstance(small, dict):
        return str(small)
    target = record_of(field.target or "")
    return str(small[target.key]) if target.key in small else f"#{small['id']}"


def _join_names(names: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(list(names))
    return out.getvalue().replace(",", ", ") if '"' not in out.getvalue() else out.getvalue()


def merge_names(base: str, mine: str, theirs: str) -> str:
    """The names in `theirs`, with those added and without those removed from `base` to `mine`."""
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
    """What stands in the form for a JSON value: text, or a bool for a checkbox."""
    if value is None or isinstance(value, bool):
        return bool(value) if field.kind.widget == "checkbox" else ""
    write = ENCODERS.get(field.kind.widget)
    return str(value) if write is None else write(value, field)


def parse_version(text: str) -> int:
    """The version that a form was filled with; what is no number is older than all of them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
