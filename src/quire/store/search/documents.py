"""The documents that a search scans: the terms of each record, written with every change.

They contain terms (store/search/terms.py), so that FTS5 on SQLite and tsvector on PostgreSQL find the same records.
"""

import zlib
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    DDL,
    Connection,
    Integer,
    String,
    Text,
    UniqueConstraint,
    delete,
    event,
    insert,
)
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.record import Record
from quire.store.connections.driver_statements import run
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import HAS_VERSION, Model
from quire.store.search.snippets import LINK_TARGET
from quire.store.search.terms import document_terms

MAX_PLACE = 16_383
"""The last position in a document that a tsvector can express."""
FTS_TABLE = "search_index"
"""The table that a search reads on SQLite."""
_ID_BITS = 32
MAX_ID = (1 << _ID_BITS) - 1
"""The largest id of a record that can be searched for."""


class SearchDocument(Model):
    """The terms of one record: those of its title, and those of its other fields.

    On SQLite, the id is a number of the type followed by one that decreases as the id of the record increases: a
    range of the index contains one type, the newest record first. (Reading backwards, FTS5 of SQLite 3.40 omits
    most of a range.) PostgreSQL has the type among the terms instead.
    """

    __tablename__ = "search_documents"
    __table_args__ = (
        UniqueConstraint("type", "record_id"),
        {"sqlite_autoincrement": True, "info": HAS_VERSION},
    )

    id: Mapped[int] = mapped_column(Integer(), primary_key=True)
    type: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[int] = mapped_column(Integer())
    title: Mapped[str] = mapped_column(Text())
    body: Mapped[str] = mapped_column(Text())


SQLITE_DDL = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5(title, body, "
    "content='search_documents', content_rowid='id', prefix='1 2 3', "
    "tokenize=\"ascii tokenchars '_'\")",
    "CREATE TRIGGER IF NOT EXISTS search_insert AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, title, body) VALUES (new.id, new.title, new.body); END",
    "CREATE TRIGGER IF NOT EXISTS search_delete AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, title, body) "
    "VALUES ('delete', old.id, old.title, old.body); END",
    "CREATE TRIGGER IF NOT EXISTS search_update AFTER UPDATE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, title, body) "
    "VALUES ('delete', old.id, old.title, old.body); "
    "INSERT INTO search_index(rowid, title, body) VALUES (new.id, new.title, new.body); END",
)
POSTGRESQL_DDL = (
    "ALTER TABLE search_documents ADD COLUMN IF NOT EXISTS words tsvector "
    "GENERATED ALWAYS AS (title::tsvector || body::tsvector) STORED",
    "CREATE INDEX IF NOT EXISTS ix_search_documents_words ON search_documents USING gin (words)",
)
"""Also executed by a migration, which has its own copy, since migrations import nothing from here."""

for _dialect, _statements in (("sqlite", SQLITE_DDL), ("postgresql", POSTGRESQL_DDL)):
    for _statement in _statements:
        event.listen(
            SearchDocument.__table__,
            "after_create",
            DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect),
        )


_COLUMNS = ("id", "type", "record_id", "title", "body")
AT_ONCE = 500
"""Documents per statement on SQLite, which accepts at least 32,766 parameters."""
_OR_UPDATE = (
    "ON CONFLICT (type, record_id) DO UPDATE SET title = excluded.title, body = excluded.body"
)


def document_id(type: str, record_id: int) -> int:
    """Return the id of a document on SQLite."""
    return (zlib.crc32(type.encode()) >> 1) << _ID_BITS | (MAX_ID - record_id)


def type_term(type: str) -> str:
    """Return the term by which PostgreSQL finds the documents of a type."""
    return f"#{type}"


def index_records(connection: Connection, record: Record, states: list[dict[str, Any]]) -> None:
    """Write the documents of records with the given states."""
    if not record.search_fields or not states:
        return
    dialect = connection.dialect.name
    documents = [_document(record, state, dialect) for state in states]
    if dialect == "postgresql":
        _upsert(connection, documents)
    elif len(documents) == 1:
        _upsert_one_on_sqlite(connection, documents)
    else:
        documents.sort(key=itemgetter("id"))
        for start in range(0, len(documents), AT_ONCE):
            _upsert_on_sqlite(connection, documents[start : start + AT_ONCE])


def _upsert_on_sqlite(connection: Connection, documents: list[dict[str, Any]]) -> None:
    """Return one statement for many documents, ordered by id.

    FTS5 writes out its buffer when a statement ends or an id is smaller than the previous one, and merges it with
    the index later.
    """
    columns, values = ", ".join(_COLUMNS), ", ".join(["(?, ?, ?, ?, ?)"] * len(documents))
    sql = f"INSERT INTO search_documents ({columns}) VALUES {values} {_OR_UPDATE}"  # noqa: S608 - names of ours
    run(connection, sql, [one[name] for one in documents for name in _COLUMNS])


_upsert_one_on_sqlite = Prepared(
    insert(SearchDocument.__table__), with_id=True, on_conflict=_OR_UPDATE
)
_upsert = Prepared(insert(SearchDocument.__table__), on_conflict=_OR_UPDATE, deferred=True)


def delete_document(connection: Connection, record: Record, id: int) -> None:
    """Delete the document of a deleted record."""
    table = SearchDocument.__table__
    connection.execute(delete(table).where(table.c.type == record.path, table.c.record_id == id))


def _document(record: Record, state: dict[str, Any], dialect: str) -> dict[str, Any]:
    title, *others = (
        LINK_TARGET.sub(" ", state.get(one.name) or "") for one in record.search_fields
    )
    return document(record.path, state["id"], title, "\n".join(filter(None, others)), dialect)


def document(type: str, record_id: int, title: str, body: str, dialect: str) -> dict[str, Any]:
    """Return the row of SearchDocument for the texts of a record."""
    row: dict[str, Any] = {"type": type, "record_id": record_id}
    if dialect == "sqlite":
        terms = {"title": " ".join(document_terms(title)), "body": " ".join(document_terms(body))}
        return {**row, "id": document_id(type, record_id), **terms}
    return {
        **row,
        "title": _to_tsvector([*document_terms(title), type_term(type)], "A"),
        "body": _to_tsvector(document_terms(body), ""),
    }


def _to_tsvector(terms: list[str], weight: str) -> str:
    """Return a tsvector as text: each term with its first position."""
    places = enumerate(dict.fromkeys(terms), start=1)
    return " ".join(f"{term}:{min(place, MAX_PLACE)}{weight}" for place, term in places)
