"""Blocks of large lists, which are kept when the process that counted them ends

Revision ID: a91e5c27d4f6
Revises: 5e17c3a9d2b8
Create Date: 2026-11-30 22:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "a91e5c27d4f6"
down_revision = "5e17c3a9d2b8"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_table(
        "list_blocks",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_list_blocks"),
    )


def downgrade():
    """Revert to the previous revision."""
    op.drop_table("list_blocks")
