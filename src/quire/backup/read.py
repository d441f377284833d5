"""Opens a backup: all of it is verified before anything is used."""

import io
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, cast
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from quire.backup.age import CHUNK, EncryptedReader, is_encrypted
from quire.backup.manifest import BACKUP, DATABASES, FILES, SECRET_KEY, Manifest
from quire.backup.sqlite import HEAD
from quire.backup.synced_files import sync_file
from quire.config.validation import StartupError
from quire.store.files.checked_zip import (
    ArchiveRefused,
    changed_error,
    check_members,
    compare_names,
    digest,
    open_zip,
    pieces,
    read_manifest,
    unreadable_manifest,
)

Passphrase = Callable[[], str]
"""Asks for the passphrase of an encrypted backup."""
Progress = Callable[[int, int], object]
HEADS = {"sqlite": HEAD, "postgresql": b"PGDMP"}
"""The first bytes of a database in an archive."""


class BackupArchive:
    """A backup whose members all match its manifest."""

    def __init__(self, path: Path, zip: ZipFile, manifest: Manifest):
        self._path, self._zip, self.manifest = path, zip, manifest
        self._hashes = {one.name: one.sha256 for one in manifest.files}

    def __contains__(self, name: str) -> bool:
        """Return whether the archive has this member."""
        return name in self._hashes

    def stored_files(self) -> list[tuple[str, int, str]]:
        """Return the name, size in bytes and SHA-256 of each stored file."""
        entries = [one for one in self.manifest.files if one.name.startswith(FILES)]
        return [(one.name.removeprefix(FILES), one.bytes, one.sha256) for one in entries]

    def read_key(self) -> str | None:
        """Return the secret key in the archive; None if there is none."""
        with _naming(self._path):
            return self._zip.read(SECRET_KEY).decode() if SECRET_KEY in self else None

    def extract(self, name: str, path: Path) -> None:
        """Write a member to `path` and sync it. Raises StartupError if it has changed meanwhile."""
        hash = sha256()
        with _naming(self._path):
            with self._zip.open(name) as member, path.open("wb") as out:
                for piece in pieces(member):
                    out.write(piece)
                    hash.update(piece)
            sync_file(path)
            if hash.hexdigest() != self._hashes[name]:
                raise changed_error(name)


@contextmanager
def open_backup(
    path: Path, room: Path, passphrase: Passphrase, progress: Progress
) -> Iterator[BackupArchive]:
    """Verify the backup in `path` and open it.

    Its contents must fit on the disk of `room`. Raises StartupError with the reason.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        # an unanswered prompt is not a fault of the archive
        phrase = passphrase() if is_encrypted(raw) else None
        with _naming(path):
            zip = stack.enter_context(open_zip(_decrypt(raw, phrase)))
            manifest = _check_archive(zip, room, progress)
        yield BackupArchive(path, zip, manifest)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn errors while reading the archive into StartupError with its name and the reason."""
    try:
        yield
    except BadZipFile as error:
        raise StartupError(f"{path} is not a valid ZIP file ({error}).") from None
    except ArchiveRefused as reason:
        raise StartupError(f"{path} {reason}.") from None
    except (
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        raise StartupError(f"{path} is damaged ({error}).") from None


def _decrypt(raw: IO[bytes], passphrase: str | None) -> IO[bytes]:
    if passphrase is None:
        return raw
    return cast(IO[bytes], io.BufferedReader(EncryptedReader(raw, passphrase), CHUNK))


def _check_archive(zip: ZipFile, room: Path, progress: Progress) -> Manifest:
    members = check_members(zip, BACKUP)
    raw = read_manifest(zip, members, BACKUP)
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError:
        raise unreadable_manifest() from None
    names = [one.name for one in manifest.files]
    compare_names(names, members)
    if set(names) & {*DATABASES.values()} != {manifest.database}:
        raise ArchiveRefused("has another database than its manifest says")
    _check_room(sum(info.file_size for info in members.values()), room)
    _check_hashes(zip, manifest, progress)
    return manifest


def _check_room(size: int, room: Path) -> None:
    free = shutil.disk_usage(room).free
    if size > free:
        raise ArchiveRefused(f"needs {size:,} bytes, and the disk has {free:,} free")


def _check_hashes(zip: ZipFile, manifest: Manifest, progress: Progress) -> None:
    total, done = sum(one.bytes for one in manifest.files), 0
    with zip.open(manifest.database) as database:
        _check_head(database, manifest)
    for one in manifest.files:
        if digest(zip, one.name) != one.sha256:
            raise changed_error(one.name)
        done += one.bytes
        progress(done, total)


def _check_head(database: IO[bytes], manifest: Manifest) -> None:
    """Raise ArchiveRefused unless it begins like such a database and has the size in its header."""
    head = database.read(100)
    size = next(one.bytes for one in manifest.files if one.name == manifest.database)
    if not head.startswith(HEADS[manifest.engine]):
        raise ArchiveRefused(f"contains {manifest.database}, which is not a database")
    if manifest.engine == "sqlite":
        (page,), (pages,) = struct.unpack_from(">H", head, 16), struct.unpack_from(">I", head, 28)
        if (page if page > 1 else 65536) * pages != size:
            raise ArchiveRefused(f"contains {manifest.database}, which is not complete")
