"""Which files the texts of records name, in a table of its own: a search through all texts would
cost the more the more there are.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Index,
    Integer,
    Select,
    String,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import ANONYMOUS
from quire.declare.change import Change
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions
from quire.store.db import Model

PREFIX = "/uploads/"
STEM = 41
"""Characters of the name that a file and its smaller versions share."""
_NAMED = re.compile(rf"{PREFIX}([0-9a-f]{{32}}-[0-9a-f]{{8}})", re.ASCII)

State = dict[str, Any]


class TextUse(Model):
    """A text of a record names a file, or one of its smaller versions.

    The file need not be there (yet): an import may bring it later.
    """

    __tablename__ = "text_uses"
    __table_args__ = (Index("ix_text_uses_record", "type", "record_id"),)

    stem: Mapped[str] = mapped_column(String(STEM), primary_key=True)
    type: Mapped[str] = mapped_column(String(50), primary_key=True)
    record_id: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)


_uses = TextUse.__table__


def texts_of(record: Record) -> list[Field]:
    """The fields of a type that are shown as HTML, and so may name files."""
    known = record.fields_by_name
    return [one for one in record.fields if f"{one.name}_html" in known and one.is_stored]


def index_texts(connection: Connection, changed: Iterable[tuple[Change, State, list[str]]]) -> None:
    """Note what texts name now: changes, the states after them, and the names of what differs."""
    rows: list[dict[str, Any]] = []
    for change, state, differing in changed:
        names = [one.name for one in texts_of(change.record)]
        if set(names).isdisjoint(differing):
            continue
        if change.state is not None:
            delete_text_uses(connection, change.record, state["id"])
        stems = {stem for name in names for stem in _NAMED.findall(state[name] or "")}
        mine = {"type": change.record.path, "record_id": state["id"]}
        rows += [{"stem": stem, **mine} for stem in stems]
    if rows:
        connection.execute(insert(_uses), rows)


def delete_text_uses(connection: Connection, record: Record, id: int) -> None:
    """Nothing is named by a record that is gone."""
    if texts_of(record):
        mine = (_uses.c.type == record.path, _uses.c.record_id == id)
        connection.execute(delete(_uses).where(*mine))


def rows_naming(record: Record, stem: Any) -> ColumnElement[bool]:
    """The rows of a type of which a text names the file with that stem."""
    mine = (_uses.c.type == record.path, _uses.c.record_id == record.table.c.id)
    return exists(select(1).select_from(_uses).where(_uses.c.stem == stem, *mine))


def is_publicly_used(files: Any) -> ColumnElement[bool]:
    """The rows of a table of files that something shows which everybody may read, as it is now."""
    # not EXISTS: PostgreSQL would gather all uses there are before it looks at the first row
    uses = (one.correlate(files).limit(1).scalar_subquery() for one in _public_uses(files))
    return or_(*(one.is_not(None) for one in uses))


def _public_uses(files: Any) -> Iterator[Select[Any]]:
    """Statements that find what shows a row of `files`, for each way to show it."""
    stem = func.substr(files.c.url, len(PREFIX) + 1, STEM)
    for record in REGISTRY.values():
        pictures = [one for one in record.fields if one.target == files.name and one.is_stored]
        texts, table = texts_of(record), record.table
        if (not pictures and not texts) or (
            answer := record.declared_access.read(ANONYMOUS)
        ) is False:
            continue
        shown = row_conditions(answer)
        if record.has_trash:
            shown.append(table.c.deleted_at.is_(None))
        for field in pictures:
            yield select(1).select_from(table).where(field.column == files.c.id, *shown)
        if texts:
            named = _uses.join(table, _uses.c.record_id == table.c.id)
            mine = (_uses.c.stem == stem, _uses.c.type == record.path)
            yield select(1).select_from(named).where(*mine, *shown)
