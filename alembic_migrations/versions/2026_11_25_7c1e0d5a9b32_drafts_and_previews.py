"""Drafts and previews

Revision ID: 7c1e0d5a9b32
Revises: 6d9949f24748
Create Date: 2026-11-25 12:45:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "7c1e0d5a9b32"
down_revision = "6d9949f24748"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    op.create_table('drafts',
    sa.Column('type', sa.String(length=64), nullable=False),
    sa.Column('record_id', sa.Integer(), nullable=False),
    sa.Column('base_version', sa.Integer(), nullable=False),
    sa.Column('values', sa.JSON(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['users.id'], name=op.f('fk_drafts_author_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drafts')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('drafts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drafts_author_id'), ['author_id'], unique=False)
        batch_op.create_index('ix_drafts_record', ['type', 'record_id'], unique=True)

    op.create_table('previews',
    sa.Column('type', sa.String(length=64), nullable=False),
    sa.Column('record_id', sa.Integer(), nullable=False),
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_previews')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('previews', schema=None) as batch_op:
        batch_op.create_index('ix_previews_record', ['type', 'record_id'], unique=True)


def downgrade():
    """Revert to the previous revision."""
    op.drop_table('previews')
    op.drop_table('drafts')
