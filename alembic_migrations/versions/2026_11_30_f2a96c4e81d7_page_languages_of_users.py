"""Page languages of users: by default, mail is in the language of the last sign-in

Revision ID: f2a96c4e81d7
Revises: c5d1e92f7a04
Create Date: 2026-11-30 04:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "f2a96c4e81d7"
down_revision = "c5d1e92f7a04"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.add_column("users", sa.Column("page_language", sa.String(length=20)))


def downgrade():
    """Revert to the previous revision."""
    op.execute("ALTER TABLE users DROP COLUMN page_language")
