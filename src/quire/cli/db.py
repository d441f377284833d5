"""`manage.py db`: the commands of Flask-Migrate; those that change tables make a backup first."""

import logging
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import click
from flask import current_app, g
from flask.cli import with_appcontext
from flask_migrate.cli import db as flask_migrate_commands
from sqlalchemy.exc import DBAPIError

from quire.backup.write import make_backup
from quire.cli.context import progress_meter
from quire.config.validation import StartupError
from quire.store import migrations
from quire.store.migrations import init_migrate

COMMANDS = "upgrade downgrade migrate current history check stamp heads merge revision show".split()
CHANGING = ("upgrade", "downgrade")
COMPARING = ("migrate", "check")
"""Commands that compare the tables with the declarations; they need a current database."""


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
    migrations.database_revision()  # raises an error if the database cannot be opened
    _show_steps()
    init_migrate()
    # Flask-Migrate's own group leaves them there
    g.directory, g.x_arg = str(migrations.SCRIPTS), ()


def _with_backup(command: click.Command) -> click.Command:
    """Return the command with a backup made first; one process at a time."""

    def run(no_backup: bool, **options: Any) -> Any:
        with migrations.migration_lock():
            if _changes(str(command.name)) and not (no_backup or options.get("sql")):
                _back_up()
            return _run(command, options)

    option = click.Option(["--no-backup"], is_flag=True, help="Do not make a backup first.")
    return _variant(command, run, option)


def _with_tables(command: click.Command) -> click.Command:
    """Return the command, which compares tables, so that it first creates those of an empty database."""

    def run(**options: Any) -> Any:
        migrations.prepare_database()
        return _run(command, options)

    return _variant(command, run)


def _run(command: click.Command, options: dict[str, Any]) -> Any:
    assert command.callback is not None
    return command.callback(**options)


def _variant(
    command: click.Command, callback: Callable[..., Any], *options: click.Option
) -> click.Command:
    variant = copy(command)
    variant.callback = callback
    variant.params = [*command.params, *options]
    return variant


def _back_up() -> None:
    """Back up the database. Raises StartupError, which says how to continue without a backup."""
    passphrase = current_app.config["BACKUP_PASSPHRASE"] or None
    try:
        with progress_meter("Backing up") as show:
            backup = make_backup(None, passphrase, show)
    except StartupError as error:
        words = (
            f"No backup was made, and nothing was migrated. {error} To leave it out: --no-backup"
        )
        raise StartupError(words) from None
    click.echo(f"Backup: {backup.path}", err=True)


def _changes(name: str) -> bool:
    """Return whether the command changes a database that is not empty."""
    revision = migrations.database_revision()
    unchanged = ("",) if name == "downgrade" else ("", migrations.newest_revision())
    return revision not in unchanged


def _show_steps() -> None:
    """Log which migrations run, and nothing else from Alembic."""
    console = logging.StreamHandler()
    console.addFilter(lambda record: not record.name.startswith("alembic.") or _is_step(record))
    logger = logging.getLogger("alembic")
    # a later command in this process does not log its own migrations
    click.get_current_context().call_on_close(partial(logger.setLevel, logger.level))
    logger.setLevel(logging.INFO)
    logging.basicConfig(format="%(message)s", handlers=[console])


def _is_step(record: logging.LogRecord) -> bool:
    return record.getMessage().startswith("Running ")


for _name in COMMANDS:
    _command = flask_migrate_commands.commands[_name]
    if _name in CHANGING:
        _command = _with_backup(_command)
    elif _name in COMPARING:
        _command = _with_tables(_command)
    database.add_command(_command)
