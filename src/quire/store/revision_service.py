"""Work on revisions: two of them compared, an old one restored by an ordinary change."""

from importlib import import_module
from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.parse import is_same_value, is_settable
from quire.declare.pydantic_models import PART
from quire.declare.record import Record, record_of
from quire.declare.rules import require_possible
from quire.errors import NotFound, ValidationFailed, detail
from quire.store import revisions, rows
from quire.store.db import read_connection, transaction
from quire.store.references import small_objects
from quire.store.write import Raw, Saved, update

VERB = "restore_revision"


def compare_revisions(
    record: Record, actor: Actor, id: int, first: int, second: int | None = None
) -> dict[str, Any]:
    """What differs between two versions, field by field; `second` is the present one by default.

    Texts come as `parts`, word by word, other values as `before` and `after`. Raises Unauthenticated,
    PermissionDenied, NotFound.
    """
    require_possible(record.access.update, actor)
    with read_connection() as connection:
        state = rows.load_for_update(connection, record, actor, id, record.access.update).state
        second = state["version"] if second is None else second
        datas = [_data(connection, record, id, version) for version in (first, second)]
    seen = record.visible_fields(actor)
    return {
        "type": record.path,
        "record_id": id,
        "from": first,
        "to": second,
        "fields": [_field(record, name, *datas) for name in seen if _differs(name, *datas)],
    }


def _data(connection: Connection, record: Record, id: int, version: int) -> Raw:
    found = revisions.data_at(connection, record, id, version)
    if found is None:
        raise NotFound("There is no such revision.")
    return found


def _differs(name: str, before: Raw, after: Raw) -> bool:
    return (name in before or name in after) and before.get(name) != after.get(name)


def _field(record: Record, name: str, before: Raw, after: Raw) -> Raw:
    one, other = before.get(name), after.get(name)
    if (
        record.field(name).kind.is_text
        and isinstance(one or "", str)
        and isinstance(other or "", str)
    ):
        return {"field": name, "parts": text_parts(one or "", other or "")}
    return {"field": name, "before": one, "after": other}


def text_parts(before: str, after: str) -> list[dict[str, str]]:
    """Two texts compared word by word, as `{"op", "text"}`."""
    # the library is needed by few requests: it is loaded by the first of them
    parts: list[dict[str, str]] = import_module("quire.store.text_diff").diff(before, after)
    return parts


def data_at(record: Record, id: int, version: int) -> Raw | None:
    """The state of a record at `version`, None if it is not known; for actors who may change it."""
    with read_connection() as connection:
        return revisions.data_at(connection, record, id, version)


def restore(
    record: Record,
    actor: Actor,
    id: int,
    version: int,
    raw: Raw,
    *,
    skip_missing: bool = False,
    based_on: int | None = None,
) -> Saved:
    """Give a record the values of an old version, by a change like any other.

    When it is public stays as it is. `raw` may hold `version`, the present one, as `based_on`.
    What it referred to and is gone is refused by name, or left out with `skip_missing`. Raises
    Unproven, Refused, Missing, Stale, Invalid, Conflict.
    """
    require_possible(record.access.update, actor)
    with transaction() as connection:
        state = rows.load_for_update(connection, record, actor, id, record.access.update).state
        data = _data(connection, record, id, version)
        values = {
            n: data[n]
            for n in _restorable(record, actor, data)
            if not is_same_value(state[n], data[n])
        }
        gone = _dangling_references(connection, record, actor, values)
        if gone and not skip_missing:
            raise ValidationFailed([_missing(record, name, small) for name, small in gone])
        values = _without_references(record, values, gone)
        return update(record, actor, id, {**values, **raw}, version=based_on, verb=VERB)


def _restorable(record: Record, actor: Actor, data: Raw) -> list[str]:
    """What the actor may set of it, but for the dates that say whether it is public."""
    public = {column.key for column in record.schedule_columns}
    return [
        one.name
        for one in record.fields
        if one.name in data and one.name not in public and is_settable(one, actor, PART)
    ]


def _dangling_references(
    connection: Connection, record: Record, actor: Actor, values: Raw
) -> list[tuple[str, Raw]]:
    """The references of the values that lead nowhere, by field."""
    found = []
    for name, value in values.items():
        field = record.field(name)
        if field.target is None or not value:
            continue
        sent = value if field.many else [value]
        ids = [one["id"] for one in sent]
        now_there = small_objects(connection, record_of(field.target), actor, ids)
        pairs = zip(sent, now_there, strict=True)
        found += [(name, one) for one, there in pairs if len(one) > 1 and None in there.values()]
    return found


def _missing(record: Record, name: str, small: Raw) -> dict[str, str]:
    field = record.field(name)
    target = record_of(field.target or "")
    called = small.get(target.title_field) or small.get(target.key) or small["id"]
    return detail(
        name,
        "not_found",
        f"{field.label}: the {target.noun} “{called}” no longer exists.",
    )


def _without_references(record: Record, values: Raw, gone: list[tuple[str, Raw]]) -> Raw:
    """The values without those references; a single one that is gone stays as it is now."""
    kept = dict(values)
    for name, small in gone:
        if record.field(name).many is None:
            del kept[name]
        else:
            kept[name] = [one for one in kept[name] if one != small]
    return kept
