"""Raw values from any door -> values as columns take them, or every bad field at once."""

from typing import Any

from pydantic import ValidationError

from quire.actor import Actor
from quire.declare.fields import KEPT_BY_STORE, Derived, Field, Given
from quire.declare.record import Record
from quire.declare.schema import NEW, PART, WHOLE, input_model
from quire.declare.values import is_printable
from quire.errors import DETAIL_CODES, Detail, Invalid, detail


def settable(field: Field, actor: Actor, form: str) -> bool:
    """Whether `actor` may give `field` a value; the program itself may set all that is stored."""
    if actor.is_system:
        stored = field.is_stored or field.many is not None
        return (stored and field.name not in ("id", "version")) or _handed_on(field, form)
    return _handed_on(field, form) and field.by(actor) is True


def _handed_on(field: Field, form: str) -> bool:
    return field.on_create if form == NEW else field.on_update


def parse(
    record: Record, actor: Actor, raw: dict[str, Any], *, form: str, state: dict[str, Any] | None
) -> dict[str, Any]:
    """The values that `raw` sets, by field name; references are still as they were sent.

    `state` is the record as it was, so that read-only values sent back unchanged pass. Raises
    Invalid naming every bad field.
    """
    can = frozenset(f.name for f in record.fields if settable(f, actor, form))
    given, bad = _sort_out(record, actor, raw, can, state)
    model = input_model(record, can, form, actor.is_system)
    try:
        values = model.model_validate(given)
    except ValidationError as error:
        raise Invalid(bad + _details(record, error)) from None
    if bad:
        raise Invalid(bad)
    found = {name: getattr(values, name) for name in values.model_fields_set}
    return _replaced(record, can, found) if form == WHOLE else found


def draftable(record: Record, actor: Actor) -> frozenset[str]:
    """The fields that a draft by `actor` can hold: what he may change, short forms left out."""
    return frozenset(
        one.name
        for one in record.fields
        if one.tracked and one.readable and settable(one, actor, PART)
    )


WAITING = frozenset({"too_short", "too_long", "bad_format"})
"""What may be wrong with a text in a draft until it is published."""


def parse_draft(
    record: Record, actor: Actor, raw: dict[str, Any], state: dict[str, Any]
) -> dict[str, Any]:
    """The values of a draft as JSON has them; references are still as they were sent.

    A text that is too short, too long or not of the right form is kept as it is. Raises Invalid
    naming every field that is unknown, read only or of another type.
    """
    can = draftable(record, actor)
    given, bad = _sort_out(record, actor, raw, can, state)
    waiting = {}
    model = input_model(record, can, PART, actor.is_system)
    try:
        model.model_validate(given)
    except ValidationError as error:
        for one in _details(record, error):
            name = one["field"]
            if _can_wait(record.field(name), one["code"], given[name]):
                waiting[name] = given.pop(name)
            else:
                bad.append(one)
    if bad:
        raise Invalid(bad)
    values = model.model_validate(given)
    kept = waiting | {name: _out(record.field(name), getattr(values, name)) for name in given}
    return {name: kept[name] for name in record.by_name if name in kept}


def _can_wait(field: Field, code: str, value: Any) -> bool:
    return field.kind.text and code in WAITING and isinstance(value, str) and is_printable(value)


def _out(field: Field, value: Any) -> Any:
    return value if value is None or field.target else field.kind.value_out(value)


def _sort_out(
    record: Record, actor: Actor, raw: dict[str, Any], can: frozenset[str], state: Any
) -> tuple[dict[str, Any], list[Detail]]:
    given: dict[str, Any] = {}
    bad: list[Detail] = []
    for name, value in raw.items():
        field = record.by_name.get(name)
        if name in can and not _sent_back(field, value, state):
            given[name] = value
        elif field is None or (name not in can and not _visible(field, actor)):
            bad.append(detail(name, "unknown", f"{name} is not a field of {record.path}."))
        elif name in can or field.counter or _unchanged(field, actor, value, state):
            if name in can and _is_needed(field):
                given[name] = value
        else:
            bad.append(detail(name, "read_only", f"{field.label} cannot be set here."))
    return given, bad


