"""Layouts of lists: the lists that a person sees as a grid of images

Revision ID: 8c03f1a6d95e
Revises: c2e85f0d9a47
Create Date: 2026-11-29 17:45:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "8c03f1a6d95e"
down_revision = "c2e85f0d9a47"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    column = sa.Column("list_layouts", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("profiles", column)


def downgrade():
    """Revert to the previous revision."""
    op.execute("ALTER TABLE profiles DROP COLUMN list_layouts")
