"""Converts raw values from any interface to values for columns, or reports all invalid fields together."""

from functools import cache
from typing import Any

from pydantic import ValidationError

from quire.actor import Actor
from quire.declare.fields import STORE_FIELDS, Computed, Field, InputOnly
from quire.declare.parse_errors import error_details
from quire.declare.pydantic_models import PART, WHOLE, input_model
from quire.declare.query_fields import relations
from quire.declare.record import Record
from quire.declare.settable_fields import is_settable, settable_fields
from quire.declare.unicode_text import normalize
from quire.declare.value_kinds import is_printable
from quire.errors import Detail, ValidationFailed, detail
from quire.translations.messages import Message


def parse(
    record: Record, actor: Actor, raw: dict[str, Any], *, form: str, state: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the values that `raw` sets, by field name; references stay as they were sent.

    `state` is the record before the change, so that read-only values may be sent back unchanged. Raises
    ValidationFailed naming every invalid field.
    """
    can = settable_fields(record, actor.cache_key_actor, form)
    inputs, bad = _split_by_permission(record, actor, raw, can, state)
    oversized = _take_oversized(record, inputs, state)
    model = input_model(record, can, form, actor.is_system)
    try:
        instance = model.model_validate(inputs)
    except ValidationError as error:
        raise ValidationFailed(bad + error_details(record, error)) from None
    if bad:
        raise ValidationFailed(bad)
    values = {name: getattr(instance, name) for name in instance.model_fields_set} | oversized
    return _with_defaults(record, can, values) if form == WHOLE else values


def draftable_fields(record: Record, actor: Actor) -> frozenset[str]:
    """Return the fields that a draft by `actor` can contain: those they may change, without shorthands."""
    return frozenset(
        one.name
        for one in record.fields
        if one.is_tracked and one.readable and is_settable(one, actor, PART)
    )


DRAFT_CODES = frozenset({"too_short", "too_long", "bad_format"})
"""Errors that a text in a draft may have until it is published."""


def parse_draft(
    record: Record, actor: Actor, raw: dict[str, Any], state: dict[str, Any]
) -> dict[str, Any]:
    """Return the values of a draft as in JSON; references stay as they were sent.

    Texts that are too short, too long or malformed are accepted. Raises ValidationFailed naming every field that is
    unknown, read-only or of another type.
    """
    can = draftable_fields(record, actor)
    inputs, bad = _split_by_permission(record, actor, raw, can, state)
    unvalidated: dict[str, Any] = dict(_take_oversized(record, inputs, state))
    model = input_model(record, can, PART, actor.is_system)
    try:
        model.model_validate(inputs)
    except ValidationError as error:
        for one in error_details(record, error):
            name = one["field"]
            if _is_allowed_in_draft(record.field(name), one["code"], inputs[name]):
                unvalidated[name] = inputs.pop(name)
            else:
                bad.append(one)
    if bad:
        raise ValidationFailed(bad)
    instance = model.model_validate(inputs)
    values = unvalidated | {
        name: _value_out(record.field(name), getattr(instance, name)) for name in inputs
    }
    return {name: values[name] for name in record.fields_by_name if name in values}


def _is_allowed_in_draft(field: Field, code: str, value: Any) -> bool:
    return (
        field.kind.is_text
        and code in DRAFT_CODES
        and isinstance(value, str)
        and is_printable(value)
    )


def _value_out(field: Field, value: Any) -> Any:
    return value if value is None or field.target else field.kind.value_out(value)


def normal_values(record: Record, raw: dict[str, Any]) -> dict[str, Any]:
    """Return `raw` with every text normalized (NFC), except secrets."""
    secrets = _secret_names(record)
    return {n: value if n in secrets else normalize(value) for n, value in raw.items()}


@cache
def _secret_names(record: Record) -> frozenset[str]:
    return frozenset(one.name for one in record.fields if one.kind.name == "password")


def _split_by_permission(
    record: Record, actor: Actor, raw: dict[str, Any], can: frozenset[str], state: Any
) -> tuple[dict[str, Any], list[Detail]]:
    inputs: dict[str, Any] = {}
    bad: list[Detail] = []
    for name, value in normal_values(record, raw).items():
        field = record.fields_by_name.get(name)
        if name in can and not _is_unchanged_computed(field, value, state):
            inputs[name] = value
        elif state is not None and _is_included(record, actor, name, value):
            continue
        elif field is None or (name not in can and not _is_visible(field, actor)):
            bad.append(
                detail(
                    name,
                    "unknown",
                    Message("%(name)s is not a field of %(type)s.", name=name, type=record.path),
                )
            )
        elif name in can or field.is_ignored or _is_unchanged(field, actor, value, state):
            if name in can and _is_needed(field):
                inputs[name] = value
        else:
            bad.append(
                detail(
                    name,
                    "read_only",
                    Message("%(label)s is read-only.", label=Message(field.label)),
                )
            )
    return inputs, bad


def _is_included(record: Record, actor: Actor, name: str, value: Any) -> bool:
    """Whether `value` was added by `include`: records that refer to this one, or their number."""
    relation = relations(record, actor).get(name.removesuffix("_total"))
    if relation is None or not relation.reverse:
        return False
    if name.endswith("_total"):
        return relation.many and type(value) is int
    if not relation.many:
        return value is None or _is_read(value)
    return isinstance(value, list) and all(map(_is_read, value))


def _is_read(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value


def _is_unchanged_computed(field: Field | None, value: Any, state: Any) -> bool:
    """Whether a computed value is sent back as it was read, which changes nothing."""
    if not isinstance(field, Computed) or state is None:
        return False
    return is_identical(state.get(field.name), value)


def _take_oversized(record: Record, inputs: dict[str, Any], state: Any) -> dict[str, list[int]]:
    """Remove lists from `inputs` that exceed the present limit but are sent back as they were read.

    Such a record can still be saved. Returns the ids in them.
    """
    oversized: dict[str, list[int]] = {}
    if state is None:
        return oversized
    for name, value in tuple(inputs.items()):
        many = record.field(name).many
        before = state.get(name) or []
        if many is not None and len(before) > many.max_items and _is_same_list(before, value):
            oversized[name] = [one["id"] for one in before]
            del inputs[name]
    return oversized


def _is_same_list(before: list[dict[str, Any]], value: Any) -> bool:
    """Whether `value` names the records of `before`: ids in any order, or otherwise one by one."""
    if not isinstance(value, list):
        return False
    ids = [one.get("id") if isinstance(one, dict) else one for one in value]
    if all(type(id) is int for id in ids):
        return set(ids) == {one["id"] for one in before}
    return is_same_value(before, value)


def _is_needed(field: Field) -> bool:
    return not isinstance(field, Computed)


def _is_visible(field: Field, actor: Actor) -> bool:
    return field.readable and field.read_rule(actor) is not False


def _is_unchanged(field: Field, actor: Actor, value: Any, state: Any) -> bool:
    if state is not None:
        return is_same_value(state.get(field.name), value)
    return field.target is not None and is_same_value(
        {"id": actor.user_id, "username": actor.username}, value
    )


def is_identical(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; in Python, true equals 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_identical, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_identical(one[k], other[k]) for k in one)
    return bool(one == other)


def is_same_value(stored: Any, value: Any) -> bool:
    """Whether `value` names the stored value: equal, or the id or natural key of the small object."""
    if is_identical(stored, value):
        return True
    if isinstance(stored, list) and isinstance(value, list):
        return len(stored) == len(value) and all(map(is_same_value, stored, value))
    if isinstance(stored, dict) and not isinstance(value, bool):
        is_key = isinstance(value, int | str)
        return value in stored.values() if is_key else _is_same_object(stored, value)
    return False


def _is_same_object(stored: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, dict) or stored.get("id") is None:
        return False
    if "id" in value:
        return is_identical(stored["id"], value["id"])
    return bool(value) and all(is_identical(stored.get(name), value[name]) for name in value)


def _with_defaults(record: Record, can: frozenset[str], values: dict[str, Any]) -> dict[str, Any]:
    """Add defaults for PUT: fields not sent are reset, except those with `default_from`, secrets and `on_request`."""
    for name in can - values.keys():
        field = record.field(name)
        if not field.readable or field.on_request or field.default_from:
            continue
        is_hook_input = isinstance(field, Computed | InputOnly)
        if name not in STORE_FIELDS and field.on_update and not is_hook_input:
            values[name] = default_of(field)
    return values


def default_of(field: Field) -> Any:
    """Return the value of a field that is not sent."""
    if field.many is not None:
        return []
    default = field.column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg
