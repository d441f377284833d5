"""Addresses with internationalised domains, stored in Unicode

Revision ID: 8e41b6d2c093
Revises: 5c0e7a9d31f4
Create Date: 2026-11-28 11:30:00
"""

import idna
import sqlalchemy as sa
from alembic import op

revision = "8e41b6d2c093"
down_revision = "5c0e7a9d31f4"
branch_labels = None
depends_on = None


def upgrade():
    """Apply this revision."""
    rewrite("%@%xn--%", idna.decode)


def downgrade():
    """Revert to the previous revision."""
    rewrite("%@%", lambda domain: domain if domain.isascii() else idna.encode(domain).decode())


def rewrite(like, change):
    """Change the domains of addresses that match `like`; leave invalid domains unchanged."""
    connection = op.get_bind()
    for table in ("users", "links"):
        wanted = sa.text(f"SELECT id, email FROM {table} WHERE email LIKE :like")
        for id, email in connection.execute(wanted, {"like": like}).all():
            local, _, domain = email.rpartition("@")
            try:
                changed = f"{local}@{change(domain)}"
            except idna.IDNAError:
                continue
            statement = sa.text(f"UPDATE {table} SET email = :email WHERE id = :id")
            connection.execute(statement, {"email": changed, "id": id})
