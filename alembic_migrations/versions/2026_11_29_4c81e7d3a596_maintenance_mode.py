"""Maintenance mode: one row while the site is closed to everyone but administrators

Revision ID: 4c81e7d3a596
Revises: b3f8a61d90e2
Create Date: 2026-11-29 04:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "4c81e7d3a596"
down_revision = "b3f8a61d90e2"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_table(
        "maintenance_mode",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_mode")),
        sqlite_autoincrement=True,
    )


def downgrade():
    """Revert to the previous revision."""
    op.drop_table("maintenance_mode")
