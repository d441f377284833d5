"""Context of commands: an application with a current database, and progress bars."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from flask.cli import with_appcontext

from quire.store.migrations import prepare_database


def with_database(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command in an application whose database schema is current; create it if the database is empty."""

    @with_appcontext
    @wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        prepare_database()
        return function(*args, **kwargs)

    return inside


def progress(label: str, length: int) -> Any:
    """Show a progress bar on the terminal; nothing if standard error is redirected."""
    hidden = not sys.stderr.isatty()
    return click.progressbar(label=label, length=length, file=sys.stderr, hidden=hidden)


@contextmanager
def progress_meter(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar for work that reports how much of the total is done."""
    with progress(label, 1) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show
