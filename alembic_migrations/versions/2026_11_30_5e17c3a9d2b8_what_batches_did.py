"""Batches: the action and its records, and the file of an import

Revision ID: 5e17c3a9d2b8
Revises: fdcd9eb1c696
Create Date: 2026-11-30 12:30:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "5e17c3a9d2b8"
down_revision = "fdcd9eb1c696"
branch_labels = None
depends_on = None

COLUMNS = (("action", 64), ("type", 64), ("file_name", 255))
FILL = """
UPDATE batches SET
  type = (SELECT MIN(c.type) FROM batch_changes c WHERE c.batch_id = batches.id),
  action = (SELECT CASE COUNT(DISTINCT c.action) WHEN 0 THEN NULL WHEN 1 THEN MIN(c.action) ELSE 'update' END
            FROM batch_changes c WHERE c.batch_id = batches.id)
"""


def upgrade():
    """Apply this revision."""
    with op.batch_alter_table("batches") as batch:
        for name, length in COLUMNS:
            batch.add_column(sa.Column(name, sa.String(length), nullable=True))
    op.execute(FILL)


def downgrade():
    """Revert to the previous revision."""
    with op.batch_alter_table("batches") as batch:
        for name, _ in COLUMNS:
            batch.drop_column(name)
