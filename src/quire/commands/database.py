"""`manage.py db`: Flask-Migrate's commands; what changes tables copies a SQLite file first."""

import logging

import click
from flask.cli import with_appcontext
from flask_migrate.cli import db as flask_migrate_commands

from quire.migrations import backed_up, connect
from quire.schema import state

OFFERED = "upgrade downgrade migrate current history check stamp heads merge revision show".split()
CHANGING = {"upgrade", "downgrade"}


@click.group("db")
@click.pass_context
@with_appcontext
def database(ctx: click.Context) -> None:
    """Bring the database to another version, or write a migration."""
    logging.getLogger("alembic").setLevel(logging.INFO)
    logging.basicConfig(format="%(message)s")
    connect()
    if ctx.invoked_subcommand in CHANGING:
        before = state()
        copy = backed_up() if before else None
        if copy:
            click.echo(f"The database was copied to {copy}", err=True)


for _name in OFFERED:
    database.add_command(flask_migrate_commands.commands[_name])
