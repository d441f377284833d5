"""Verifies a backup by restoring it into a temporary place and comparing."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app

from quire.backup.databases import database_engine
from quire.backup.manifest import Manifest
from quire.backup.read import Passphrase, open_backup
from quire.backup.restore import require_fitting

Progress = Callable[[int, int], object]


def verify(path: Path, passphrase: Passphrase, progress: Progress) -> Manifest:
    """Restore the database of the backup in `path` into a temporary place, and compare all of it.

    Returns its manifest. Raises StartupError with what is wrong.
    """
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    with open_backup(path, instance, passphrase, progress) as archive:
        require_fitting(archive.manifest, path)
        with TemporaryDirectory(dir=instance, prefix="verifying-") as folder:
            copy = Path(folder) / "database"
            archive.extract(archive.manifest.database, copy)
            database_engine(archive.manifest.engine).verify(copy, archive.manifest)
    return archive.manifest
