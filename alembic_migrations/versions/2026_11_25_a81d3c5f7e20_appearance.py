"""Appearance: logo, colour, menu, footer and language of the site

Revision ID: a81d3c5f7e20
Revises: 4f0a6c1d2b7e
Create Date: 2026-11-25 13:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "a81d3c5f7e20"
down_revision = "4f0a6c1d2b7e"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    appearance = op.create_table('appearance',
    sa.Column('logo_id', sa.Integer(), nullable=True),
    sa.Column('accent_color', sa.String(length=7), nullable=False),
    sa.Column('menu', sa.JSON(), nullable=False),
    sa.Column('footer', sa.String(length=1000), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('footer_html', sa.Text(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['logo_id'], ['media.id'], name=op.f('fk_appearance_logo_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appearance')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('appearance', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_appearance_logo_id'), ['logo_id'], unique=False)

    # The one row is created with its table; SQLite stores times as text.
    sqlite = op.get_context().dialect.name == 'sqlite'
    now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')" if sqlite else "date_trunc('second', now())"
    op.execute(
        appearance.insert().values(
            id=1, accent_color='', menu=[], footer='', footer_html='', language='en', version=1,
            created_at=sa.literal_column(now), updated_at=sa.literal_column(now),
        )
    )


def downgrade():
    """Revert to the previous revision."""
    with op.batch_alter_table('appearance', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_appearance_logo_id'))

    op.drop_table('appearance')
