"""`manage.py db`: the commands of Flask-Migrate; those that change tables back up a SQLite file
first."""

import logging
from typing import Any

import click
from flask import g
from flask.cli import with_appcontext
from flask_migrate.cli import db as flask_migrate_commands
from sqlalchemy.exc import DBAPIError

from quire.config.validation import StartupError
from quire.store import migrations
from quire.store.migrations import back_up, init_migrate

COMMANDS = "upgrade downgrade migrate current history check stamp heads merge revision show".split()


class Migrations(click.Group):
    """A command group that reports errors in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises StartupError."""
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            reason = str(error.orig).strip().partition("\n")[0]
            raise StartupError(f"The migration failed and changed nothing: {reason}") from error


@click.group("db", cls=Migrations)
@click.pass_context
@with_appcontext
def database(ctx: click.Context) -> None:
    """Migrate the database, or write a migration."""
    _show_steps()
    init_migrate()
    g.directory, g.x_arg = (
        str(migrations.SCRIPTS),
        (),
    )  # What Flask-Migrate's own group leaves there.
    if _changes(str(ctx.invoked_subcommand)) and (copy := back_up()):
        click.echo(f"The database was copied to {copy}", err=True)


def _changes(subcommand: str) -> bool:
    revision = migrations.database_revision()
    return subcommand == "downgrade" or (
        subcommand == "upgrade" and revision not in ("", migrations.newest_revision())
    )


def _show_steps() -> None:
    """Log which migrations run, and nothing else of Alembic."""
    console = logging.StreamHandler()
    console.addFilter(lambda record: not record.name.startswith("alembic.") or _is_step(record))
    logging.getLogger("alembic").setLevel(logging.INFO)
    logging.basicConfig(format="%(message)s", handlers=[console])


def _is_step(record: logging.LogRecord) -> bool:
    return record.getMessage().startswith("Running ")


for _name in COMMANDS:
    database.add_command(flask_migrate_commands.commands[_name])
