"""Webhooks and their deliveries; events of actions are named in the past tense

Revision ID: f18c62a9d5e3
Revises: e7c25b90d1a6
Create Date: 2026-11-28 22:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "f18c62a9d5e3"
down_revision = "e7c25b90d1a6"
branch_labels = None
depends_on = None

PENDING = sa.text("status = 'pending'")


def upgrade():
    """Apply this revision."""
    _webhooks()
    _secrets()
    _deliveries()
    op.execute("UPDATE outbox SET event = 'comments.approved' WHERE event = 'comments.approve'")


def _webhooks():
    _table(
        "webhooks",
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("disabled_reason", sa.String(200), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        _time("failing_since", nullable=True),
        sa.Column("sender", sa.String(64), nullable=True),
        _time("sender_until", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_webhooks_owner_id"), ondelete="SET NULL"
        ),
    )
    for column in ("owner_id", "updated_at"):
        op.create_index(op.f(f"ix_webhooks_{column}"), "webhooks", [column])


def _secrets():
    _table(
        "webhook_secrets",
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        _time("expires_at", nullable=True),
        _of_webhook("webhook_secrets"),
    )
    op.create_index(op.f("ix_webhook_secrets_webhook_id"), "webhook_secrets", ["webhook_id"])


def _deliveries():
    _table(
        "deliveries",
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        *(sa.Column(n, sa.String(64), nullable=False) for n in ("event", "message_id", "type")),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("record_version", sa.Integer(), nullable=True),
        _time("event_at"),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *(sa.Column(n, sa.Integer(), nullable=True) for n in ("response_status", "response_ms")),
        sa.Column("error", sa.String(1000), nullable=True),
        _time("next_attempt_at", nullable=True),
        _time("created_at"),
        _of_webhook("deliveries"),
    )
    op.create_index(op.f("ix_deliveries_created_at"), "deliveries", ["created_at"])
    op.create_index("ix_deliveries_webhook", "deliveries", ["webhook_id", "id"])
    for name, columns in (
        ("ix_deliveries_due", ["webhook_id", "next_attempt_at"]),
        ("ix_deliveries_order", ["webhook_id", "type", "record_id", "id"]),
    ):
        where = {"sqlite_where": PENDING, "postgresql_where": PENDING}
        op.create_index(name, "deliveries", columns, **where)


def _table(name, *items):
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *items,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sqlite_autoincrement=True,
    )


def _time(name, *, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_webhook(table):
    return sa.ForeignKeyConstraint(
        ["webhook_id"], ["webhooks.id"], name=op.f(f"fk_{table}_webhook_id"), ondelete="CASCADE"
    )


def downgrade():
    """Revert to the previous revision."""
    op.execute("UPDATE outbox SET event = 'comments.approve' WHERE event = 'comments.approved'")
    for table in ("deliveries", "webhook_secrets", "webhooks"):
        op.drop_table(table)
