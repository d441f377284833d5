"""The reason why an image could not be processed

Revision ID: c3d81b7e4f06
Revises: 1a7f8fdc08ce
Create Date: 2026-11-26 09:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c3d81b7e4f06"
down_revision = "1a7f8fdc08ce"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    # plain ALTER TABLE, which SQLite does in place without copying
    op.add_column("media", sa.Column("fault", sa.String(200), nullable=True))


def downgrade():
    """Revert to the previous revision."""
    op.execute("UPDATE media SET state = 'broken' WHERE state = 'given_up'")
    op.execute("ALTER TABLE media DROP COLUMN fault")
