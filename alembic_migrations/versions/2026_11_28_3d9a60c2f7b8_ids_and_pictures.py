"""Texts with ids in their headings, comments without images

Revision ID: 3d9a60c2f7b8
Revises: 3f9a62d8c1b7
Create Date: 2026-11-28 11:45:00
"""

import sqlalchemy as sa
from alembic import op

# imported rather than copied: stored HTML must be what the current code writes
from quire.declare.markdown import (is_within_limit, render_markdown, render_comment, render_footer)

revision = "3d9a60c2f7b8"
down_revision = "3f9a62d8c1b7"
branch_labels = None
depends_on = None

BATCH = 200
TEXTS = (
    ("posts", "body", render_markdown),
    ("pages", "body", render_markdown),
    ("comments", "body", render_comment),
    ("appearance", "footer", render_footer),
)
MARKS = ("<h_ %", "<h_>%", "<img %", " id=%", " cite=%")
"""What stands in HTML that comes out otherwise now."""


def upgrade():
    """Apply this revision."""
    for table, name, rendering in TEXTS:
        render_again(table, name, rendering)


def downgrade():
    """Revert to the previous revision, whose code can display these texts too."""


def render_again(table, name, rendering):
    """Render again the texts whose HTML has changed, in batches."""
    connection = op.get_bind()
    marked = " OR ".join(f"{name}_html LIKE '%{mark}'" for mark in MARKS)
    wanted = sa.text(
        f"SELECT id, {name} FROM {table} WHERE id > :last "
        f"AND ({marked} OR {name} LIKE '%name=%' OR {name} LIKE '%id=%') ORDER BY id LIMIT {BATCH}"
    )
    statement = sa.text(f"UPDATE {table} SET {name}_html = :html WHERE id = :id")
    last = 0
    while rows := connection.execute(wanted, {"last": last}).all():
        last = rows[-1].id
        texts = [{"id": id, "html": rendering(text)} for id, text in rows if is_within_limit(text)]
        if texts:
            connection.execute(statement, texts)
