"""Which database the tests run on, and how it is emptied quickly."""

from sqlalchemy import text

from quire.records import SETTINGS
from quire.store.db import db

POSTGRESQL = "TEST_DATABASE_URL"
"""Name of the environment variable that moves the suite onto PostgreSQL."""


def emptied(app):
    """Leave tables without rows, ids starting at 1, the one row of settings anew."""
    with app.app_context():
        if db.engine.dialect.name != "postgresql":
            return
        db.create_all()
        names = ", ".join(table.name for table in db.metadata.sorted_tables)
        with db.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            table = SETTINGS.table
            for listener in table.dispatch.after_create:
                if getattr(listener, "__name__", "") == "_make_row":
                    listener(table, connection)
