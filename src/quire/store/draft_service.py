"""Work on drafts: read as the record will be, kept while somebody types, thrown away."""

from dataclasses import replace as with_values
from typing import Any

from sqlalchemy import Connection

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.fields import Field
from quire.declare.markdown import render_within_limit
from quire.declare.parse import is_same_value, parse_draft
from quire.declare.record import Record, record_of
from quire.declare.rules import require_possible
from quire.errors import NotFound, PermissionDenied, ValidationFailed, detail
from quire.store import audit, drafts, rows
from quire.store.db import read_connection, transaction
from quire.store.drafts import StoredDraft
from quire.store.preconditions import refuse_trashed, refuse_unknown, stale_draft, stale_record
from quire.store.references import small_objects
from quire.store.write import Raw

ABOUT = ("base_version", "live_version", "changed_fields", "updated_by")
"""What a draft shows beside the record's own fields; accepted in bodies, `base_version` is heeded."""


def read_draft(record: Record, actor: Actor, id: int) -> Raw:
    """The record as it will be, with what there is to know of the draft. Raises NotFound."""
    require_possible(record.access.update, actor)
    with read_connection() as connection:
        found = rows.load(connection, record, actor, id, record.access.update)
        if found is None or not found.allowed or found.shown is None:
            raise NotFound(f"There is no such {record.noun}.")
        draft = drafts.find_draft(connection, record, id)
        if draft is None:
            raise NotFound(f"This {record.noun} has no draft.")
        laid = _overlay(connection, record, actor, found.shown, draft)
    return laid | _computed_values(record, draft.values) | _draft_info(record, draft, found.state)


def laid_over(record: Record, actor: Actor, state: Raw) -> Raw | None:
    """What `read` answers, for who may change the record and has read its present `state`; None
    where there is no draft."""
    with read_connection() as connection:
        draft = drafts.find_draft(connection, record, state["id"])
        if draft is None:
            return None
        laid = _overlay(connection, record, actor, state, draft)
    return laid | _computed_values(record, draft.values) | _draft_info(record, draft, state)


def preview_state(record: Record, id: int) -> Raw:
    """All of a record, with its draft laid over it if it has one; what is not there is left out.

    Raises NotFound, in the trash too.
    """
    with read_connection() as connection:
        found = rows.load(connection, record, SYSTEM, id, record.access.read)
        if found is None or found.state.get("deleted_at"):
            raise NotFound(f"There is no such {record.noun}.")
        draft = drafts.find_draft(connection, record, id)
        if draft is None:
            return found.state
        laid = _overlay(connection, record, SYSTEM, found.state, draft)
    for name in draft.values:
        laid[name] = _existing_references(record.field(name), laid[name], found.state[name])
    return laid | _computed_values(record, draft.values)


def _existing_references(field: Field, value: Any, live: Any) -> Any:
    """Those references of a draft that lead somewhere."""
    if field.target is None or value is None:
        return value
    if field.many is not None:
        return [one for one in value if None not in one.values()]
    return live if None in value.values() else value


def get_draft_version(record: Record, id: int) -> int | None:
    """The version of the draft of a record, None where there is none."""
    with read_connection() as connection:
        draft = drafts.find_draft(connection, record, id)
    return None if draft is None else draft.version


def _overlay(
    connection: Connection, record: Record, actor: Actor, state: Raw, draft: StoredDraft
) -> Raw:
    """`state` with the values of the draft instead of its own; references as small objects."""
    laid = dict(state)
    for name, value in draft.values.items():
        if name in state and name in record.fields_by_name:
            laid[name] = _shown_value(connection, actor, record.field(name), value)
    return laid


def _shown_value(connection: Connection, actor: Actor, field: Field, value: Any) -> Any:
    if field.target is None or value is None:
        return value
    sent = value if field.many else [value]
    small = small_objects(connection, record_of(field.target), actor, sent)
    return small if field.many else small[0]


def _computed_values(record: Record, values: Raw) -> Raw:
    """What follows from the values: the HTML of a text."""
    texts = {f"{name}_html": text for name, text in values.items() if isinstance(text, str)}
    made = [name for name in texts if name in record.fields_by_name and record.field(name).computed]
    return {name: render_within_limit(texts[name]) for name in made}


