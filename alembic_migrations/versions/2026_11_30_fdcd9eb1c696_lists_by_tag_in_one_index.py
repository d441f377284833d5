"""The columns for sorting and visibility in the links to tags, so that one index finds a tag's posts

Revision ID: fdcd9eb1c696
Revises: f2a96c4e81d7
Create Date: 2026-11-30 07:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "fdcd9eb1c696"
down_revision = "f2a96c4e81d7"
branch_labels = None
depends_on = None

TABLE, INDEX = "posts_tags", "ix_posts_tags_target_id"
TIMES = ("sorted_at", "deleted_at", "published_at", "unpublish_at")
COPIED = (*TIMES, "author_id")


def upgrade():
    """Apply this revision."""
    op.drop_index(INDEX, TABLE)
    for name in TIMES:
        op.add_column(TABLE, sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column(TABLE, sa.Column("author_id", sa.Integer()))
    columns = ", ".join(COPIED)
    op.execute(
        f"UPDATE {TABLE} SET ({columns}) = "
        f"(SELECT {columns} FROM posts WHERE posts.id = {TABLE}.source_id)"
    )
    op.create_index(INDEX, TABLE, ["target_id", "sorted_at", "source_id", *COPIED[1:]])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ANALYZE {TABLE}")


def downgrade():
    """Revert to the previous revision."""
    op.drop_index(INDEX, TABLE)
    for name in COPIED:
        op.drop_column(TABLE, name)
    op.create_index(INDEX, TABLE, ["target_id", "source_id"])
