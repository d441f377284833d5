"""An index for posts by creation time

Revision ID: e7c25b90d1a6
Revises: c5e19b84a7d0
Create Date: 2026-11-28 19:20:00
"""

from alembic import op

revision = "e7c25b90d1a6"
down_revision = "c5e19b84a7d0"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_index("ix_posts_created_at", "posts", ["created_at"])


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_posts_created_at", "posts")
