"""The last change of posts in the index of their lists, for the archive and the sitemap

Revision ID: c2e85f0d9a47
Revises: 91d4b7e2c60f
Create Date: 2026-11-29 12:00:00
"""

from alembic import op

revision = "c2e85f0d9a47"
down_revision = "91d4b7e2c60f"
branch_labels = None
depends_on = None

COLUMNS = ["deleted_at", "sorted_at", "id", "published_at", "unpublish_at", "author_id"]


def upgrade():
    """Apply this revision."""
    op.drop_index("ix_posts_listed", "posts")
    op.create_index("ix_posts_listed", "posts", [*COLUMNS, "updated_at"])


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_posts_listed", "posts")
    op.create_index("ix_posts_listed", "posts", COLUMNS)
