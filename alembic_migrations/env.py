"""Runs each migration completely or not at all, and prevents SQLite's foreign keys from deleting rows."""

import click
from alembic import context
from flask import current_app
from sqlalchemy import Column, inspect, text
from sqlalchemy.types import TypeDecorator

from quire.declare.collation import SortKey
from quire.store.connections.postgresql import declare_partial_indexes
from quire.store.data_versions import DataVersion, forget_writes
from quire.store.db import isolate, lift_limits
from quire.store.search.documents import POSTGRESQL_DDL, SQLITE_DDL

LOCK = 0x51756972
"""Number of the lock that keeps two hosts from migrating one PostgreSQL database at once."""

ADDED_LATER = {("posts", "cover_id"), ("users", "avatar_id")}
"""References that SQLite was given with ALTER TABLE: it tells neither their names nor their rules."""

config = context.config
migrate = current_app.extensions["migrate"]
metadata = migrate.db.metadata
if getattr(config.cmd_opts, "autogenerate", False):
    declare_partial_indexes(
        metadata
    )  # scripts are for both databases, whichever one they are written on


def render_item(kind, item, autogen_context):
    """Render plain SQLAlchemy types, so that scripts still run when the code has changed."""
    if isinstance(item, SortKey):
        return item.script
    ours = kind == "type" and type(item).__module__.startswith("quire.")
    return f"sa.{item.impl_instance!r}" if ours and isinstance(item, TypeDecorator) else False


def include_object(item, name, kind, reflected, compare_to):
    """Exclude objects that the search creates itself, and those that SQLite cannot describe."""
    if kind in ("column", "index") and item.table.name == "search_documents":
        return not name.endswith("words")
    if kind == "foreign_key_constraint":
        return (item.table.name, *item.column_keys) not in ADDED_LATER
    if kind == "index":
        return all(isinstance(part, Column) for part in item.expressions)
    return True


def include_name(name, kind, parents):
    """Exclude the tables of the search from reflection."""
    return kind != "table" or not name.startswith("search_index")


def skip_empty(migration_context, revision, directives):
    """Write no script if nothing has changed."""
    if getattr(config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []
        click.echo("Nothing has changed: no migration was written.")


def options():
    """Return the options that offline and online mode share."""
    return {
        **migrate.configure_args,
        "target_metadata": metadata,
        "render_item": render_item,
        "include_object": include_object,
        "include_name": include_name,
        "process_revision_directives": skip_empty,
        "transactional_ddl": True,
    }


def run_offline():
    """Print the SQL instead of running it."""
    url = migrate.db.engine.url.render_as_string(hide_password=False)
    context.configure(url=url, literal_binds=True, **options())
    with context.begin_transaction():
        context.run_migrations()


def set_foreign_keys(connection, word):
    """Switch SQLite's foreign keys; has no effect inside a transaction."""
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.execute(f"PRAGMA foreign_keys={word}").close()


def mend_search(connection):
    """Create the triggers again that are lost when a table is copied."""
    if "search_documents" in inspect(connection).get_table_names():
        sqlite = connection.dialect.name == "sqlite"
        for statement in SQLITE_DDL if sqlite else POSTGRESQL_DDL:
            connection.exec_driver_sql(statement)


def check_foreign_keys(connection):
    """Raise RuntimeError if a migration left references to rows that do not exist."""
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise RuntimeError(f"Row {broken[1]} of {broken[0]} refers to nothing in {broken[2]}.")


def run_online():
    """Migrate in one transaction.

    Changing a table on SQLite means copying it and dropping the old one; with foreign keys enabled, the drop would
    delete every row that refers to it.
    """
    with migrate.db.engine.connect() as plain:
        set_foreign_keys(plain, "OFF")
        connection = plain.execution_options(writes=True)
        isolate(connection, "READ COMMITTED")
        context.configure(connection=connection, **options())
        try:
            with context.begin_transaction():
                if connection.dialect.name == "postgresql":
                    lift_limits(connection)
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
                context.run_migrations()
                mend_search(connection)
                check_foreign_keys(connection)
                if not inspect(connection).has_table(DataVersion.__tablename__):
                    forget_writes(connection)
        finally:
            connection.rollback()
            set_foreign_keys(plain, "ON")


if context.is_offline_mode():
    run_offline()
else:
    run_online()
