"""An index for due deliveries in the order in which they are sent

Revision ID: 57b2f6d746ee
Revises: 8e13b6f4a7d2
Create Date: 2026-11-29 07:22:00
"""

import sqlalchemy as sa
from alembic import op

revision = "57b2f6d746ee"
down_revision = "8e13b6f4a7d2"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    _index("webhook_id", "next_attempt_at", "id")


def downgrade():
    """Revert to the previous revision."""
    _index("webhook_id", "next_attempt_at")


def _index(*columns):
    pending = sa.text("status = 'pending'")
    where = {"sqlite_where": pending, "postgresql_where": pending}
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.create_index("ix_deliveries_due", "deliveries", list(columns), **where)
