"""Reads, saves and discards drafts."""

from dataclasses import replace as with_values
from typing import Any

from sqlalchemy import Connection

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.fields import Field
from quire.declare.input_validation import is_same_value, parse_draft
from quire.declare.markdown import render_within_limit
from quire.declare.record import Record, record_of
from quire.declare.rules import require_possible
from quire.errors import NotFound, PermissionDenied, ValidationFailed, detail, no_such
from quire.store import audit
from quire.store.changes import rows
from quire.store.changes.preconditions import Raw, refuse_trashed, refuse_unknown, stale_record
from quire.store.changes.references import small_objects
from quire.store.db import read_connection, transaction
from quire.store.drafts.publication import stale_draft
from quire.store.drafts.storage import StoredDraft, delete_draft, find_draft, store_draft
from quire.store.transactions.retries import retry_conflicts
from quire.translations.messages import Message

ABOUT = ("base_version", "live_version", "changed_fields", "updated_by")
"""The metadata that a draft shows besides the record's fields; bodies may contain it, only `base_version` counts."""


def read_draft(record: Record, actor: Actor, id: int) -> Raw:
    """The record as it will be, with the metadata of the draft. Raises NotFound."""
    require_possible(record.access.update, actor)
    with read_connection() as connection:
        row = rows.load(connection, record, actor, id, record.access.update)
        if row is None or not row.allowed or row.visible is None:
            raise no_such(record.noun)
        draft = find_draft(connection, record, id)
        if draft is None:
            raise _no_draft(record)
        merged_state = _overlay(connection, record, actor, row.visible, draft)
    return (
        merged_state
        | _computed_values(record, draft.values)
        | _draft_info(record, draft, row.state)
    )


def state_with_draft(record: Record, actor: Actor, state: Raw) -> Raw | None:
    """Like `read_draft`, for callers who may change the record and have read its `state`; None if there is
    no draft."""
    with read_connection() as connection:
        draft = find_draft(connection, record, state["id"])
        if draft is None:
            return None
        merged_state = _overlay(connection, record, actor, state, draft)
    return merged_state | _computed_values(record, draft.values) | _draft_info(record, draft, state)


def preview_state(record: Record, id: int) -> Raw:
    """The whole state of a record, with the values of its draft if it has one, and no dangling references.

    Raises NotFound, even for a record in the trash.
    """
    with read_connection() as connection:
        row = rows.load(connection, record, SYSTEM, id, record.access.read)
        if row is None or row.state.get("deleted_at"):
            raise no_such(record.noun)
        draft = find_draft(connection, record, id)
        if draft is None:
            return row.state
        merged_state = _overlay(connection, record, SYSTEM, row.state, draft)
    for name in draft.values:
        merged_state[name] = _existing_references(
            record.field(name), merged_state[name], row.state[name]
        )
    return merged_state | _computed_values(record, draft.values)


def _existing_references(field: Field, value: Any, live: Any) -> Any:
    """The references of a draft whose targets exist."""
    if field.target is None or value is None:
        return value
    if field.many is not None:
        return [one for one in value if None not in one.values()]
    return live if None in value.values() else value


def get_draft_version(record: Record, id: int) -> int | None:
    """The version of the draft of a record, None if there is none."""
    with read_connection() as connection:
        draft = find_draft(connection, record, id)
    return None if draft is None else draft.version


def _overlay(
    connection: Connection, record: Record, actor: Actor, state: Raw, draft: StoredDraft
) -> Raw:
    """`state` with the values of the draft; references as small objects."""
    merged_state = dict(state)
    for name, value in draft.values.items():
        if name in state and name in record.fields_by_name:
            merged_state[name] = _display_value(connection, actor, record.field(name), value)
    return merged_state


def _display_value(connection: Connection, actor: Actor, field: Field, value: Any) -> Any:
    if field.target is None or value is None:
        return value
    references = value if field.many else [value]
    small = small_objects(connection, record_of(field.target), actor, references)
    return small if field.many else small[0]


def _computed_values(record: Record, values: Raw) -> Raw:
    """The values computed from others, such as the HTML of a text."""
    texts = {f"{name}_html": text for name, text in values.items() if isinstance(text, str)}
    names = [
        name for name in texts if name in record.fields_by_name and record.field(name).computed
    ]
    return {name: render_within_limit(texts[name]) for name in names}


def _draft_info(record: Record, draft: StoredDraft, state: Raw) -> Raw:
    return {
        "version": draft.version,
        "base_version": draft.base_version,
        "live_version": state["version"],
        "changed_fields": [name for name in record.fields_by_name if name in draft.values],
        "updated_at": draft.updated_at,
        "updated_by": draft.updated_by,
    }


@retry_conflicts
def save_draft(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw,
    *,
    replace: bool = False,
    version: int | None = None,
    begin: bool | None = None,
) -> tuple[Raw, bool]:
    """Change the draft of a record, or start one; return the draft as it is read, and whether it is new.

    `raw` and `version` are as in `write.update`; `version` is that of the draft, or of the record if there
    is no draft, and `raw` may contain `base_version`. `begin` is whether the actor saw no draft, None if
    that is unknown. Raises Unauthenticated, PermissionDenied, NotFound, Conflict, VersionConflict,
    ValidationFailed.
    """
    require_possible(record.access.update, actor)
    with transaction() as connection:
        state = _load_editable(connection, record, actor, id)
        refuse_trashed(record, state)
        draft = find_draft(connection, record, id)
        if begin is not None and begin is not (draft is None):
            raise stale_draft(connection, record, state, draft)
        rest = _check_versions(connection, record, state, draft, raw, version)
        base = _base(state, draft, rest.pop("base_version", None))
        new_values = _parse_values(connection, record, actor, state, draft, rest)
        values = {**_retained_values(record, draft, replace), **new_values}
        values = {n: value for n, value in values.items() if not is_same_value(state.get(n), value)}
        _store(connection, record, actor, id, draft, values, base)
    return read_draft(record, actor, id), draft is None


