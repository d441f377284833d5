"""Verifies a backup by restoring it to a temporary place and comparing."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app

from quire.backup.databases import database_engine
from quire.backup.folder import DiskProblem, explain_disk_problems, note_verification
from quire.backup.manifest import Manifest
from quire.backup.read import Passphrase, open_backup
from quire.backup.restore import require_fitting
from quire.config.validation import StartupError

Progress = Callable[[int, int], object]


def verify_backup(path: Path, passphrase: Passphrase, progress: Progress) -> Manifest:
    """Restore the database of the backup in `path` to a temporary place, and compare all of it.

    Returns its manifest, and records the outcome beside the backup. Raises StartupError with the reason for a
    failure.
    """
    try:
        with explain_disk_problems(Path(current_app.config["QUIRE_INSTANCE"])):
            manifest = _compare(path, passphrase, progress)
    except DiskProblem:  # the backup may well be intact
        raise
    except StartupError as fault:
        note_verification(path, str(fault))
        raise
    note_verification(path, "")
    return manifest


def _compare(path: Path, passphrase: Passphrase, progress: Progress) -> Manifest:
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    with open_backup(path, instance, passphrase, progress) as archive:
        require_fitting(archive.manifest, path)
        with TemporaryDirectory(dir=instance, prefix="verifying-") as folder:
            copy = Path(folder) / "database"
            archive.extract(archive.manifest.database, copy)
            database_engine(archive.manifest.engine).verify(copy, archive.manifest)
    return archive.manifest
