"""The version of a record that results from a change

Revision ID: 7e0c93b5d1a8
Revises: 260cbf7cbbb0
Create Date: 2026-11-29 10:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "7e0c93b5d1a8"
down_revision = "260cbf7cbbb0"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.add_column("audit_events", sa.Column("record_version", sa.Integer(), nullable=True))


def downgrade():
    """Revert to the previous revision."""
    op.drop_column("audit_events", "record_version")
