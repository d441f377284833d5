"""Languages that users have chosen for pages and mail

Revision ID: d4a7c2f19e60
Revises: 7e0c93b5d1a8
Create Date: 2026-11-29 10:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "d4a7c2f19e60"
down_revision = "7e0c93b5d1a8"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    language = sa.Column("language", sa.String(length=32), nullable=False, server_default="auto")
    op.add_column("users", language)


def downgrade():
    """Revert to the previous revision."""
    op.execute("ALTER TABLE users DROP COLUMN language")
