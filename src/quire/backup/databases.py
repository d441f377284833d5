"""The functions that backups need from a database engine, and the module that implements them for each."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from quire.backup.contents import Contents
from quire.backup.manifest import Engine, Manifest

Progress = Callable[[int, int], object]


class DatabaseEngine(Protocol):
    """The functions of one engine; all of them raise StartupError."""

    def copy_database(self, folder: Path, progress: Progress) -> tuple[Path, Contents]:
        """Copy the current database into `folder`; return the copy and its contents."""

    def make_ready(self, path: Path, manifest: Manifest) -> None:
        """Do everything to the copy in `path` that can be done before it replaces the database."""

    def replace(self, path: Path, manifest: Manifest, folder: Path, name: str) -> str | None:
        """Replace the database with the copy in `path`, in one step.

        The present one is kept in `folder`, or under `name` elsewhere; return where, if not in the folder.
        """

    def verify(self, path: Path, manifest: Manifest) -> None:
        """Compare the copy in `path` with the manifest without touching the database."""


_MODULES = {"sqlite": "quire.backup.sqlite", "postgresql": "quire.backup.postgresql"}


def database_engine(engine: Engine) -> DatabaseEngine:
    """Return the functions of `engine`; PostgreSQL's driver, 8 MB, is only loaded if it is used."""
    return cast(DatabaseEngine, import_module(_MODULES[engine]))
