"""Work on drafts: read as the record will be, kept while somebody types, put live or thrown away."""

from dataclasses import replace as with_values
from typing import Any

from sqlalchemy import Connection

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.fields import Field
from quire.declare.markup import rendered_if_it_fits
from quire.declare.parse import parse_draft, same
from quire.declare.record import Record, record_of
from quire.errors import Invalid, Missing, Refused, detail
from quire.store import audit, drafts, rows
from quire.store.db import reading, transaction
from quire.store.drafts import Held
from quire.store.inputs import late, refuse_all, refuse_trashed, stale
from quire.store.references import small_objects
from quire.store.write import Also, Raw, Saved, pass_door, update

ABOUT = ("base_version", "live_version", "changed_fields", "updated_by")
"""What a draft shows beside the record's own fields; accepted in bodies, `base_version` is heeded."""


def read(record: Record, actor: Actor, id: int) -> Raw:
    """The record as it will be, with what there is to know of the draft. Raises Missing."""
    pass_door(record.access.update, actor)
    with reading() as connection:
        found = rows.look(connection, record, actor, id, record.access.update)
        if found is None or not found.allowed or found.shown is None:
            raise Missing(f"There is no such {record.one.lower()}.")
        held = drafts.find(connection, record, id)
        if held is None:
            raise Missing(f"This {record.one.lower()} has no draft.")
        laid = _laid_over(connection, record, actor, found.shown, held)
    return laid | _made(record, held.values) | _about(record, held, found.state)


def as_it_will_be(record: Record, id: int) -> Raw:
    """All of a record, with its draft laid over it if it has one; what is not there is left out.

    Raises Missing, in the trash too.
    """
    with reading() as connection:
        found = rows.look(connection, record, SYSTEM, id, record.access.read)
        if found is None or found.state.get("deleted_at"):
            raise Missing(f"There is no such {record.one.lower()}.")
        held = drafts.find(connection, record, id)
        if held is None:
            return found.state
        laid = _laid_over(connection, record, SYSTEM, found.state, held)
    for name in held.values:
        laid[name] = _existing(record.field(name), laid[name], found.state[name])
    return laid | _made(record, held.values)


def _existing(field: Field, value: Any, live: Any) -> Any:
    """Those references of a draft that lead somewhere."""
    if field.target is None or value is None:
        return value
    if field.many is not None:
        return [one for one in value if None not in one.values()]
    return live if None in value.values() else value


def version_of(record: Record, id: int) -> int | None:
    """The version of the draft of a record, None where there is none."""
    with reading() as connection:
        held = drafts.find(connection, record, id)
    return None if held is None else held.version


def _laid_over(connection: Connection, record: Record, actor: Actor, state: Raw, held: Held) -> Raw:
    """`state` with the values of the draft instead of its own; references as small objects."""
    laid = dict(state)
    for name, value in held.values.items():
        if name in state and name in record.by_name:
            laid[name] = _shown(connection, actor, record.field(name), value)
    return laid


def _shown(connection: Connection, actor: Actor, field: Field, value: Any) -> Any:
    if field.target is None or value is None:
        return value
    sent = value if field.many else [value]
    small = small_objects(connection, record_of(field.target), actor, sent)
    return small if field.many else small[0]


def _made(record: Record, values: Raw) -> Raw:
    """What follows from the values: the HTML of a text."""
    texts = {f"{name}_html": text for name, text in values.items() if isinstance(text, str)}
    made = [name for name in texts if name in record.by_name and record.field(name).made]
    return {name: rendered_if_it_fits(texts[name]) for name in made}


def _about(record: Record, held: Held, state: Raw) -> Raw:
    return {
        "version": held.version,
        "base_version": held.base_version,
        "live_version": state["version"],
        "changed_fields": [name for name in record.by_name if name in held.values],
        "updated_at": held.updated_at,
        "updated_by": held.updated_by,
    }


