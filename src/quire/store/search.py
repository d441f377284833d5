"""Full-text search: FTS5 on SQLite, tsvector on PostgreSQL, one table of documents behind both."""

import re
from functools import cache
from typing import Any

from sqlalchemy import DDL, Connection, Integer, String, Text, UniqueConstraint, delete, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Float

from quire.declare.record import Record
from quire.store.db import Model
from quire.store.prepared import Prepared

MARK_BEGIN, MARK_END = "\x02", "\x03"
"""Stand around a found word until the text around it has been escaped."""


class SearchDocument(Model):
    """The searchable text of one record."""

    __tablename__ = "search_documents"
    __table_args__ = (UniqueConstraint("type", "record_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer(), primary_key=True)
    type: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[int] = mapped_column(Integer())
    title: Mapped[str] = mapped_column(Text())
    body: Mapped[str] = mapped_column(Text())


SQLITE_DDL = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5(title, body, "
    "content='search_documents', content_rowid='id', tokenize='unicode61 remove_diacritics 2')",
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
    "ALTER TABLE search_documents ADD COLUMN IF NOT EXISTS words tsvector GENERATED ALWAYS AS ("
    "setweight(to_tsvector('simple', title), 'A') || "
    "setweight(to_tsvector('simple', left(body, 500000)), 'B')) STORED",
    "CREATE INDEX IF NOT EXISTS ix_search_documents_words ON search_documents USING gin (words)",
)
"""What a migration runs too; it says it again, since migrations import nothing from here."""

for _dialect, _statements in (("sqlite", SQLITE_DDL), ("postgresql", POSTGRESQL_DDL)):
    for _statement in _statements:
        event.listen(
            SearchDocument.__table__,
            "after_create",
            DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect),
        )


def expression(words: str, dialect: str) -> str:
    """What a person typed as an expression of the search engine; its syntax is never typed.

    All words must occur; the last one may be the beginning of a longer one.
    """
    found = re.findall(r"\w+", words.replace("_", " "))[:20]
    if dialect == "sqlite":
        return " ".join(f'"{word}"' for word in found) + ("*" if found else '""')
    return " & ".join(f"'{word}'" for word in found) + (":*" if found else "")


_MATCHES = {
    "sqlite": "SELECT d.record_id, bm25(search_index, 10.0, 1.0) AS rank FROM search_index "
    "JOIN search_documents d ON d.id = search_index.rowid "
    "WHERE search_index MATCH :search AND d.type = '{type}'",
    "postgresql": "SELECT record_id, -ts_rank(words, q)::float8 AS rank "
    "FROM search_documents, to_tsquery('simple', :search) q "
    "WHERE words @@ q AND type = '{type}'",
}


def matches(type: str, dialect: str) -> Any:
    """A subquery of `record_id` and `rank` (lower is better) of the matches of `:search`."""
    statement = text(_MATCHES[dialect].format(type=type))
    return statement.columns(record_id=Integer(), rank=Float()).subquery("matches")


_SNIPPETS = {
    "sqlite": "SELECT d.type, d.record_id, bm25(search_index, 10.0, 1.0) AS rank, "
    "snippet(search_index, 1, char(2), char(3), '…', 24) AS snippet FROM search_index "
    "JOIN search_documents d ON d.id = search_index.rowid WHERE search_index MATCH :search",
    "postgresql": "SELECT type, record_id, -ts_rank(words, q)::float8 AS rank, "
    "ts_headline('simple', left(body, 20000), q, 'StartSel=' || chr(2) || ', StopSel=' || chr(3) "
    "|| ', MaxWords=24, MinWords=8, MaxFragments=1') AS snippet "
    "FROM search_documents, to_tsquery('simple', :search) q WHERE words @@ q",
}


def snippets(dialect: str) -> Any:
    """A subquery of `type`, `record_id`, `rank` and `snippet` of all matches of `:search`."""
    statement = text(_SNIPPETS[dialect])
    columns: Any = {"type": String(), "record_id": Integer(), "rank": Float(), "snippet": String()}
    return statement.columns(**columns).subquery("found")


def index(connection: Connection, record: Record, states: list[dict[str, Any]]) -> None:
    """Write the documents of records whose state is given."""
    if not record.searched or not states:
        return
    keep = _upsert(connection.dialect.name)
    keep(connection, [_document(record, state) for state in states])


@cache
def _upsert(dialect: str) -> Prepared:
    kind: Any = sqlite if dialect == "sqlite" else postgresql
    insert = kind.insert(SearchDocument.__table__)
    upsert = insert.on_conflict_do_update(
        index_elements=["type", "record_id"],
        set_={"title": insert.excluded.title, "body": insert.excluded.body},
    )
    return Prepared(upsert)


def forget(connection: Connection, record: Record, id: int) -> None:
    """Remove the document of a record that is gone."""
    table = SearchDocument.__table__
    connection.execute(delete(table).where(table.c.type == record.path, table.c.record_id == id))


def _document(record: Record, state: dict[str, Any]) -> dict[str, Any]:
    title, *others = (plain(state.get(one.name)) for one in record.searched)
    body = "\n".join(filter(None, others))
    return {"type": record.path, "record_id": state["id"], "title": title, "body": body}


def plain(value: Any) -> str:
    """Text as it is searched and quoted: Markdown's marks are no words."""
    cleaned = re.sub(r"[`*_#>|\[\]{}]+|\(https?://[^)\s]*\)", " ", str(value or ""))
    return cleaned.replace(MARK_BEGIN, " ").replace(MARK_END, " ")
