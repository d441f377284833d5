"""Drop indexes of the outbox that no query uses

Revision ID: c5d1e92f7a04
Revises: 8b3e5d70c1f2
Create Date: 2026-11-30 01:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "c5d1e92f7a04"
down_revision = "8b3e5d70c1f2"
branch_labels = None
depends_on = None

DELIVERED, POSITION = "ix_outbox_delivered_at", "ix_outbox_position"


def upgrade():
    """Apply this revision."""
    op.drop_index(DELIVERED, "outbox")
    if _is_sqlite():  # used on PostgreSQL to find events that have no position yet
        op.drop_index(POSITION, "outbox")
        where = sa.text("position IS NOT NULL")
        op.create_index(POSITION, "outbox", ["position"], sqlite_where=where)


def downgrade():
    """Revert to the previous revision."""
    if _is_sqlite():
        op.drop_index(POSITION, "outbox")
        op.create_index(POSITION, "outbox", ["position"])
    op.create_index(DELIVERED, "outbox", ["delivered_at"])


def _is_sqlite():
    return op.get_context().dialect.name == "sqlite"
