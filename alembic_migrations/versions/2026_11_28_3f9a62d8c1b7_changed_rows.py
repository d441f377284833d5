"""An index for lists by time of last change

Revision ID: 3f9a62d8c1b7
Revises: 7d20c4e8b615
Create Date: 2026-11-28 11:55:00
"""

from alembic import op

revision = "3f9a62d8c1b7"
down_revision = "7d20c4e8b615"
branch_labels = None
depends_on = None

TABLES = ('api_keys', 'appearance', 'categories', 'comments', 'media', 'pages', 'posts', 'profiles', 'redirects', 'settings', 'tags', 'users')


def upgrade():
    for table in TABLES:
        op.create_index(f"ix_{table}_updated_at", table, ["updated_at"])


def downgrade():
    for table in TABLES:
        op.drop_index(f"ix_{table}_updated_at", table_name=table)
