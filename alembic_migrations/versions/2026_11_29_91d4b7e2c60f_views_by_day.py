"""Daily views of posts

Revision ID: 91d4b7e2c60f
Revises: d4a7c2f19e60
Create Date: 2026-11-29 11:10:00
"""

import sqlalchemy as sa
from alembic import op

revision = "91d4b7e2c60f"
down_revision = "d4a7c2f19e60"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_table(
        "daily_views",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("views", sa.Integer(), nullable=False),
    )


def downgrade():
    """Revert to the previous revision."""
    op.drop_table("daily_views")
