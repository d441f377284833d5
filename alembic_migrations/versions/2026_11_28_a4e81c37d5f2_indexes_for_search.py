"""Narrow indexes for the visibility of search hits, and one for sorting comments

Revision ID: a4e81c37d5f2
Revises: 9c4f1e7b2d06
Create Date: 2026-11-28 15:00:00
"""

from alembic import op

revision = "a4e81c37d5f2"
down_revision = "9c4f1e7b2d06"
branch_labels = None
depends_on = None

INDEXES = (
    (
        "ix_posts_visible",
        "posts",
        ["id", "deleted_at", "published_at", "unpublish_at", "author_id", "sorted_at"],
    ),
    ("ix_comments_visible", "comments", ["id", "status", "deleted_at", "post_id", "author_id"]),
    ("ix_comments_created_at", "comments", ["created_at"]),
)


def upgrade():
    """Apply this revision."""
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade():
    """Revert to the previous revision."""
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
