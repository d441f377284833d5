"""Media: uploaded files, covers of posts, avatars of users

Revision ID: b47c1d0e92aa
Revises: 7c1e0d5a9b32
Create Date: 2026-11-25 12:36:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "b47c1d0e92aa"
down_revision = "7c1e0d5a9b32"
branch_labels = None
depends_on = None

REFERENCES = (("posts", "cover_id"), ("users", "avatar_id"))


def upgrade():
    """Apply this revision."""
    op.create_table('media',
    sa.Column('url', sa.String(length=500), nullable=False),
    sa.Column('original_name', sa.String(length=255), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('alt', sa.String(length=1000), nullable=False),
    sa.Column('focal_point', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('variants', sa.JSON(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=True),
    sa.Column('is_avatar', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=32), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name=op.f('fk_media_owner_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media')),
    sa.UniqueConstraint('url', name=op.f('uq_media_url')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.create_index('ix_media_twice', ['owner_id', 'sha256', 'is_avatar'], unique=True)
        batch_op.create_index(batch_op.f('ix_media_sha256'), ['sha256'], unique=False)

    # plain ALTER TABLE, which SQLite does in place: copies nothing, runs no trigger or cascade
    for table, column in REFERENCES:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER "
            f"CONSTRAINT fk_{table}_{column} REFERENCES media (id) ON DELETE SET NULL"
        )
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column], unique=False)


def downgrade():
    """Revert to the previous revision."""
    for table, column in REFERENCES:
        op.drop_index(op.f(f'ix_{table}_{column}'), table)
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")

    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_media_sha256'))
        batch_op.drop_index('ix_media_twice')

    op.drop_table('media')
