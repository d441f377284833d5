"""An index for posts by views

Revision ID: b3f8a61d90e2
Revises: f18c62a9d5e3
Create Date: 2026-11-28 22:50:00
"""

from alembic import op

revision = "b3f8a61d90e2"
down_revision = "f18c62a9d5e3"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_index("ix_posts_views", "posts", ["views", "id"])


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_posts_views", "posts")
