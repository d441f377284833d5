"""Jobs: due times and failures in the outbox

Revision ID: 4f0a6c1d2b7e
Revises: b47c1d0e92aa
Create Date: 2026-11-25 12:50:00
"""

import sqlalchemy as sa
from alembic import op

revision = "4f0a6c1d2b7e"
down_revision = "b47c1d0e92aa"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.drop_index("ix_outbox_mail", "outbox")
    # plain ALTER TABLE, which SQLite does in place without copying
    op.add_column("outbox", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("error", sa.Text(), nullable=True))
    op.execute("UPDATE outbox SET due_at = not_before WHERE type = 'mail'")
    op.execute("ALTER TABLE outbox DROP COLUMN not_before")
    _index("ix_outbox_due", ["due_at", "id"], "due_at IS NOT NULL")
    _index("ix_outbox_failed", ["failed_at"], "failed_at IS NOT NULL")
    _index("uq_outbox_periodic", ["event"], "type = 'every'", unique=True)


def _index(name, columns, only, **more):
    where = sa.text(only)
    op.create_index(name, "outbox", columns, sqlite_where=where, postgresql_where=where, **more)


def downgrade():
    """Revert to the previous revision."""
    op.execute("DELETE FROM outbox WHERE type = 'every'")
    for name in ("uq_outbox_periodic", "ix_outbox_failed", "ix_outbox_due"):
        op.drop_index(name, "outbox")
    op.add_column(
        "outbox",
        sa.Column(
            "not_before", sa.DateTime(timezone=True), nullable=False,
            server_default="2026-01-01T00:00:00Z",
        ),
    )
    op.execute("UPDATE outbox SET not_before = due_at WHERE due_at IS NOT NULL")
    for name in ("error", "failed_at", "due_at"):
        op.execute(f"ALTER TABLE outbox DROP COLUMN {name}")
    is_mail = sa.text("type = 'mail'")
    op.create_index(
        "ix_outbox_mail", "outbox", ["not_before"], sqlite_where=is_mail, postgresql_where=is_mail
    )