def keep(
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
    was made where no draft was there, None that this is not known. Raises Unproven, Refused,
    Missing, Conflict, Stale, Invalid.
    """
    pass_door(record.access.update, actor)
    with transaction() as connection:
        state = _found(connection, record, actor, id)
        refuse_trashed(record, state)
        held = drafts.find(connection, record, id)
        if begin is not None and begin is not (held is None):
            raise late(connection, record, state, held)
        rest = _compared(connection, record, state, held, raw, version)
        base = _base(state, held, rest.pop("base_version", None))
        given = _given(connection, record, actor, state, held, rest)
        values = {**_staying(record, held, replace), **given}
        values = {n: value for n, value in values.items() if not same(state.get(n), value)}
        _keep(connection, record, actor, id, held, values, base)
    return read(record, actor, id), held is None


def _staying(record: Record, held: Held | None, replace: bool) -> Raw:
    """The values of a draft that stay unless others are given."""
    values = {} if held is None else held.values
    if not replace:
        return values
    return {
        one.name: values[one.name] for one in record.fields if one.seldom and one.name in values
    }


def _keep(
    connection: Connection,
    record: Record,
    actor: Actor,
    id: int,
    held: Held | None,
    values: Raw,
    base: int,
) -> None:
    """Store it, unless that would change nothing."""
    if held is not None and (held.values, held.base_version) == (values, base):
        return
    before = held or Held(0, 0, base, {}, rfc3339(now()), None)
    new = with_values(before, version=before.version + 1, base_version=base, values=values)
    drafts.keep(connection, record, actor, id, held, new)


def _found(connection: Connection, record: Record, actor: Actor, id: int) -> Raw:
    """The state of a record that the actor may change; else nobody has heard of a draft."""
    try:
        return rows.find(connection, record, actor, id, record.access.update).state
    except Refused:
        raise Missing(f"This {record.one.lower()} has no draft.") from None


def _compared(
    connection: Connection,
    record: Record,
    state: Raw,
    held: Held | None,
    raw: Raw,
    version: int | None,
) -> Raw:
    """`raw` without its `version`, once it and `version` have been compared with the draft's."""
    rest = dict(raw)
    sent = rest.pop("version", None)
    if "version" in raw and type(sent) is not int:
        raise Invalid([detail("version", "wrong_type", "Version must be a whole number.")])
    present = state["version"] if held is None else held.version
    for based_on in (version, sent):
        if based_on is not None and based_on != present:
            if held is None:
                raise stale(connection, record, state, based_on)
            raise late(connection, record, state, held)
    return rest


def _base(state: Raw, held: Held | None, sent: Any) -> int:
    """The version that the draft is based on."""
    if sent is None:
        return int(state["version"]) if held is None else held.base_version
    if type(sent) is not int:
        raise Invalid(
            [detail("base_version", "wrong_type", "Base version must be a whole number.")]
        )
    if not 1 <= sent <= state["version"]:
        code = "too_small" if sent < 1 else "too_large"
        raise Invalid([detail("base_version", code, "There is no such version yet.")])
    return sent


def _given(
    connection: Connection,
    record: Record,
    actor: Actor,
    state: Raw,
    held: Held | None,
    raw: Raw,
) -> Raw:
    """The values that `raw` sets; what is made of others, or only shown, is left aside."""
    made = {one.name for one in record.fields if one.made}
    rest = {name: value for name, value in raw.items() if name not in made | set(ABOUT)}
    shown = state
    if held is not None:
        shown = _laid_over(connection, record, actor, state, held)
        shown["updated_at"] = held.updated_at
    given = parse_draft(record, actor, rest, shown)
    return {name: _reference(record.field(name), value) for name, value in given.items()}


def _reference(field: Field, value: Any) -> Any:
    """References as ids and names; other values as they are."""
    if field.target is None or value is None:
        return value
    named = [_named(field, one) for one in (value if field.many else [value])]
    return named if field.many else named[0]


def _named(field: Field, one: Any) -> int | str:
    """An id or a natural key: of an object its id, or its key where it has none (yet)."""
    key = record_of(field.target or "").key
    found = one if not isinstance(one, dict) else one.get("id") or one.get(key)
    if isinstance(found, bool) or not isinstance(found, int | str):
        words = f"{field.label} must be an id, a name or an object with an id."
        raise Invalid([detail(field.name, "wrong_type", words)])
    return found


def discard(
    record: Record, actor: Actor, id: int, raw: Raw | None = None, *, version: int | None = None
) -> None:
    """Throw the draft away. Raises Unproven, Refused, Missing, Stale, Invalid."""
    pass_door(record.access.update, actor)
    with transaction() as connection:
        state = _found(connection, record, actor, id)
        held = drafts.find(connection, record, id)
        if held is None:
            raise Missing(f"This {record.one.lower()} has no draft.")
        refuse_all(_compared(connection, record, state, held, raw or {}, version))
        drafts.forget(connection, record, id)
        noted = audit.event(actor, "discard_draft", record.path, id, list(held.values))
        audit.keep(connection, [noted])


def settle(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw,
    *,
    version: int | None,
    draft_version: int | None,
    also: Also | None = None,
) -> Saved:
    """Change the record itself, which takes the place of its draft.

    `draft_version` is that of the draft that was looked at, None if there was none. Raises what
    `update` does, and Stale when the draft is another one by now.
    """
    with transaction() as connection:
        saved = update(record, actor, id, raw, version=version, also=also)
        held = drafts.find(connection, record, id) if record.drafts else None
        if held is not None and held.version != draft_version:
            raise late(connection, record, saved.state, held)
        drafts.forget(connection, record, id)
    return saved
