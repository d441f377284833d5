"""Our own messages for invalid values: those of libraries are about Python."""

from typing import Any

from pydantic import ValidationError

from quire.declare.fields import Field
from quire.declare.record import Record
from quire.errors import DETAIL_CODES, Detail, detail
from quire.translations.messages import Message

_CODES = {
    "missing": ("required", Message("is required.")),
    "extra_forbidden": ("unknown", Message("is not a known field.")),
    "string_too_long": ("too_long", Message("is longer than %(max_length)s characters.")),
    "too_long": ("too_long", Message("has more than %(max_length)s values.")),
    "too_short": ("too_short", Message("needs %(min_length)s or more values.")),
    "string_too_short": ("too_short", Message("needs at least %(min_length)s characters.")),
    "greater_than_equal": ("too_small", Message("must be at least %(ge)s.")),
    "less_than_equal": ("too_large", Message("must be at most %(le)s.")),
    "string_pattern_mismatch": ("bad_format", Message("contains characters that are not allowed.")),
    "literal_error": ("not_allowed", Message("must be one of: %(expected)s.")),
    "decimal_max_digits": ("too_large", Message("has more than %(max_digits)s digits.")),
    "decimal_whole_digits": ("too_large", Message("has too many digits.")),
    "decimal_max_places": (
        "bad_format",
        Message("has more than %(decimal_places)s decimal places."),
    ),
    "decimal_parsing": ("bad_format", Message("must be a decimal number.")),
    "int_from_float": ("wrong_type", Message("must be a whole number.")),
    "int_type": ("wrong_type", Message("must be a whole number.")),
    "string_type": ("wrong_type", Message("must be text.")),
    "bool_type": ("wrong_type", Message("must be true or false.")),
    "list_type": ("wrong_type", Message("must be a list.")),
    "dict_type": ("wrong_type", Message("must be an object.")),
}

_UNREADABLE = ("bad_format", Message("has an invalid format."))
_EMPTY = ("string_too_short", "string_pattern_mismatch")


def error_details(record: Record, error: ValidationError) -> list[Detail]:
    """Return the problem of each invalid field, from pydantic's errors."""
    first: dict[str, Detail] = {}
    for one in error.errors(include_url=False):
        name = str(one["loc"][0])
        first.setdefault(name, _detail(record.field(name), one))
    return list(first.values())


def _detail(field: Field, error: Any) -> Detail:
    label = Message(field.label)
    if len(error["loc"]) > 1 and field.target is not None:
        words = Message("%(label)s must be an ID, a name or an object with an ID.", label=label)
        return detail(field.name, "wrong_type", words)
    for part in error["loc"][1:]:
        label = Message("%(label)s, %(part)s", label=label, part=_loc(part))
    example = _example(field, is_entry=len(error["loc"]) > 1)
    if error["type"] == "string_pattern_mismatch" and error.get("input") and example:
        words = Message("%(label)s must look like %(example)s.", label=label, example=example)
        return detail(field.name, "bad_format", words)
    return error_detail(field.name, label, error)


def _example(field: Field, *, is_entry: bool) -> Any:
    """Return an example value of `field`, or of an entry, if its pattern is less clear than an example."""
    if is_entry and isinstance(field.example, list):
        return field.example[0]
    return field.kind.example


def _loc(part: int | str) -> str:
    """Return the place within a value: the entry of a list, the name of a part."""
    return Message("entry %(number)s", number=part + 1) if isinstance(part, int) else part


def error_detail(name: str, label: str, error: Any) -> Detail:
    """Return the problem with the field `name` from one of pydantic's errors."""
    if error.get("input") == "" and error["type"] in _EMPTY:
        return detail(name, "too_short", Message("%(label)s is required.", label=label))
    context = error.get("ctx", {})
    # messages of kinds are complete sentences
    if error["type"] in DETAIL_CODES and context.keys() <= {"words"}:
        words = context.get("words") or Message(error["msg"])
        return detail(name, error["type"], _sentence(label, words))
    code, words = _CODES.get(error["type"], _UNREADABLE)
    return detail(name, code, _sentence(label, words.with_values(**context)))


def _sentence(label: str, words: Message) -> Message:
    return Message("%(label)s %(words)s", label=label, words=words)