def _retained_values(record: Record, draft: StoredDraft | None, replace: bool) -> Raw:
    """The values of a draft that are kept unless the change sets them."""
    values = {} if draft is None else draft.values
    if not replace:
        return values
    return {
        one.name: values[one.name] for one in record.fields if one.on_request and one.name in values
    }


def _store(
    connection: Connection,
    record: Record,
    actor: Actor,
    id: int,
    draft: StoredDraft | None,
    values: Raw,
    base: int,
) -> None:
    """Store the draft, unless nothing has changed."""
    if draft is not None and (draft.values, draft.base_version) == (values, base):
        return
    before = draft or StoredDraft(0, 0, base, {}, rfc3339(now()), None)
    new = with_values(before, version=before.version + 1, base_version=base, values=values)
    store_draft(connection, record, actor, id, draft, new)


def _load_editable(connection: Connection, record: Record, actor: Actor, id: int) -> Raw:
    """The state of a record that the actor may change; for anyone else the draft does not exist."""
    try:
        return rows.load_for_update(connection, record, actor, id, record.access.update).state
    except PermissionDenied:
        raise _no_draft(record) from None


def _check_versions(
    connection: Connection,
    record: Record,
    state: Raw,
    draft: StoredDraft | None,
    raw: Raw,
    version: int | None,
) -> Raw:
    """`raw` without its `version`, once it and `version` have been compared with the draft's."""
    rest = dict(raw)
    body_version = rest.pop("version", None)
    if "version" in raw and type(body_version) is not int:
        raise ValidationFailed([detail("version", "wrong_type", "Version must be a whole number.")])
    present = state["version"] if draft is None else draft.version
    for based_on in (version, body_version):
        if based_on is not None and based_on != present:
            if draft is None:
                raise stale_record(connection, record, state, based_on)
            raise stale_draft(connection, record, state, draft)
    return rest


def _base(state: Raw, draft: StoredDraft | None, base_version: Any) -> int:
    """The version that the draft is based on."""
    if base_version is None:
        return int(state["version"]) if draft is None else draft.base_version
    if type(base_version) is not int:
        raise ValidationFailed(
            [detail("base_version", "wrong_type", "Base version must be a whole number.")]
        )
    if not 1 <= base_version <= state["version"]:
        code = "too_small" if base_version < 1 else "too_large"
        raise ValidationFailed([detail("base_version", code, "There is no such version.")])
    return base_version


def _parse_values(
    connection: Connection,
    record: Record,
    actor: Actor,
    state: Raw,
    draft: StoredDraft | None,
    raw: Raw,
) -> Raw:
    """The values that `raw` sets, without computed ones and the draft's metadata."""
    computed_fields = {one.name for one in record.fields if one.computed}
    rest = {name: value for name, value in raw.items() if name not in computed_fields | set(ABOUT)}
    visible_state = state
    if draft is not None:
        visible_state = _overlay(connection, record, actor, state, draft)
        # a client may send back the record as it was read, or the draft
        if rest.get("updated_at") != state.get("updated_at"):
            visible_state["updated_at"] = draft.updated_at
    values = parse_draft(record, actor, rest, visible_state)
    return {name: _reference(record.field(name), value) for name, value in values.items()}


def _reference(field: Field, value: Any) -> Any:
    """References as ids and names; other values as they are."""
    if field.target is None or value is None:
        return value
    references = [_id_or_key(field, one) for one in (value if field.many else [value])]
    return references if field.many else references[0]


def _id_or_key(field: Field, one: Any) -> int | str:
    """An id or a natural key; of an object its id, or its key if it has no id (yet)."""
    key = record_of(field.target or "").key
    reference = one if not isinstance(one, dict) else one.get("id") or one.get(key)
    if isinstance(reference, bool) or not isinstance(reference, int | str):
        words = Message(
            "%(label)s must be an ID, a name or an object with an ID.", label=Message(field.label)
        )
        raise ValidationFailed([detail(field.name, "wrong_type", words)])
    return reference


@retry_conflicts
def discard_draft(
    record: Record, actor: Actor, id: int, raw: Raw | None = None, *, version: int | None = None
) -> None:
    """Discard the draft. Raises Unauthenticated, PermissionDenied, NotFound, VersionConflict, ValidationFailed."""
    require_possible(record.access.update, actor)
    with transaction() as connection:
        state = _load_editable(connection, record, actor, id)
        draft = find_draft(connection, record, id)
        if draft is None:
            raise _no_draft(record)
        refuse_unknown(_check_versions(connection, record, state, draft, raw or {}, version))
        delete_draft(connection, record, id)
        row = audit.audit_row(actor, "discard_draft", record.path, id, list(draft.values))
        audit.insert_rows(connection, [row])


def _no_draft(record: Record) -> NotFound:
    return NotFound(Message("This %(noun)s has no draft.", noun=Message(record.noun)))
