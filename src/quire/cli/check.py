"""`manage.py check`: finds problems of an installation; with --deploy, also those of a public one."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from quire.checks.check import OK, Check, error
from quire.checks.doctor import examine
from quire.site.overrides import broken_templates


@click.command()
@click.option("--deploy", is_flag=True, help="Also run the checks for a public deployment.")
@with_appcontext
def check(deploy: bool) -> None:
    """Check the installation for problems; exit with status 1 if there are errors."""
    failed = 0
    for name, result in examine(deploy, {"custom templates": check_templates}):
        failed += result.status == "error"
        click.echo(_line(name, result))
    if failed:
        click.echo(f"Error: {failed} of the checks failed.", err=True)
        sys.exit(1)


def _line(name: str, result: Check) -> str:
    words = " ".join(one for one in (result.reason, result.action) if one)
    return f"{result.status:<8} {name}: {words}" if words else f"{result.status:<8} {name}"


def check_templates() -> Check:
    """Check whether the templates of this installation can be parsed."""
    broken = "; ".join(broken_templates(current_app))
    return OK if not broken else error(f"{broken}.", "Fix or delete the template.")
