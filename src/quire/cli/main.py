"""The commands of manage.py: each is only imported when used, and reports errors in one line."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo

from quire.config.startup_errors import exit_with_one_line
from quire.config.version import VERSION

COMMANDS = {
    "users": ("quire.cli.users:users", "Manage user accounts."),
    "keys": ("quire.cli.keys:keys", "Create and revoke API keys."),
    "worker": ("quire.cli.worker:worker", "Run background jobs in a separate process."),
    "seed": ("quire.cli.seed:seed", "Add sample content."),
    "import": ("quire.cli.imports:imports", "Import content from other systems."),
    "export": ("quire.cli.export:export", "Export all content to a file."),
    "backup": ("quire.cli.backup:backup", "Back up database and files, or verify a backup."),
    "restore": ("quire.cli.backup:restore", "Restore a backup."),
    "media": ("quire.cli.media:media", "Move uploaded files to or from an S3 bucket."),
    "db": ("quire.cli.db:database", "Migrate the database."),
    "check": ("quire.cli.check:check", "Check the installation for problems."),
    "maintenance": (
        "quire.cli.maintenance:maintenance",
        "Close the site for maintenance, and open it again.",
    ),
    "restart": ("quire.cli.restart:restart", "Restart the server without refusing a request."),
    "deploy": (
        "quire.cli.deploy.command:deploy",
        "Write files for systemd, Windows services, proxies and containers.",
    ),
    "prune": ("quire.cli.prune:prune", "Delete old trash, expired sessions and links."),
    "openapi": ("quire.cli.docs:openapi", "Write the OpenAPI document."),
    "routes": ("flask.cli:routes_command", "List all URLs."),
    "shell": ("flask.cli:shell_command", "Open a Python shell inside the application."),
    "settings": ("quire.cli.docs:settings", "Write docs/settings.md and .env.example."),
}
"""The module of each command, and its help text, so that help imports nothing."""


class Manage(click.Group):
    """A command group that imports commands on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called `cmd_name`; None if there is none."""
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
@click.version_option(VERSION, message="Quire %(version)s")
def manage() -> None:
    """Manage an installation of Quire."""


def application(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """Create an application with a current database; the entry point of `flask --app quire`. Raises StartupError."""
    app = bare_application(name, config)
    with app.app_context():
        import_module("quire.store.migrations").prepare_database()
    if os.environ.get("WERKZEUG_RUN_MAIN") == "true":  # restarted by `flask run --debug`
        options = click.get_current_context().params
        app.config["LOCAL_URL"] = f"http://{options['host']}:{options['port']}"
        import_module("quire.jobs.background").start_background(app)
    return app


def bare_application(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """Create an application without checking its database. Raises UnsafeConfig."""
    app: Flask = import_module("quire.app").create_app(name, dict(config or {}))
    return app


def command_application() -> Flask:
    """Create an application for commands, whose statements have no time limit."""
    return bare_application(config={"LIMIT_DATABASE_TIME": False})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Always raises SystemExit: 0 after a success, 1 after an error, 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        # a title in Greek must not abort an import on a console that cannot display Greek
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    with exit_with_one_line():
        manage.main(arguments, "manage.py", obj=ScriptInfo(create_app=command_application))
