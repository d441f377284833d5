"""The feed of changes: positions in commit order, who could see a record, and upcoming schedules

Revision ID: b7d94e2a5c13
Revises: 6e1d94b0a7c3
Create Date: 2026-11-28 19:00:00
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "b7d94e2a5c13"
down_revision = "6e1d94b0a7c3"
branch_labels = None
depends_on = None

COLUMNS = {"posts": ("published_at", "unpublish_at"), "pages": ("published_at",)}
"""The columns of each type whose time changes who sees a row."""


def upgrade():
    """Apply this revision."""
    for name in ("position", "audience", "owner_id"):
        op.add_column("outbox", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index(op.f("ix_outbox_position"), "outbox", ["position"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE outbox_position")
    _feed()
    _schedules()


def _feed():
    feed = op.create_table(
        "change_feed",
        sa.Column("epoch", sa.String(64), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_feed")),
        sqlite_autoincrement=True,
    )
    op.bulk_insert(feed, [{"id": 1, "epoch": secrets.token_hex(8)}])


def _schedules():
    op.create_table(
        "schedules",
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint(
            "type", "record_id", "column", "due_at",
            name=op.f("uq_schedules_type_record_id_column_due_at"),
        ),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_schedules_due_at", "schedules", ["due_at"])
    later = (
        "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
        if op.get_bind().dialect.name == "sqlite"
        else "now()"
    )
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(
                'INSERT INTO schedules (type, record_id, "column", due_at) '  # noqa: S608 - words of ours
                f"SELECT '{table}', id, '{column}', {column} FROM {table} WHERE {column} > {later}"
            )


def downgrade():
    """Revert to the previous revision."""
    op.drop_table("schedules")
    op.drop_table("change_feed")
    op.execute("DELETE FROM outbox WHERE event LIKE '%.viewers'")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE outbox_position")
    op.drop_index(op.f("ix_outbox_position"), "outbox")
    for name in ("owner_id", "audience", "position"):
        op.drop_column("outbox", name)
