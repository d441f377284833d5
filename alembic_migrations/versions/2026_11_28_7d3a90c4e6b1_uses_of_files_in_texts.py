"""Files that are used in texts

Revision ID: 7d3a90c4e6b1
Revises: 3d9a60c2f7b8
Create Date: 2026-11-28 11:45:00
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "7d3a90c4e6b1"
down_revision = "3d9a60c2f7b8"
branch_labels = None
depends_on = None

TEXTS = (("posts", "body"), ("pages", "body"), ("comments", "body"), ("appearance", "footer"))
NAMED = re.compile(r"/uploads/([0-9a-f]{32}-[0-9a-f]{8})", re.ASCII)
BATCH = 500


def upgrade():
    """Apply this revision."""
    uses = op.create_table(
        "text_uses",
        sa.Column("stem", sa.String(41), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("stem", "type", "record_id", name=op.f("pk_text_uses")),
    )
    op.create_index("ix_text_uses_record", "text_uses", ["type", "record_id"])
    connection = op.get_bind()
    for table, column in TEXTS:
        fill(connection, uses, table, column)


def fill(connection, uses, table, column):
    """Store which files the texts in one column use, in batches by id."""
    query = sa.text(
        f"SELECT id, {column} AS words FROM {table} "  # noqa: S608 - names of ours
        f"WHERE id > :after AND {column} LIKE '%/uploads/%' ORDER BY id LIMIT {BATCH}"
    )
    after = 0
    while found := connection.execute(query, {"after": after}).all():
        after = found[-1].id
        rows = [
            {"stem": stem, "type": table, "record_id": row.id}
            for row in found
            for stem in set(NAMED.findall(row.words))
        ]
        if rows:
            connection.execute(sa.insert(uses), rows)


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_text_uses_record", table_name="text_uses")
    op.drop_table("text_uses")
