"""Restores a backup: all is made ready beside the database, which is then replaced in one step.

Files are added first. They are named by their content and harm no database that does not know them,
so that whoever ends a restore in the middle finds what there was, or what there shall be.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app

from quire.backup import sqlite
from quire.backup.folder import FORM
from quire.backup.manifest import FILES, NAMES, Manifest
from quire.backup.read import BackupArchive, open_backup
from quire.config.validation import StartupError
from quire.declare.clock import now
from quire.store.db import db
from quire.store.files.local import StoredFile, incoming_dir, local_storage
from quire.store.files.storage import file_storage
from quire.store.instance_locks import restoring
from quire.store.migrations import SCRIPTS, revisions

Progress = Callable[[int, int], object]
Confirm = Callable[[Manifest], object]
"""Asks whether to go on; raises where the answer is no."""
WORK = "restoring-"
"""The beginning of the names of folders in which a restore makes its database ready."""


@dataclass(frozen=True)
class Restore:
    """What a restore has done: the backup's manifest, how many files it added, where the old state is."""

    manifest: Manifest
    added: int
    replaced: Path | None


def restore(path: Path, confirm: Confirm, progress: Progress) -> Restore:
    """Replace database and files by those of the backup in `path`.

    Raises StartupError where the backup cannot be used, or a server is running: then nothing has changed.
    """
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    with restoring(), open_backup(path, instance, progress) as archive:
        _require_fitting(archive.manifest, path)
        confirm(archive.manifest)
        database = sqlite.database_file()
        with _work_folder(database.parent) as work:
            new = work / "database"
            archive.extract(archive.manifest.database, new)
            sqlite.make_ready(new, archive.manifest)
            added = _add_files(archive, progress)
            replaced = _keep_present_state(instance, database)
            sqlite.replace(database, new)
    return Restore(archive.manifest, added, replaced)


def _require_fitting(manifest: Manifest, path: Path) -> None:
    engine = db.engine.dialect.name
    if manifest.engine != engine:
        raise StartupError(
            f"{path} is a backup of {NAMES[manifest.engine]}, and this installation uses {NAMES[engine]}. "
            "To move between them: manage.py export there, and manage.py import json here."
        )
    if manifest.revision not in revisions(SCRIPTS)[1]:
        raise StartupError(
            f"{path} was made by Quire {manifest.quire} with a newer schema ({manifest.revision}). "
            "Install that version first."
        )


@contextmanager
def _work_folder(place: Path) -> Iterator[Path]:
    """A temporary folder on the disk of the database; those of restores that were killed go."""
    place.mkdir(parents=True, exist_ok=True)
    for one in place.glob(f"{WORK}*"):
        shutil.rmtree(one, ignore_errors=True)
    with TemporaryDirectory(dir=place, prefix=WORK, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _add_files(archive: BackupArchive, progress: Progress) -> int:
    """Store the files that are not there yet; how many."""
    files, storage, added = archive.stored_files(), file_storage(), 0
    for number, (name, size, sha256) in enumerate(files, 1):
        if not _is_same(storage.find(name), size, sha256):
            part = incoming_dir() / f"{name}.part"
            archive.extract(FILES + name, part)
            storage.put(name, part)
            added += 1
        progress(number, len(files))
    return added


def _is_same(file: StoredFile | None, size: int, sha256: str) -> bool:
    if file is None or file.size != size:
        return False
    with file.open() as stream:
        return file_digest(stream, "sha256").hexdigest() == sha256  # type: ignore[arg-type]


def _keep_present_state(instance: Path, database: Path) -> Path | None:
    """Put database and files, as they are, into a folder of their own; None where there is no database."""
    if not database.exists():
        return None
    folder = instance / f"replaced-{now().strftime(FORM)}"
    folder.mkdir(mode=0o700)
    sqlite.close_database(database, folder)
    _link(database, folder / database.name)
    root = local_storage().root
    for path in root.glob("*/*"):
        if path.is_file() and path.parent.name != incoming_dir().name:
            _link(path, folder / root.name / path.parent.name / path.name)
    return folder


def _link(path: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(path, copy)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(path, copy)
