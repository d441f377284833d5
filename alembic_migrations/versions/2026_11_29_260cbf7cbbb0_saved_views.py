"""Saved views of lists, and each person's choice of them

Revision ID: 260cbf7cbbb0
Revises: 57b2f6d746ee
Create Date: 2026-11-29 07:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "260cbf7cbbb0"
down_revision = "57b2f6d746ee"
branch_labels = None
depends_on = None

SORTED = ("name", "type", "slug")


def upgrade():
    """Apply this revision."""
    key = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("slug", sa.String(200), nullable=False),
        sa.Column("parameters", sa.String(4000), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("shared_with", sa.String(32), nullable=False),
        *(sa.Column(n, sa.DateTime(timezone=True), nullable=False) for n in ("created_at", "updated_at")),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(f"{name}_sort", key, nullable=False) for name in SORTED),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_saved_views_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("slug", name=op.f("uq_saved_views_slug")),
        sqlite_autoincrement=True,
    )  # fmt: skip
    for name in ("owner_id", "type", "updated_at"):
        op.create_index(op.f(f"ix_saved_views_{name}"), "saved_views", [name])
    for name in SORTED:
        op.create_index(f"ix_saved_views_{name}_sort", "saved_views", [f"{name}_sort", "id"])
    # plain ALTER TABLE, which SQLite does in place without copying
    density = sa.Column("density", sa.String(32), nullable=False, server_default="comfortable")
    op.add_column("profiles", density)
    for name in ("list_columns", "default_views"):
        op.add_column("profiles", sa.Column(name, sa.JSON(), nullable=False, server_default="{}"))


def downgrade():
    """Revert to the previous revision."""
    for name in ("default_views", "list_columns", "density"):
        op.execute(f"ALTER TABLE profiles DROP COLUMN {name}")
    op.drop_table("saved_views")
