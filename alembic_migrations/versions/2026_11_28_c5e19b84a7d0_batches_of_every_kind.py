"""Batches of every kind: row counts, and the version before each change

Revision ID: c5e19b84a7d0
Revises: b7d94e2a5c13
Create Date: 2026-11-28 18:55:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c5e19b84a7d0"
down_revision = "b7d94e2a5c13"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.alter_column("batches", "verb", new_column_name="kind")
    op.add_column("batches", sa.Column("rows", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE batches SET rows = "
        "(SELECT count(*) FROM batch_changes WHERE batch_changes.batch_id = batches.id)"
    )
    op.add_column("batch_changes", sa.Column("base_version", sa.Integer(), nullable=True))
    op.add_column(
        "batch_changes", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0")
    )
    op.execute("UPDATE batch_changes SET base_version = version - 1 WHERE action = 'update'")
    op.drop_column("batch_changes", "fields")


def downgrade():
    """Revert to the previous revision, in which only imports can be undone."""
    op.execute("DELETE FROM batch_changes WHERE action NOT IN ('create', 'update')")
    op.add_column(
        "batch_changes", sa.Column("fields", sa.JSON(), nullable=False, server_default="[]")
    )
    for table, column in (
        ("batch_changes", "attempts"), ("batch_changes", "base_version"),
        ("batches", "undone_at"), ("batches", "rows"),
    ):
        op.drop_column(table, column)
    op.alter_column("batches", "kind", new_column_name="verb")
