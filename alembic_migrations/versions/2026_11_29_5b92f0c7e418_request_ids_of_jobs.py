"""The request that a job follows from

Revision ID: 5b92f0c7e418
Revises: c1a7d0e94b35
Create Date: 2026-11-29 04:35:00
"""

import sqlalchemy as sa
from alembic import op

revision = "5b92f0c7e418"
down_revision = "c1a7d0e94b35"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.add_column("outbox", sa.Column("request_id", sa.String(64), nullable=True))


def downgrade():
    """Revert to the previous revision."""
    op.drop_column("outbox", "request_id")
