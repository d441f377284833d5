"""Makes a backup: a consistent copy of the database, then the stored files, which never change.

Files added meanwhile do no harm; none is deleted while a backup runs (store/files/storage.py).
"""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flask import current_app

from quire.backup.age import EncryptedWriter
from quire.backup.contents import Contents
from quire.backup.databases import database_engine
from quire.backup.folder import backup_folder, delete_old_backups, explain_disk_problems, new_name
from quire.backup.manifest import (
    DATABASES,
    FILES,
    SECRET_KEY,
    Engine,
    FileEntry,
    Manifest,
    engine_name,
    key_digest,
)
from quire.backup.synced_files import UNFINISHED, new_file
from quire.config.validation import StartupError
from quire.config.version import VERSION
from quire.declare.clock import now, rfc3339
from quire.store.files.checked_zip import MANIFEST, pieces
from quire.store.files.local import StoredFile, is_stored_name
from quire.store.files.storage import file_storage
from quire.store.instance_locks import backing_up
from quire.store.migrations import database_revision

Progress = Callable[[int, int], object]
COMPRESSION = 3
"""The compression level of the database: level 6 takes twice as long and saves a tenth."""
WORK = "making-"
"""The prefix of folders in which a database is copied."""


@dataclass(frozen=True)
class Backup:
    """A finished backup; `missing` are files that the database refers to but that did not exist."""

    path: Path
    bytes: int
    files: int
    missing: list[str]


def make_backup(file: Path | None, passphrase: str | None, progress: Progress) -> Backup:
    """Write a backup to `file`, by default to a new one in the folder of backups, and delete old ones there.

    With a `passphrase`, it is encrypted and also contains the secret key of the installation. The file gets its
    name when it is complete and synced. Raises OSError, StartupError with what to do.
    """
    if not database_revision():
        raise StartupError("There is no database yet: nothing to back up.")
    with backing_up():
        path = file or new_name(encrypted=passphrase is not None)
        with explain_disk_problems(path.parent):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _delete_unfinished(path)
            backup = _write(path, passphrase, progress)
        if file is None:
            delete_old_backups()
        return backup


def _delete_unfinished(path: Path) -> None:
    """Delete what a killed backup has left beside `path`; the lock proves that none is running."""
    if path.parent == backup_folder():
        for one in path.parent.glob(f"*{UNFINISHED}"):
            one.unlink()
        for one in path.parent.glob(f"{WORK}*"):
            shutil.rmtree(one, ignore_errors=True)


def _write(path: Path, passphrase: str | None, progress: Progress) -> Backup:
    work = TemporaryDirectory(dir=path.parent, prefix=WORK, ignore_cleanup_errors=True)
    with work as folder, new_file(path) as out, ExitStack() as stack:
        writer = ArchiveWriter(_new_zip(out, passphrase, stack))
        missing = writer.write_all(Path(folder), passphrase is not None, progress)
    return Backup(path, path.stat().st_size, writer.stored, missing)


def _new_zip(out: IO[bytes], passphrase: str | None, stack: ExitStack) -> ZipFile:
    """Open a ZIP file that is written to `out`, encrypted if there is a passphrase."""
    if passphrase is not None:
        out = cast(IO[bytes], stack.enter_context(EncryptedWriter(out, passphrase)))
    return stack.enter_context(ZipFile(out, "w", ZIP_DEFLATED, compresslevel=COMPRESSION))


class ArchiveWriter:
    """Writes the members of a backup one by one, and the manifest last."""

    def __init__(self, zip: ZipFile):
        self._zip, self._moment = zip, now()
        self.files: list[FileEntry] = []
        self.stored = 0

    def write_all(self, folder: Path, with_key: bool, progress: Progress) -> list[str]:
        """Write everything; return the names of files that should exist but do not."""
        engine = engine_name()
        self._moment = now()
        database, contents = database_engine(engine).copy_database(folder, progress)
        names = sorted(filter(is_stored_name, file_storage().older_than(inf)))
        with database.open("rb") as file:
            self._add(DATABASES[engine], file)
        database.unlink()
        if with_key:
            self._add(SECRET_KEY, BytesIO(str(current_app.config["SECRET_KEY"]).encode()))
        for number, name in enumerate(names, 1):
            self._add_stored_file(name)
            progress(number, len(names))
        missing = self._missing_files(contents)
        self._add_manifest(contents, engine, missing)
        return missing

    def _add(self, member: str | ZipInfo, file: IO[bytes]) -> None:
        """Add a member: compressed if given by name, stored if given as a ZipInfo."""
        hash, size = sha256(), 0
        with self._zip.open(member, "w", force_zip64=True) as out:
            for piece in pieces(file):
                out.write(piece)
                hash.update(piece)
                size += len(piece)
        name = member if isinstance(member, str) else member.filename
        self.files.append(FileEntry(name=name, bytes=size, sha256=hash.hexdigest()))

    def _add_stored_file(self, name: str) -> None:
        with ExitStack() as stack:
            file = _open(name, stack)
            if file is not None:  # deleted since it was listed, so no record needs it
                self._add(ZipInfo(FILES + name), file)
                self.stored += 1

    def _missing_files(self, contents: Contents) -> list[str]:
        stored = {one.name.removeprefix(FILES) for one in self.files}
        return [names[-1] for names in contents.references if not stored.intersection(names)]

    def _add_manifest(self, contents: Contents, engine: Engine, missing: list[str]) -> None:
        manifest = Manifest(
            quire=VERSION,
            created_at=rfc3339(self._moment),
            engine=engine,
            server=contents.server,
            revision=contents.revision,
            key=key_digest(),
            tables=contents.tables,
            missing=missing,
            files=self.files,
        )
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=1), ZIP_DEFLATED)


def _open(name: str, stack: ExitStack) -> IO[bytes] | None:
    """Open the stored file, wherever it is; try again if it moves from a folder to a bucket meanwhile."""
    for _ in range(2):
        stored: StoredFile | None = file_storage().find(name)
        if stored is None:
            return None
        try:
            return stack.enter_context(stored.open())
        except FileNotFoundError:
            continue
    return None
