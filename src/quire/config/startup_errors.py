"""The errors of commands and of the server's start: one line on standard error, and status 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from quire.config.validation import StartupError
from quire.errors import Problem


@contextmanager
def exit_with_one_line() -> Iterator[None]:
    """Wrap a command: print errors that an operator can fix in one line, then exit with status 1 (SystemExit)."""
    try:
        yield
    except (StartupError, Problem, OSError, UnicodeError) as error:
        click.echo(f"Error: {one_line(error)}", err=True)
        sys.exit(1)


def one_line(error: Exception) -> str:
    """Return the error in one line, with the cause given by the database or the system."""
    if isinstance(error, UnicodeError):
        encoding = sys.getfilesystemencoding()
        hint = "" if encoding == "utf-8" else " Set PYTHONUTF8=1 for UTF-8."
        return f"Some of the input is not valid {encoding} text.{hint}"
    if isinstance(error, OSError):
        problem = error.strerror or str(error)
        return f"{error.filename}: {problem}." if error.filename else f"{problem}."
    cause = getattr(error.__cause__, "orig", None)
    reason = f" ({str(cause).strip().partition(chr(10))[0]})" if cause else ""
    return f"{error}{reason}"