def _sent_back(field: Field | None, value: Any, state: Any) -> bool:
    """Derived values that come back as they were read are no wish of the client."""
    return isinstance(field, Derived) and state is not None and state.get(field.name) == value


def _is_needed(field: Field) -> bool:
    return not isinstance(field, Derived)


def _visible(field: Field, actor: Actor) -> bool:
    return field.readable and field.to(actor) is not False


def _unchanged(field: Field, actor: Actor, value: Any, state: Any) -> bool:
    if state is not None:
        return same(state.get(field.name), value)
    return field.target is not None and same(
        {"id": actor.user_id, "username": actor.username}, value
    )


def same(held: Any, sent: Any) -> bool:
    """Whether `sent` names what is held: equal, or the id or natural key of the small object."""
    if held == sent:
        return True
    if isinstance(held, list) and isinstance(sent, list):
        return len(held) == len(sent) and all(map(same, held, sent))
    if isinstance(held, dict) and not isinstance(sent, bool):
        return sent in held.values() if isinstance(sent, int | str) else _same_object(held, sent)
    return False


def _same_object(held: dict[str, Any], sent: Any) -> bool:
    return isinstance(sent, dict) and held.get("id") is not None and held["id"] == sent.get("id")


def _replaced(record: Record, can: frozenset[str], found: dict[str, Any]) -> dict[str, Any]:
    """PUT: what is not sent goes back to its default; what is filled in, secret or seldom stays."""
    for name in can - found.keys():
        field = record.field(name)
        if not field.readable or field.seldom or field.fill or isinstance(field, Derived | Given):
            continue
        if name not in KEPT_BY_STORE and field.on_update:
            found[name] = default_of(field)
    return found


def default_of(field: Field) -> Any:
    """The value of a field that is not sent."""
    if field.many is not None:
        return []
    default = field.column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg


_CODES = {
    "missing": ("required", "is required."),
    "extra_forbidden": ("unknown", "is not known here."),
    "string_too_long": ("too_long", "is longer than {max_length} characters."),
    "too_long": ("too_long", "holds more than {max_length} values."),
    "string_too_short": ("too_short", "needs at least {min_length} characters."),
    "greater_than_equal": ("too_small", "is less than {ge}."),
    "less_than_equal": ("too_large", "is more than {le}."),
    "string_pattern_mismatch": ("bad_format", "holds characters that are not allowed."),
    "literal_error": ("not_allowed", "must be one of: {expected}."),
    "decimal_max_digits": ("too_large", "has more than {max_digits} digits."),
    "decimal_whole_digits": ("too_large", "has too many digits."),
    "decimal_max_places": ("bad_format", "has more than {decimal_places} decimal places."),
    "decimal_parsing": ("bad_format", "must be a decimal number."),
    "value_error": ("bad_format", "{error}."),
    "int_from_float": ("wrong_type", "must be a whole number."),
    "int_type": ("wrong_type", "must be a whole number."),
    "string_type": ("wrong_type", "must be text."),
    "bool_type": ("wrong_type", "must be true or false."),
    "list_type": ("wrong_type", "must be a list."),
    "dict_type": ("wrong_type", "must be an object."),
}


def _details(record: Record, error: ValidationError) -> list[Detail]:
    first: dict[str, Detail] = {}
    for one in error.errors(include_url=False):
        name = str(one["loc"][0])
        first.setdefault(name, _detail(record.field(name), one))
    return list(first.values())


def _detail(field: Field, error: Any) -> Detail:
    if error.get("input") == "" and error["type"] in (
        "string_too_short",
        "string_pattern_mismatch",
    ):
        return detail(field.name, "too_short", f"{field.label} is required.")
    context = error.get("ctx", {})
    own = (error["type"], "{reason}")  # what the kinds say themselves is a sentence already
    code, words = (
        _CODES.get(error["type"], own) if context or error["type"] not in DETAIL_CODES else own
    )
    if len(error["loc"]) > 1 and field.target is not None:
        code, words = "wrong_type", "must be an id, a name or an object with an id."
    return detail(field.name, code, f"{field.label} {words.format(**context, reason=error['msg'])}")
