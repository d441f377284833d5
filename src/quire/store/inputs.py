"""What comes beside the values of a record: the version a change is based on, inputs of actions."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from sqlalchemy import Connection

from quire.declare.record import Action, Record
from quire.errors import Conflict, Invalid, Stale, detail
from quire.store import revisions
from quire.store.drafts import Held

Raw = dict[str, Any]


def without_version(
    connection: Connection, record: Record, state: Raw, raw: Raw, version: int | None
) -> Raw:
    """`raw` without its `version`, once it and `version` have been compared with the record's.

    Raises Stale naming what has changed since, Invalid when the version is no number.
    """
    rest = dict(raw)
    named = record.versioned and "version" in rest
    sent = rest.pop("version") if named else None
    if named and type(sent) is not int:
        message = "Version must be a whole number."
        raise Invalid([detail("version", "wrong_type", message)])
    for based_on in (version, sent):
        if based_on is not None and based_on != state.get("version"):
            raise stale(connection, record, state, based_on)
    return rest


def stale(connection: Connection, record: Record, state: Raw, based_on: int) -> Stale:
    """The refusal of a change based on an old version: says what differs and which is current."""
    then = revisions.data_at(connection, record, state["id"], based_on)
    present = revisions.data_of(record, state)
    changed = [] if then is None else [n for n in present if present[n] != then.get(n)]
    read = f"version {based_on}" if based_on > 0 else "another version"
    return Stale(
        f"This {record.one.lower()} has changed since you read it ({read}; it is now at version "
        f"{state['version']}).",
        extra={"current_version": state["version"], "changed_fields": changed},
    )


def late(connection: Connection, record: Record, state: Raw, held: Held | None) -> Stale:
    """The refusal of what is based on another draft than `held`, or on one that is gone."""
    if held is None:
        return stale(connection, record, state, -1)
    return Stale(
        f"This draft has changed since you read it (it is now at version {held.version}).",
        extra={"current_version": held.version, "changed_fields": list(held.values)},
    )


def refuse_trashed(record: Record, state: Raw) -> None:
    """Raise Conflict when the record is in the trash."""
    if state.get("deleted_at"):
        raise Conflict(f"This {record.one.lower()} is in the trash; restore it first.")


def refuse_all(raw: Raw) -> None:
    """Raise Invalid when anything is left in `raw`."""
    if raw:
        raise Invalid([detail(name, "unknown", f"{name} is not known here.") for name in raw])


@cache
def input_of(record: Record, action: Action) -> type[BaseModel]:
    """The model of an action's inputs; all of them are optional."""
    fields: dict[str, Any] = {name: (kind.accepts | None, None) for name, kind in action.inputs}
    return create_model(
        f"{record.model.__name__}{action.label.replace(' ', '')}",
        __config__=ConfigDict(strict=True, extra="forbid"),
        **fields,
    )


def action_input(record: Record, action: Action, raw: Raw) -> Raw:
    """The inputs that were sent. Raises Invalid naming each bad one."""
    try:
        model = input_of(record, action).model_validate(raw)
    except ValidationError as error:
        bad = {str(one["loc"][0]): one for one in error.errors(include_url=False)}
        raise Invalid([_bad(name, one) for name, one in bad.items()]) from None
    return {name: getattr(model, name) for name in model.model_fields_set}


def _bad(name: str, error: Any) -> dict[str, str]:
    if error["type"] == "extra_forbidden":
        return detail(name, "unknown", f"{name} is not known here.")
    code = error["type"] if error["type"] == "wrong_type" else "bad_format"
    return detail(name, code, f"{name.capitalize()} cannot be {str(error['input'])[:50]}.")
