"""Batches: who undid them

Revision ID: 8b3e5d70c1f2
Revises: 3fd81c07e94b
Create Date: 2026-11-30 00:40:00.000000
"""

from alembic import op

revision = "8b3e5d70c1f2"
down_revision = "3fd81c07e94b"
branch_labels = None
depends_on = None


def upgrade():
    """Go to this revision."""
    # plain ALTER TABLE, which SQLite does in place: nothing is copied
    op.execute(
        "ALTER TABLE batches ADD COLUMN undone_by_id INTEGER "
        "CONSTRAINT fk_batches_undone_by_id REFERENCES users (id) ON DELETE SET NULL"
    )
    op.create_index(op.f("ix_batches_undone_by_id"), "batches", ["undone_by_id"])


def downgrade():
    """Go back to the revision before."""
    op.drop_index(op.f("ix_batches_undone_by_id"), table_name="batches")
    op.execute("ALTER TABLE batches DROP COLUMN undone_by_id")
