"""The steps before a change: slow preparation, version checks, inputs of actions."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.action import Action
from quire.declare.input_validation import parse
from quire.declare.parse_errors import error_detail
from quire.declare.record import Record
from quire.declare.rules import Rule
from quire.declare.settable_fields import is_settable
from quire.errors import (
    Conflict,
    Detail,
    ValidationFailed,
    VersionConflict,
    VersionRequired,
    detail,
)
from quire.store import revisions
from quire.store.changes import rows
from quire.store.changes.references import unknown_references
from quire.store.db import immediate_commits, read_connection
from quire.translations.messages import Message

Raw = dict[str, Any]


def prepare(record: Record, actor: Actor, id: int | None, raw: Raw) -> Raw:
    """Run the record type's `before_transaction` on `raw`, while no lock is held."""
    with immediate_commits():
        return record.before_transaction(actor, id, raw)


def refuse_without_version(record: Record, actor: Actor, id: int, rule: Rule) -> None:
    """Raise VersionRequired if `rule` lets the actor change the record, otherwise the error for a forbidden change."""
    with read_connection() as connection:
        rows.load_for_update(connection, record, actor, id, rule)
    raise VersionRequired("Send If-Match or version to say which version your change is based on.")


def parse_values(record: Record, actor: Actor, raw: Raw, *, form: str, state: Raw | None) -> Raw:
    """The values that `raw` sets; see `parse`. Bad references are reported with all other errors."""
    try:
        return parse(record, actor, raw, form=form, state=state)
    except ValidationFailed as error:
        bad_fields = {one["field"] for one in error.details}
        names = [
            field.name
            for field in record.fields
            if field.target
            and field.name in raw.keys() - bad_fields
            and is_settable(field, actor, form)
        ]
        with read_connection() as connection:
            more = unknown_references(connection, record, actor, raw, names)
        raise ValidationFailed([*error.details, *more]) from None


def check_version(
    connection: Connection, record: Record, state: Raw, raw: Raw, version: int | None
) -> Raw:
    """`raw` without its `version`, once it and `version` have been compared with the record's.

    Raises VersionConflict naming what has changed since, ValidationFailed if the version is not a number.
    """
    rest = dict(raw)
    has_version = record.is_versioned and "version" in rest
    body_version = rest.pop("version") if has_version else None
    if has_version and type(body_version) is not int:
        message = "Version must be a whole number."
        raise ValidationFailed([detail("version", "wrong_type", message)])
    for based_on in (version, body_version):
        if based_on is not None and based_on != state.get("version"):
            raise stale_record(connection, record, state, based_on)
    return rest


def stale_record(
    connection: Connection, record: Record, state: Raw, based_on: int
) -> VersionConflict:
    """The error for a change based on an old version: names the differences and the current version."""
    then = revisions.data_at(connection, record, state["id"], based_on)
    present = revisions.data_of(record, state)
    changed_fields = [] if then is None else [n for n in present if present[n] != then.get(n)]
    read = f"version {based_on}" if based_on > 0 else "another version"
    return VersionConflict(
        Message(
            "This %(noun)s has changed since you read it (%(read)s; it is now at version %(version)s).",
            noun=Message(record.noun),
            read=read,
            version=state["version"],
        ),
        extra={"current_version": state["version"], "changed_fields": changed_fields},
    )


def refuse_trashed(record: Record, state: Raw) -> None:
    """Raise Conflict if the record is in the trash."""
    if state.get("deleted_at"):
        raise Conflict(
            Message("This %(noun)s is in the trash. Restore it first.", noun=Message(record.noun))
        )


def refuse_unknown(raw: Raw) -> None:
    """Raise ValidationFailed if anything is left in `raw`."""
    if raw:
        raise ValidationFailed(
            [detail(name, "unknown", f"{name} is not a known field.") for name in raw]
        )


@cache
def action_input_model(record: Record, action: Action) -> type[BaseModel]:
    """The model of an action's inputs; all of them are optional."""
    fields: dict[str, Any] = {name: (kind.accepts | None, None) for name, kind in action.inputs}
    return create_model(
        f"{record.model.__name__}{action.label.replace(' ', '')}",
        __config__=ConfigDict(strict=True, extra="forbid"),
        **fields,
    )


def action_input(record: Record, action: Action, raw: Raw) -> Raw:
    """The inputs that were sent. Raises ValidationFailed naming each bad one."""
    try:
        model = action_input_model(record, action).model_validate(raw)
    except ValidationError as error:
        bad = {str(one["loc"][0]): one for one in error.errors(include_url=False)}
        raise ValidationFailed([_input_detail(name, one) for name, one in bad.items()]) from None
    return {name: getattr(model, name) for name in model.model_fields_set}


def _input_detail(name: str, error: Any) -> Detail:
    label = name if error["type"] == "extra_forbidden" else name.replace("_", " ").capitalize()
    return error_detail(name, label, error)
