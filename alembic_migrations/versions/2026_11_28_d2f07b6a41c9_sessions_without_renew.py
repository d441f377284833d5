"""New session secrets are sent with the response to the password, not at the next request

Revision ID: d2f07b6a41c9
Revises: 5b8e2f71c9a4
Create Date: 2026-11-28 12:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "d2f07b6a41c9"
down_revision = "5b8e2f71c9a4"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.execute("ALTER TABLE sessions DROP COLUMN renew")


def downgrade():
    """Revert to the previous revision."""
    op.add_column("sessions", sa.Column("renew", sa.Boolean(), nullable=False, server_default=sa.false()))
