"""Why a picture could not be drawn

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
    """Go to this revision."""
    # plain ALTER TABLE, which SQLite does in place: nothing is copied
    op.add_column("media", sa.Column("fault", sa.String(200), nullable=True))


def downgrade():
    """Go back to the revision before."""
    op.execute("UPDATE media SET state = 'broken' WHERE state = 'given_up'")
    op.execute("ALTER TABLE media DROP COLUMN fault")
