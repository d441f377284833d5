"""The posts of a category, and those of an author, in the order of their lists

Revision ID: d7b25e80c4a3
Revises: a91e5c27d4f6
Create Date: 2026-12-01 09:40:00.000000
"""

from alembic import op

revision = "d7b25e80c4a3"
down_revision = "a91e5c27d4f6"
branch_labels = None
depends_on = None

LISTED = ("deleted_at", "sorted_at", "id", "published_at", "unpublish_at")


def upgrade():
    """Apply this revision."""
    op.drop_index("ix_posts_category_id", "posts")
    op.create_index("ix_posts_category_id", "posts", ["category_id", *LISTED, "author_id"])
    op.create_index("ix_posts_listed_by_author", "posts", ["author_id", *LISTED])


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_posts_listed_by_author", "posts")
    op.drop_index("ix_posts_category_id", "posts")
    op.create_index("ix_posts_category_id", "posts", ["category_id"])
