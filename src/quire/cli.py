"""Commands behind manage.py: each is loaded only when it is used, and fails with one clear line."""

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo

from quire.errors import Problem
from quire.safety import Unfit

COMMANDS = {
    "users": ("quire.commands.users:users", "Look after the people who may sign in."),
    "keys": ("quire.commands.keys:keys", "Make and revoke API keys."),
    "worker": ("quire.commands.worker:worker", "Do jobs in a process of their own."),
    "seed": ("quire.commands.seed:seed", "Add sample content."),
    "import": ("quire.commands.imports:imports", "Bring content in from elsewhere."),
    "export": ("quire.commands.exports:export", "Write all content to a file."),
    "media": ("quire.commands.media:media", "Move uploaded files into a bucket, and back."),
    "db": ("quire.commands.database:database", "Bring the database to another version."),
    "check": ("quire.commands.checks:check", "Look for what is wrong."),
    "prune": ("quire.commands.upkeep:prune", "Empty the trash, forget what has ended."),
    "openapi": ("quire.commands.documents:openapi", "Write the description of the API."),
    "routes": ("flask.cli:routes_command", "List all addresses."),
    "shell": ("flask.cli:shell_command", "A Python shell inside the application."),
    "settings": ("quire.commands.documents:settings", "Write docs/settings.md."),
}
"""Where each command is, and its line in the help, for which nothing needs to be loaded."""


class Manage(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])


@click.group(cls=Manage, context_settings={"help_option_names": ["-h", "--help"]})
def manage() -> None:
    """Look after an installation of Quire."""


def application(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """An application with a database that fits; `flask --app quire` starts here. Raises Unfit."""
    from quire.schema import prepare

    app = bare_application(name, config)
    with app.app_context():
        prepare()
    if os.environ.get("WERKZEUG_RUN_MAIN") == "true":  # what `flask run --debug` starts anew
        _work_beside(app)
    return app


def _work_beside(app: Flask) -> None:
    """Do jobs beside a development server, until its process ends."""
    from quire.jobs.worker import working

    given = click.get_current_context().params
    app.config["LOCAL_URL"] = f"http://{given['host']}:{given['port']}"
    crew = working(app)
    crew.__enter__()
    atexit.register(crew.__exit__, None, None, None)


def bare_application(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """An application that has not looked at its database yet. Raises Unsafe."""
    from quire.app import create_app

    return create_app(name, dict(config or {}))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Always ends in SystemExit: 0 done, 1 refused, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        # A title in Greek must not end an import on a console that knows no Greek.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        manage.main(arguments, "manage.py", obj=ScriptInfo(create_app=bare_application))
    except (Unfit, Problem) as refusal:
        click.echo(f"Error: {refusal}", err=True)
        sys.exit(1)
