"""An index for the comments that wait for moderation, newest first

Revision ID: 8e13b6f4a7d2
Revises: 5b92f0c7e418
Create Date: 2026-11-29 07:00:00
"""

from alembic import op

revision = "8e13b6f4a7d2"
down_revision = "5b92f0c7e418"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    columns = ["status", "id", "deleted_at", "post_id", "author_id"]
    op.create_index("ix_comments_status", "comments", columns)


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_comments_status", "comments")
