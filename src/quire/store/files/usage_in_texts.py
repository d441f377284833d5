"""Indexes which files the texts of records refer to, in a table: searching all texts would get ever slower."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Index,
    Integer,
    String,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.change import Change
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.store.db import Model

PREFIX = "/uploads/"
STEM = 41
"""The number of leading characters that the names of a file and its variants share."""
SHA = 32
"""The number of those that are the start of its SHA-256."""
_FILE_URL = re.compile(rf"{PREFIX}([0-9a-f]{{32}}-[0-9a-f]{{8}})", re.ASCII)

State = dict[str, Any]


class TextUse(Model):
    """A text of a record refers to a file, or to one of its variants.

    The file may be missing, since an import may add it later.
    """

    __tablename__ = "text_uses"
    __table_args__ = (Index("ix_text_uses_record", "type", "record_id"),)

    stem: Mapped[str] = mapped_column(String(STEM), primary_key=True)
    type: Mapped[str] = mapped_column(String(50), primary_key=True)
    record_id: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)


_uses = TextUse.__table__


@cache
def texts_of(record: Record) -> list[Field]:
    """Return the fields of a type that are shown as HTML, and so may refer to files."""
    fields_by_name = record.fields_by_name
    return [one for one in record.fields if f"{one.name}_html" in fields_by_name and one.is_stored]


@cache
def _names_of_texts(record: Record) -> frozenset[str]:
    return frozenset(one.name for one in texts_of(record))


def stems_in(texts: Iterable[str | None]) -> set[str]:
    """Return the stems of the files that texts refer to."""
    stems: set[str] = set()
    for text in texts:
        if text and PREFIX in text:
            stems.update(_FILE_URL.findall(text))
    return stems


def index_texts(connection: Connection, changed: Iterable[tuple[Change, State, list[str]]]) -> None:
    """Store which files texts refer to; takes changes, the states after them, and the fields that differ."""
    rows: list[dict[str, Any]] = []
    for change, state, differing in changed:
        texts = _names_of_texts(change.record)
        if texts.isdisjoint(differing):
            continue
        if change.state is not None:
            delete_text_uses(connection, change.record, state["id"])
        identity = {"type": change.record.path, "record_id": state["id"]}
        rows += [{"stem": stem, **identity} for stem in stems_in(map(state.get, texts))]
    if rows:
        connection.execute(insert(_uses), rows)


def delete_text_uses(connection: Connection, record: Record, id: int) -> None:
    """Delete the uses in a record's texts."""
    if texts_of(record):
        mine = (_uses.c.type == record.path, _uses.c.record_id == id)
        connection.execute(delete(_uses).where(*mine))


def rows_naming(record: Record, stem: Any) -> ColumnElement[bool]:
    """Return the rows of a type with a text that refers to the file with that stem."""
    mine = (_uses.c.type == record.path, _uses.c.record_id == record.table.c.id)
    return exists(select(1).select_from(_uses).where(_uses.c.stem == stem, *mine))