def _draft_info(record: Record, draft: StoredDraft, state: Raw) -> Raw:
    return {
        "version": draft.version,
        "base_version": draft.base_version,
        "live_version": state["version"],
        "changed_fields": [name for name in record.fields_by_name if name in draft.values],
        "updated_at": draft.updated_at,
        "updated_by": draft.updated_by,
    }


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
    """Change the draft of a record, or begin one; the draft as it is read, and whether it is new.

    `raw` and `version` are what `write.update` takes, `version` that of the draft, or of the
    record while there is no draft; `raw` may hold `base_version`. `begin` says whether the change
    was made where no draft was there, None that this is not known. Raises Unauthenticated, PermissionDenied,
    NotFound, Conflict, VersionConflict, ValidationFailed.
    """
    require_possible(record.access.update, actor)
    with transaction() as connection:
        state = _load_editable(connection, record, actor, id)
        refuse_trashed(record, state)
        draft = drafts.find_draft(connection, record, id)
        if begin is not None and begin is not (draft is None):
            raise stale_draft(connection, record, state, draft)
        rest = _check_versions(connection, record, state, draft, raw, version)
        base = _base(state, draft, rest.pop("base_version", None))
        given = _parse_values(connection, record, actor, state, draft, rest)
        values = {**_retained_values(record, draft, replace), **given}
        values = {n: value for n, value in values.items() if not is_same_value(state.get(n), value)}
        _store(connection, record, actor, id, draft, values, base)
    return read_draft(record, actor, id), draft is None


def _retained_values(record: Record, draft: StoredDraft | None, replace: bool) -> Raw:
    """The values of a draft that stay unless others are given."""
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
    """Store it, unless that would change nothing."""
    if draft is not None and (draft.values, draft.base_version) == (values, base):
        return
    before = draft or StoredDraft(0, 0, base, {}, rfc3339(now()), None)
    new = with_values(before, version=before.version + 1, base_version=base, values=values)
    drafts.store_draft(connection, record, actor, id, draft, new)


def _load_editable(connection: Connection, record: Record, actor: Actor, id: int) -> Raw:
    """The state of a record that the actor may change; else nobody has heard of a draft."""
    try:
        return rows.load_for_update(connection, record, actor, id, record.access.update).state
    except PermissionDenied:
        raise NotFound(f"This {record.noun} has no draft.") from None


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
    sent = rest.pop("version", None)
    if "version" in raw and type(sent) is not int:
        raise ValidationFailed([detail("version", "wrong_type", "Version must be a whole number.")])
    present = state["version"] if draft is None else draft.version
    for based_on in (version, sent):
        if based_on is not None and based_on != present:
            if draft is None:
                raise stale_record(connection, record, state, based_on)
            raise stale_draft(connection, record, state, draft)
    return rest


def _base(state: Raw, draft: StoredDraft | None, sent: Any) -> int:
    """The version that the draft is based on."""
    if sent is None:
        return int(state["version"]) if draft is None else draft.base_version
    if type(sent) is not int:
        raise ValidationFailed(
            [detail("base_version", "wrong_type", "Base version must be a whole number.")]
        )
    if not 1 <= sent <= state["version"]:
        code = "too_small" if sent < 1 else "too_large"
        raise ValidationFailed([detail("base_version", code, "There is no such version.")])
    return sent


def _parse_values(
    connection: Connection,
    record: Record,
    actor: Actor,
    state: Raw,
    draft: StoredDraft | None,
    raw: Raw,
) -> Raw:
    """The values that `raw` sets; what is made of others, or only shown, is left aside."""
    made = {one.name for one in record.fields if one.computed}
    rest = {name: value for name, value in raw.items() if name not in made | set(ABOUT)}
    shown = state
    if draft is not None:
        shown = _overlay(connection, record, actor, state, draft)
        # a client may send back the record as it was read, or the draft
        if rest.get("updated_at") != state.get("updated_at"):
            shown["updated_at"] = draft.updated_at
    given = parse_draft(record, actor, rest, shown)
    return {name: _reference(record.field(name), value) for name, value in given.items()}


def _reference(field: Field, value: Any) -> Any:
    """References as ids and names; other values as they are."""
    if field.target is None or value is None:
        return value
    named = [_id_or_key(field, one) for one in (value if field.many else [value])]
    return named if field.many else named[0]


def _id_or_key(field: Field, one: Any) -> int | str:
    """An id or a natural key: of an object its id, or its key where it has none (yet)."""
    key = record_of(field.target or "").key
    found = one if not isinstance(one, dict) else one.get("id") or one.get(key)
    if isinstance(found, bool) or not isinstance(found, int | str):
        words = f"{field.label} must be an ID, a name or an object with an ID."
        raise ValidationFailed([detail(field.name, "wrong_type", words)])
    return found


def discard_draft(
    record: Record, actor: Actor, id: int, raw: Raw | None = None, *, version: int | None = None
) -> None:
    """Throw the draft away. Raises Unauthenticated, PermissionDenied, NotFound, VersionConflict, ValidationFailed."""
    require_possible(record.access.update, actor)
    with transaction() as connection:
        state = _load_editable(connection, record, actor, id)
        draft = drafts.find_draft(connection, record, id)
        if draft is None:
            raise NotFound(f"This {record.noun} has no draft.")
        refuse_unknown(_check_versions(connection, record, state, draft, raw or {}, version))
        drafts.delete_draft(connection, record, id)
        noted = audit.audit_row(actor, "discard_draft", record.path, id, list(draft.values))
        audit.insert_rows(connection, [noted])
