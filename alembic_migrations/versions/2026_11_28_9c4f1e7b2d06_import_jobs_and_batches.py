"""Imports of tables as jobs, and batches of changes that can be undone

Revision ID: 9c4f1e7b2d06
Revises: 7d3a90c4e6b1
Create Date: 2026-11-28 14:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "9c4f1e7b2d06"
down_revision = "7d3a90c4e6b1"
branch_labels = None
depends_on = None

JOBS = "type IN ('imports', 'every') AND event IN ('imports.work', 'every.prune_imports')"


def upgrade():
    """Apply this revision."""
    _batches()
    op.create_table(
        "import_jobs",
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        *_words("role", "type"),
        sa.Column("name", sa.String(255), nullable=False),
        *_words("file", "format"),
        sa.Column("row_count", sa.Integer(), nullable=False),
        *(_json(name) for name in ("headers", "warnings", "orders", "samples", "columns")),
        *_words("task", "status"),
        sa.Column("ticket", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("total", "done", "position")),
        *(_json(name) for name in ("counts", "lines")),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_import_jobs_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_import_jobs_batch_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_jobs")),
        sa.UniqueConstraint("token", name=op.f("uq_import_jobs_token")),
        sqlite_autoincrement=True,
    )
    for column in ("owner_id", "batch_id", "changed_at"):
        op.create_index(op.f(f"ix_import_jobs_{column}"), "import_jobs", [column])


def _batches():
    op.create_table(
        "batches",
        *_words("verb"),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_batches_actor_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sqlite_autoincrement=True,
    )
    for column in ("actor_id", "created_at"):
        op.create_index(op.f(f"ix_batches_{column}"), "batches", [column])
    op.create_table(
        "batch_changes",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        *_words("action", "type"),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        _json("fields"),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_batch_changes_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_batch_changes_batch_id"), "batch_changes", ["batch_id"])


def _words(*names):
    return [sa.Column(name, sa.String(64), nullable=False) for name in names]


def _json(name):
    return sa.Column(name, sa.JSON(), nullable=False)


def downgrade():
    """Revert to the previous revision; delete jobs that its code cannot run."""
    op.execute(f"DELETE FROM outbox WHERE {JOBS}")  # noqa: S608 - words of ours
    for table in ("import_jobs", "batch_changes", "batches"):
        op.drop_table(table)
