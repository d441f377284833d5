"""Sort keys of texts

Revision ID: 7d20c4e8b615
Revises: d2f07b6a41c9
Create Date: 2026-11-28 11:40:00
"""

import sqlalchemy as sa
from alembic import op

# imported rather than copied: later rows have to sort among the present ones
from quire.declare.collation import sort_key

revision = "7d20c4e8b615"
down_revision = "d2f07b6a41c9"
branch_labels = None
depends_on = None

BATCH = 500
TEXTS = {
    "posts": ("title", "slug"),
    "pages": ("title", "slug"),
    "categories": ("name", "slug"),
    "tags": ("name", "slug"),
    "media": ("original_name",),
    "users": ("username", "email"),
    "api_keys": ("name",),
    "redirects": ("path",),
}


def upgrade():
    """Apply this revision."""
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    for table, columns in TEXTS.items():
        for column in columns:
            # plain ALTER TABLE, which SQLite does in place without copying
            optional = column == "email"
            kind = sa.String(length=100, collation=collation)
            default = None if optional else ""
            op.add_column(
                table,
                sa.Column(f"{column}_sort", kind, nullable=optional, server_default=default),
            )
        fill(table, columns)
        for column in columns:
            op.create_index(f"ix_{table}_{column}_sort", table, [f"{column}_sort", "id"])
    if collation:
        for table in TEXTS:
            op.execute(f"ANALYZE {table}")


def fill(table, columns):
    """Set the keys of each row, in batches."""
    connection = op.get_bind()
    texts = sa.text(
        f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :after ORDER BY id LIMIT {BATCH}"
    )
    keys = ", ".join(f"{column}_sort = :{column}" for column in columns)
    after = 0
    while rows := connection.execute(texts, {"after": after}).mappings().all():
        after = rows[-1]["id"]
        connection.execute(
            sa.text(f"UPDATE {table} SET {keys} WHERE id = :id"),
            [
                {"id": row["id"], **{name: row[name] and sort_key(row[name]) for name in columns}}
                for row in rows
            ],
        )


def downgrade():
    """Revert to the previous revision."""
    for table, columns in TEXTS.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}_sort", table_name=table)
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}_sort")
