"""Versions of tables, for cached responses

Revision ID: c1a7d0e94b35
Revises: 4c81e7d3a596
Create Date: 2026-11-29 04:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c1a7d0e94b35"
down_revision = "4c81e7d3a596"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_table(
        "data_versions",
        sa.Column("name", sa.String(130), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "shard", name=op.f("pk_data_versions")),
    )


def downgrade():
    """Revert to the previous revision."""
    op.drop_table("data_versions")
