"""Closing of comments, their edit period, and mail preferences

Revision ID: e93b5c70a1d4
Revises: a81d3c5f7e20
Create Date: 2026-11-25 13:05:00
"""

import sqlalchemy as sa
from alembic import op

revision = "e93b5c70a1d4"
down_revision = "a81d3c5f7e20"
branch_labels = None
depends_on = None

NUMBERS = {"comments_close_after_days": "0", "comment_edit_minutes": "60"}


def upgrade():
    """Apply this revision."""
    # plain ALTER TABLE, which SQLite does in place without copying
    for name, value in NUMBERS.items():
        op.add_column("settings", sa.Column(name, sa.Integer(), nullable=False, server_default=value))
    op.add_column(
        "profiles", sa.Column("comment_mail", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "profiles", sa.Column("digest", sa.String(length=32), nullable=False, server_default="never")
    )
    op.add_column("comments", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE comments SET told_at = created_at")
    op.add_column(
        "profiles", sa.Column("digest_sent_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade():
    """Revert to the previous revision."""
    op.execute("ALTER TABLE comments DROP COLUMN told_at")
    for name in ("digest_sent_at", "digest", "comment_mail"):
        op.execute(f"ALTER TABLE profiles DROP COLUMN {name}")
    for name in NUMBERS:
        op.execute(f"ALTER TABLE settings DROP COLUMN {name}")
