"""Metadata for search engines in posts and pages

Revision ID: 1a7f8fdc08ce
Revises: e93b5c70a1d4
Create Date: 2026-11-25 17:10:00
"""

import sqlalchemy as sa
from alembic import op

revision = "1a7f8fdc08ce"
down_revision = "e93b5c70a1d4"
branch_labels = None
depends_on = None

LENGTHS = {"seo_title": 200, "seo_description": 300}


def upgrade():
    """Apply this revision."""
    # plain ALTER TABLE, which SQLite does in place without copying
    for table in ("posts", "pages"):
        for name, length in LENGTHS.items():
            op.add_column(
                table, sa.Column(name, sa.String(length), nullable=False, server_default="")
            )


def downgrade():
    """Revert to the previous revision."""
    for table in ("posts", "pages"):
        for name in LENGTHS:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
