"""The revisions in an archive, with the ids of this installation."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from quire.declare.fields import Field
from quire.declare.record import Record, record_of
from quire.declare.value_kinds import time_from_text
from quire.exchange.archive.format import exported_fields
from quire.exchange.archive.validate import Line
from quire.records import USERS
from quire.store.revisions import data_of, with_defaults

LONGEST_WORD = 64

Row = dict[str, Any]
Find = Callable[[Record, Any], int | None]
"""Maps a reference in the archive to its id here; None if there is none."""


class RevisionReader:
    """The revisions of one type, read record by record in the order of their ids."""

    def __init__(self, lines: Iterator[Line]):
        numbered = (line for _, line in lines if isinstance(line, dict) and _is_numbered(line))
        self._groups = groupby(numbered, key=lambda line: int(line["record_id"]))
        self._next: tuple[int, list[Row]] | None = (0, [])

    def revisions_of(self, id: int) -> list[Row]:
        """The revisions of the record `id`; call it with ids in ascending order."""
        while self._next is not None and self._next[0] < id:
            group = next(self._groups, None)
            self._next = None if group is None else (group[0], list(group[1]))
        return self._next[1] if self._next is not None and self._next[0] == id else []


def _is_numbered(line: Row) -> bool:
    return type(line.get("record_id")) is int and type(line.get("version")) is int


def rows_of(record: Record, id: int, version: int, past: list[Row], find: Find) -> list[Row]:
    """`past` as rows of revisions of the record `id`; invalid revisions are left out."""
    lines = {line["version"]: line for line in past if 0 < line["version"] <= version}
    rows = (_row(record, id, line, find) for _, line in sorted(lines.items()))
    return [row for row in rows if row is not None]


def _row(record: Record, id: int, line: Row, find: Find) -> Row | None:
    action, data = line.get("action"), line.get("data")
    try:
        moment = time_from_text(str(line.get("created_at")))
    except ValueError:
        return None
    if not isinstance(action, str) or len(action) > LONGEST_WORD or not isinstance(data, dict):
        return None
    return {
        "type": record.path,
        "record_id": id,
        "version": line["version"],
        "action": action,
        "actor_id": find(USERS, line.get("actor")),
        "data": _data(record, data, find),
        "created_at": moment,
    }


def _data(record: Record, data: Row, find: Find) -> Row:
    """The content of a revision, each value converted to its field; references become ids here."""
    fields = {one.name: one for one in exported_fields(record)}
    values = {
        name: _value(fields[name], value, find) for name, value in data.items() if name in fields
    }
    return data_of(record, with_defaults(record, values))


def _value(field: Field, value: Any, find: Find) -> Any:
    if field.target is not None:
        target = record_of(field.target)
        if field.many is None:
            return _small(target, value, find)
        items = value if isinstance(value, list) else []
        return [one for one in (_small(target, each, find) for each in items) if one]
    if field.kind.is_text and not isinstance(value, str):
        return None
    return value


def _small(target: Record, value: Any, find: Find) -> Row | None:
    id = find(target, value)
    return None if id is None else {**value, "id": id}
