"""What a backup needs of a database engine, and the module that does it for each."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from quire.backup.contents import Contents
from quire.backup.manifest import Engine, Manifest

Progress = Callable[[int, int], object]


class DatabaseEngine(Protocol):
    """The functions of one engine; all raise StartupError."""

    def copy_database(self, folder: Path, progress: Progress) -> tuple[Path, Contents]:
        """Copy the database into `folder` as it is now; the copy and its contents."""

    def make_ready(self, path: Path, manifest: Manifest) -> None:
        """Do all that can be done with the copy in `path` before it replaces the database."""

    def replace(self, path: Path, manifest: Manifest, folder: Path, name: str) -> str | None:
        """Replace the database by the copy in `path`, in one step.

        The present one is kept in `folder`, or elsewhere as `name`: where, if not in the folder.
        """

    def verify(self, path: Path, manifest: Manifest) -> None:
        """Compare the copy in `path` with the manifest; the database stays out of it."""


_MODULES = {"sqlite": "quire.backup.sqlite", "postgresql": "quire.backup.postgresql"}


def database_engine(engine: Engine) -> DatabaseEngine:
    """The functions of `engine`; PostgreSQL's driver, 8 MB, is loaded only where it is used."""
    return cast(DatabaseEngine, import_module(_MODULES[engine]))
