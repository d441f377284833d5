"""What sentences about events need from their records: titles and values, in one statement."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Select, String, cast, func, literal, select, tuple_, union_all

from quire.actor import Actor
from quire.admin.format import record_title
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions, rule_params
from quire.store.db import read_connection
from quire.store.permissions import sees_all_titles
from quire.store.revisions import Revision
from quire.store.search_suggestions import MAX_TITLE, title_column

LONG = ("markdown", "html", "json", "textarea")
"""Widgets of values that are not read, since texts in revisions can be long."""
Event = dict[str, Any]
Titles = dict[tuple[str, int], str]
Values = dict[tuple[str, int, int], dict[str, Any]]
"""Values by type, id and version of a record."""
_NO_VERSION, _LAST_VERSION = 0, -1
_revisions = Revision.__table__.c


class Known(NamedTuple):
    """What is known about the records of events.

    `titles` are those of records that still exist, `former_titles` the last titles of deleted ones, `values` the
    short values before and after each change, if both versions are known.
    """

    titles: Titles
    former_titles: Titles
    values: Values


def titles_and_values(actor: Actor, events: Sequence[Event]) -> Known:
    """The titles of the records of `events` and their values, as far as `actor` may see them."""
    known = [one for one in events if one["type"] in REGISTRY and one["record_id"]]
    by_type = {one["type"]: [e for e in known if e["type"] == one["type"]] for one in known}
    with read_connection() as connection:
        dialect = connection.dialect.name
        parts = [
            part
            for path, some in by_type.items()
            if REGISTRY[path].allows(actor, "panel") is not False
            for part in _parts(REGISTRY[path], actor, some, dialect)
        ]
        if not parts:
            return Known({}, {}, {})
        rows = connection.execute(union_all(*parts), rule_params(actor)).all()
    return Known(
        _titles(rows, _NO_VERSION),
        _titles(rows, _LAST_VERSION),
        {row[:3]: json.loads(row[3]) for row in rows if row[2] > _NO_VERSION},
    )


def _titles(rows: Iterable[Any], marker: int) -> Titles:
    return {row[:2]: _title(row[0], row[1], row[3]) for row in rows if row[2] == marker}


def _title(path: str, id: int, text: str) -> str:
    record = REGISTRY[path]
    return record_title(record, {"id": id, record.title_field: text}) if text else ""


def changed_fields(actor: Actor, event: Event) -> list[Field]:
    """The short fields that an event has changed, and this actor may see."""
    record = REGISTRY.get(event["type"])
    if record is None or not record.history or (event["record_version"] or 1) == 1:
        return []
    visible = record.visible_fields(actor)
    fields = [record.field(name) for name in event["fields"] if name in visible]
    return [one for one in fields if one.kind.widget not in LONG]


def _parts(
    record: Record, actor: Actor, events: list[Event], dialect: str
) -> Iterator[Select[Any]]:
    ids = {one["record_id"] for one in events}
    yield _title_rows(record, actor, ids)
    if _has_former_titles(record, actor):
        yield _former_title_rows(record, ids)
    changes = [(one, fields) for one in events if (fields := changed_fields(actor, one))]
    if changes:
        names = {one.name for _, some in changes for one in some}
        yield _value_rows(record, [one for one, _ in changes], sorted(names), dialect)


def _title_rows(record: Record, actor: Actor, ids: set[int]) -> Select[Any]:
    title = title_column(record)
    columns = literal(record.path), record.table.c.id, literal(_NO_VERSION), title
    rows = select(*columns).select_from(record.table).where(record.table.c.id.in_(ids))
    return rows.where(*row_conditions(record.allows(actor, "panel")))


def _has_former_titles(record: Record, actor: Actor) -> bool:
    """Whether `actor` may see the titles of all records of the type, and revisions contain them."""
    field = record.field(record.title_field)
    is_stored = record.is_versioned and record.history and field.is_tracked
    is_text = field.column is not None and field.target is None
    return is_stored and is_text and sees_all_titles(record, actor, "panel")


def _former_title_rows(record: Record, ids: set[int]) -> Select[Any]:
    """The titles in the last revisions of records that no longer exist."""
    last = select(_revisions.record_id, func.max(_revisions.version)).where(
        _revisions.type == record.path,
        _revisions.record_id.in_(ids),
        _revisions.record_id.not_in(select(record.table.c.id).where(record.table.c.id.in_(ids))),
    )
    last = last.group_by(_revisions.record_id)
    title = func.substr(_revisions.data[record.title_field].as_string(), 1, MAX_TITLE)
    columns = literal(record.path), _revisions.record_id, literal(_LAST_VERSION), title
    return select(*columns).where(
        _revisions.type == record.path, tuple_(_revisions.record_id, _revisions.version).in_(last)
    )


def _value_rows(
    record: Record, changes: Iterable[Event], names: list[str], dialect: str
) -> Select[Any]:
    """The values of these names in the version that each change has made, and in the previous one."""
    make_object = func.json_object if dialect == "sqlite" else func.json_build_object
    values = make_object(*chain.from_iterable((name, _revisions.data[name]) for name in names))
    version = _revisions.version
    versions = [(e["record_id"], e["record_version"] - back) for e in changes for back in (0, 1)]
    columns = literal(record.path), _revisions.record_id, version, cast(values, String)
    return select(*columns).where(
        _revisions.type == record.path, tuple_(_revisions.record_id, version).in_(versions)
    )
