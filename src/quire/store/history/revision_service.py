"""Compares two revisions, and restores an old one with an ordinary change."""

from importlib import import_module
from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.input_validation import is_same_value
from quire.declare.pydantic_models import PART
from quire.declare.record import Record, record_of
from quire.declare.rules import require_possible
from quire.declare.settable_fields import is_settable
from quire.errors import NotFound, ValidationFailed, detail
from quire.store import revisions
from quire.store.changes import rows
from quire.store.changes.references import small_objects
from quire.store.db import read_connection, transaction
from quire.store.permissions import sees_all_titles
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Raw, Saved, update
from quire.translations.messages import Message

VERB = "restore_revision"


def compare_revisions(
    record: Record, actor: Actor, id: int, first: int, second: int | None = None
) -> dict[str, Any]:
    """The differences between two versions, field by field; `second` is the current one by default.

    Texts are returned as `parts`, word by word, other values as `before` and `after`. Raises
    Unauthenticated, PermissionDenied, NotFound.
    """
    require_possible(record.access.update, actor)
    with read_connection() as connection:
        state = rows.load_for_update(connection, record, actor, id, record.access.update).state
        second = state["version"] if second is None else second
        datas = [_data(connection, record, id, version) for version in (first, second)]
    return {
        "type": record.path,
        "record_id": id,
        "from": first,
        "to": second,
        "fields": compare_data(record, actor, *datas),
    }


def compare_data(record: Record, actor: Actor, before: Raw, after: Raw) -> list[Raw]:
    """The fields in which the data of two revisions differ and that the actor may see."""
    return [
        _field(record, name, before, after)
        for name in record.visible_fields(actor)
        if _differs(name, before, after)
    ]


def _data(connection: Connection, record: Record, id: int, version: int) -> Raw:
    data = revisions.data_at(connection, record, id, version)
    if data is None:
        raise NotFound("There is no such revision.")
    return data


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
    # few requests need the library, so the first of them loads it
    parts: list[dict[str, str]] = import_module("quire.store.history.text_diff").diff(before, after)
    return parts


def data_at(record: Record, id: int, version: int) -> Raw | None:
    """The state of a record at `version`, None if it is unknown; for actors who may change the record."""
    with read_connection() as connection:
        return revisions.data_at(connection, record, id, version)


def data_around(record: Record, id: int, version: int) -> tuple[Raw | None, Raw | None]:
    """The states before and at `version`, like `data_at`."""
    with read_connection() as connection:
        data = revisions.data_of_versions(connection, record, id, (version - 1, version))
    return data.get(version - 1), data.get(version)


@retry_conflicts
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
    """Give a record the values of an old version, in a change like any other.

    Its publication dates are kept. `raw` may contain the current `version`, like `based_on`. References to
    deleted records are rejected by name, or left out with `skip_missing`. Raises Unauthenticated,
    PermissionDenied, NotFound, VersionConflict, ValidationFailed, Conflict.
    """
    require_possible(record.access.update, actor)
    with transaction() as connection:
        state = rows.load_for_update(connection, record, actor, id, record.access.update).state
        data = _data(connection, record, id, version)
        values = {
            n: data[n]
            for n in _restorable_fields(record, actor, data)
            if not is_same_value(state[n], data[n])
        }
        dangling = dangling_references(connection, record, actor, values)
        if dangling and not skip_missing:
            raise ValidationFailed(
                [missing_reference(record, actor, name, small) for name, small in dangling]
            )
        values = _without_references(record, values, dangling)
        return update(record, actor, id, {**values, **raw}, version=based_on, verb=VERB)


def _restorable_fields(record: Record, actor: Actor, data: Raw) -> list[str]:
    """The fields in `data` that the actor may set, without the publication dates."""
    public = {column.key for column in record.schedule_columns}
    return [
        one.name
        for one in record.fields
        if one.name in data and one.name not in public and is_settable(one, actor, PART)
    ]


def dangling_references(
    connection: Connection, record: Record, actor: Actor, values: Raw
) -> list[tuple[str, Raw]]:
    """The references in the values (small objects in revisions) whose targets are gone, with their fields."""
    dangling = []
    for name, value in values.items():
        field = record.field(name)
        if field.target is None or not value:
            continue
        references = value if field.many else [value]
        ids = [one["id"] for one in references]
        current_objects = small_objects(connection, record_of(field.target), actor, ids)
        pairs = zip(references, current_objects, strict=True)
        dangling += [(name, one) for one, there in pairs if len(one) > 1 and None in there.values()]
    return dangling


def missing_reference(record: Record, actor: Actor, name: str, small: Raw) -> dict[str, str]:
    """The error detail that names the deleted record to which a field refers."""
    field = record.field(name)
    target = record_of(field.target or "")
    title = small.get(target.title_field) or _last_title(target, actor, small["id"])
    title = title or small.get(target.key) or small["id"]
    return detail(
        name,
        "not_found",
        Message(
            "%(label)s: the %(noun)s “%(title)s” no longer exists.",
            label=Message(field.label),
            noun=Message(target.noun),
            title=title,
        ),
    )


def _last_title(record: Record, actor: Actor, id: int) -> Any:
    """The last title of a deleted record; None if it is unknown, or `actor` may not see all titles."""
    if not sees_all_titles(record, actor, "read"):
        return None
    return revisions.data_of_records(record, {id: None}).get(id, {}).get(record.title_field)


def _without_references(record: Record, values: Raw, dangling: list[tuple[str, Raw]]) -> Raw:
    """The values without dangling references; a field with a single reference keeps its current value."""
    remaining = dict(values)
    for name, small in dangling:
        if record.field(name).many is None:
            del remaining[name]
        else:
            remaining[name] = [one for one in remaining[name] if one != small]
    return remaining
