"""Batches: who undid them

Revision ID: 8b3e5d70c1f2
Revises: 3fd81c07e94b
Create Date: 2026-11-30 00:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "8b3e5d70c1f2"
down_revision = "3fd81c07e94b"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    with op.batch_alter_table("batches") as batch:
        batch.add_column(sa.Column("undone_by_id", sa.Integer(), nullable=True))
        name, columns = op.f("fk_batches_undone_by_id"), ["undone_by_id"]
        batch.create_foreign_key(name, "users", columns, ["id"], ondelete="SET NULL")
        batch.create_index(op.f("ix_batches_undone_by_id"), columns)


def downgrade():
    """Revert to the previous revision."""
    with op.batch_alter_table("batches") as batch:
        batch.drop_index(op.f("ix_batches_undone_by_id"))
        batch.drop_column("undone_by_id")
