"""Restores a backup: everything is prepared beside the database, which is then replaced in one step.

Files are added first. They are named by their content and do not affect a database that does not refer to them, so
an interrupted restore leaves either the old state or the new one.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app

from quire.backup import sqlite
from quire.backup.databases import database_engine
from quire.backup.folder import FORM
from quire.backup.manifest import FILES, NAMES, SECRET_KEY, Manifest, engine_name, key_digest
from quire.backup.read import BackupArchive, Passphrase, open_backup
from quire.backup.synced_files import link_or_copy, new_file
from quire.config.validation import StartupError
from quire.declare.clock import now
from quire.store.files.local import INCOMING, StoredFile, incoming_dir, local_storage
from quire.store.files.storage import file_storage
from quire.store.instance_locks import restoring
from quire.store.migrations import SCRIPTS, revisions

Progress = Callable[[int, int], object]
Confirm = Callable[[Manifest], object]
"""Asks for confirmation; raises if the answer is no."""
WORK = "restoring-"
"""The prefix of folders in which a restore prepares its database."""


@dataclass(frozen=True)
class Restore:
    """The outcome of a restore: the backup's manifest, how many files were added, where the old state is kept.

    `knows_key` if the installation has the backup's secret key, which decrypts second factors.
    """

    manifest: Manifest
    added: int
    replaced: list[str]
    knows_key: bool


def restore_backup(
    path: Path, passphrase: Passphrase, confirm: Confirm, progress: Progress
) -> Restore:
    """Replace database and files with those of the backup in `path`.

    Raises StartupError, without having changed anything, if the backup cannot be used or a server is running.
    """
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    with restoring(), open_backup(path, instance, passphrase, progress) as archive:
        require_fitting(archive.manifest, path)
        confirm(archive.manifest)
        database, name = (
            database_engine(archive.manifest.engine),
            f"replaced-{now().strftime(FORM)}",
        )
        with _work_folder(_place(instance)) as work:
            new = work / "database"
            archive.extract(archive.manifest.database, new)
            database.make_ready(new, archive.manifest)
            added = _add_files(archive, progress)
            _keep_files(instance / name)
            knows_key = _restore_key(archive, instance, instance / name)
            schema = database.replace(new, archive.manifest, instance / name, name)
    old_state = [str(instance / name)] if (instance / name).exists() else []
    return Restore(
        archive.manifest, added, [*old_state, schema] if schema else old_state, knows_key
    )


def _place(instance: Path) -> Path:
    """Return the folder in which the backup's database is prepared: on the disk of the database."""
    return sqlite.database_file().parent if engine_name() == "sqlite" else instance


def require_fitting(manifest: Manifest, path: Path) -> None:
    """Raise StartupError unless the backup has this engine, and a schema that this code knows."""
    engine = engine_name()
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
    """Create a temporary folder on the database's disk; delete those of killed restores."""
    place.mkdir(parents=True, exist_ok=True)
    for one in place.glob(f"{WORK}*"):
        shutil.rmtree(one, ignore_errors=True)
    with TemporaryDirectory(dir=place, prefix=WORK, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _add_files(archive: BackupArchive, progress: Progress) -> int:
    """Store the files that do not exist yet; return how many."""
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


def _restore_key(archive: BackupArchive, instance: Path, folder: Path) -> bool:
    """Write the secret key of the backup to its file; return whether the installation now uses it.

    A key that is set in the environment stays.
    """
    if archive.manifest.key == key_digest():
        return True
    key, file = archive.read_key(), instance / SECRET_KEY
    if key is None or not file.exists() or not _is_own_key(file):
        return False
    link_or_copy(file, folder / SECRET_KEY)
    with new_file(file) as out:
        out.write(key.encode())
    return True


def _is_own_key(file: Path) -> bool:
    return file.read_text(encoding="ascii").strip() == current_app.config["SECRET_KEY"]


def _keep_files(folder: Path) -> None:
    """Hard-link all files of the local folder into `folder`, since maintenance deletes files that no record needs."""
    root = local_storage().root
    for path in root.glob("*/*"):
        if path.is_file() and path.parent.name != INCOMING:
            link_or_copy(path, folder / root.name / path.parent.name / path.name)
