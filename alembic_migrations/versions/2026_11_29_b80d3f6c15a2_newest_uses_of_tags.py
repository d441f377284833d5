"""An index for the newest posts of a tag, which are shown next to a post

Revision ID: b80d3f6c15a2
Revises: 8c03f1a6d95e
Create Date: 2026-11-29 17:40:00.000000
"""

from alembic import op

revision = "b80d3f6c15a2"
down_revision = "8c03f1a6d95e"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.drop_index("ix_posts_tags_target_id", "posts_tags")
    op.create_index("ix_posts_tags_target_id", "posts_tags", ["target_id", "source_id"])


def downgrade():
    """Revert to the previous revision."""
    op.drop_index("ix_posts_tags_target_id", "posts_tags")
    op.create_index("ix_posts_tags_target_id", "posts_tags", ["target_id"])
