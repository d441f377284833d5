"""Search documents consist of terms, the same on both databases

Revision ID: 5b8e2f71c9a4
Revises: 8e41b6d2c093
Create Date: 2026-11-28 11:00:00
"""

import re
from itertools import count

import sqlalchemy as sa
from alembic import op

# imported rather than copied: documents must be split like the queries of the current code
from quire.store.search.documents import document

revision = "5b8e2f71c9a4"
down_revision = "8e41b6d2c093"
branch_labels = None
depends_on = None

BATCH = 500
NO_WORDS = re.compile(r"(?<!\S)(#\S+|\S+_\S+)(?!\S)|:\d+A?(?!\S)")
TRIGGERS = ("search_insert", "search_delete", "search_update")
INDEXES = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_index USING fts5(title, body, "
        "content='search_documents', content_rowid='id', {options})",
        "INSERT INTO search_index(search_index) VALUES ('rebuild')",
        "CREATE TRIGGER search_insert AFTER INSERT ON search_documents BEGIN "
        "INSERT INTO search_index(rowid, title, body) VALUES (new.id, new.title, new.body); END",
        "CREATE TRIGGER search_delete AFTER DELETE ON search_documents BEGIN "
        "INSERT INTO search_index(search_index, rowid, title, body) "
        "VALUES ('delete', old.id, old.title, old.body); END",
        "CREATE TRIGGER search_update AFTER UPDATE ON search_documents BEGIN "
        "INSERT INTO search_index(search_index, rowid, title, body) "
        "VALUES ('delete', old.id, old.title, old.body); "
        "INSERT INTO search_index(rowid, title, body) VALUES (new.id, new.title, new.body); END",
    ),
    "postgresql": (
        "ALTER TABLE search_documents ADD COLUMN words tsvector GENERATED ALWAYS AS ({options}) "
        "STORED",
        "CREATE INDEX ix_search_documents_words ON search_documents USING gin (words)",
        "ANALYZE search_documents",
    ),
}
TERMS = {
    "sqlite": "prefix='1 2 3', tokenize=\"ascii tokenchars '_'\"",
    "postgresql": "title::tsvector || body::tsvector",
}
TEXTS = {
    "sqlite": "tokenize='unicode61 remove_diacritics 2'",
    "postgresql": "setweight(to_tsvector('simple', title), 'A') || "
    "setweight(to_tsvector('simple', left(body, 500000)), 'B')",
}


def drop_index(dialect):
    """Drop the indexes that are built from documents."""
    if dialect == "postgresql":
        op.execute("DROP INDEX IF EXISTS ix_search_documents_words")
        op.execute("ALTER TABLE search_documents DROP COLUMN IF EXISTS words")
        return
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute("DROP TABLE IF EXISTS search_index")


def make_index(dialect, options):
    """Build the indexes."""
    for statement in INDEXES[dialect]:
        op.get_bind().exec_driver_sql(statement.format(options=options))


def rewrite(change):
    """Replace each document by `change(row)`, in batches."""
    connection = op.get_bind()
    next_rows = sa.text(
        "SELECT id, type, record_id, title, body FROM search_documents "
        "WHERE id > :after AND id <= :last ORDER BY id LIMIT :batch"
    )
    last = connection.execute(sa.text("SELECT max(id) FROM search_documents")).scalar() or 0
    after = 0
    while rows := connection.execute(
        next_rows, {"after": after, "last": last, "batch": BATCH}
    ).mappings().all():
        after = rows[-1]["id"]
        values = [{"old": row["id"], "id": row["id"], **change(dict(row))} for row in rows]
        connection.execute(
            sa.text(
                "UPDATE search_documents SET id = :id, title = :title, body = :body WHERE id = :old"
            ),
            values,
        )


def upgrade():
    """Apply this revision."""
    dialect = op.get_bind().dialect.name
    drop_index(dialect)
    rewrite(
        lambda row: document(row["type"], row["record_id"], row["title"], row["body"], dialect)
    )
    make_index(dialect, TERMS[dialect])


def downgrade():
    """Revert to the previous revision; documents keep their folded words."""
    dialect = op.get_bind().dialect.name
    drop_index(dialect)
    numbers = count(1)
    rewrite(lambda row: as_text(row, next(numbers) if dialect == "sqlite" else row["id"]))
    make_index(dialect, TEXTS[dialect])


def as_text(row, id):
    """Return a document without its type and without positions and pairs of words."""
    texts = (NO_WORDS.sub("", row[name]) for name in ("title", "body"))
    title, body = (" ".join(text.split()) for text in texts)
    return {"id": id, "title": title, "body": body}
