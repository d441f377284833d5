"""What sentences about events need to know of their records: titles and values, in one statement."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Select, String, cast, func, literal, select, tuple_, union_all

from quire.actor import Actor
from quire.admin.format import record_title
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions, rule_params
from quire.store.db import read_connection
from quire.store.revisions import Revision
from quire.store.search_suggestions import title_column

LONG = ("markdown", "html", "json", "textarea")
"""Widgets of values that are not read: texts of revisions can be long."""
Event = dict[str, Any]
Titles = dict[tuple[str, int], str]
Values = dict[tuple[str, int, int], dict[str, Any]]
"""Values by type, id and version of a record."""
_NO_VERSION = 0
_revisions = Revision.__table__.c


def titles_and_values(actor: Actor, events: Sequence[Event]) -> tuple[Titles, Values]:
    """The titles of the records of `events`, if they still exist, and their short values before and
    after each change, as far as both versions are known."""
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
            return {}, {}
        rows = connection.execute(union_all(*parts), rule_params(actor)).all()
    titles = {row[:2]: _title(row[0], row[1], row[3]) for row in rows if row[2] == _NO_VERSION}
    return titles, {row[:3]: json.loads(row[3]) for row in rows if row[2] != _NO_VERSION}


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
    yield _title_rows(record, actor, {one["record_id"] for one in events})
    changes = [(one, fields) for one in events if (fields := changed_fields(actor, one))]
    if changes:
        names = {one.name for _, some in changes for one in some}
        yield _value_rows(record, [one for one, _ in changes], sorted(names), dialect)


def _title_rows(record: Record, actor: Actor, ids: set[int]) -> Select[Any]:
    title = title_column(record)
    columns = literal(record.path), record.table.c.id, literal(_NO_VERSION), title
    rows = select(*columns).select_from(record.table).where(record.table.c.id.in_(ids))
    return rows.where(*row_conditions(record.allows(actor, "panel")))


def _value_rows(
    record: Record, changes: Iterable[Event], names: list[str], dialect: str
) -> Select[Any]:
    """The values of these names in the version that each change has made, and in the one before."""
    make_object = func.json_object if dialect == "sqlite" else func.json_build_object
    values = make_object(*chain.from_iterable((name, _revisions.data[name]) for name in names))
    version = _revisions.version
    versions = [(e["record_id"], e["record_version"] - back) for e in changes for back in (0, 1)]
    columns = literal(record.path), _revisions.record_id, version, cast(values, String)
    return select(*columns).where(
        _revisions.type == record.path, tuple_(_revisions.record_id, version).in_(versions)
    )
