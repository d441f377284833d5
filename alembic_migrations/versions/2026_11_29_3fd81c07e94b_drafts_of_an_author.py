"""An index for an author's drafts on the dashboard, and the visibility of posts in sort key indexes

Revision ID: 3fd81c07e94b
Revises: b80d3f6c15a2
Create Date: 2026-11-29 18:40:00.000000
"""

from alembic import op

revision = "3fd81c07e94b"
down_revision = "b80d3f6c15a2"
branch_labels = None
depends_on = None

SORTED = ("title_sort", "slug_sort", "views")
VISIBLE_BY = ("deleted_at", "published_at", "unpublish_at", "author_id")


def upgrade():
    """Apply this revision."""
    _index("author_id", "published_at")
    for column in SORTED:
        _index(column, "id", *VISIBLE_BY)


def downgrade():
    """Revert to the previous revision."""
    _index("author_id")
    for column in SORTED:
        _index(column, "id")


def _index(*columns):
    """Rebuild the index named after the first column."""
    name = f"ix_posts_{columns[0]}"
    op.drop_index(name, "posts")
    op.create_index(name, "posts", columns)
