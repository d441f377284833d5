"""Commands behind manage.py: each is loaded only when it is used, and fails with one clear line."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo

from quire.config import Unfit
from quire.errors import Problem

COMMANDS = {
    "users": "quire.commands.users:users",
    "seed": "quire.commands.seed:seed",
    "import": "quire.commands.imports:imports",
    "db": "quire.commands.database:database",
    "check": "quire.commands.checks:check",
    "openapi": "quire.commands.documents:openapi",
    "settings": "quire.commands.documents:settings",
    "routes": "flask.cli:routes_command",
    "shell": "flask.cli:shell_command",
}


class Manage(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        return getattr(import_module(module), attribute)


@click.group(cls=Manage, context_settings={"help_option_names": ["-h", "--help"]})
def manage() -> None:
    """Look after an installation of Quire."""


def application(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """An application with a database that fits it; `flask --app quire` starts here. Raises Unfit."""
    from quire.schema import prepare

    app = bare_application(name, config)
    prepare(app)
    return app


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
