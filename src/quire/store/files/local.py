"""Storage of files in a local folder, and the interface of every file storage."""

import errno
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Protocol

from flask import current_app

from quire.errors import Unavailable
from quire.monitoring.outage_log import log_outage

NAME = re.compile(r"[0-9a-f]{32}-[0-9a-f]{8}(-\d{1,5})?\.[a-z0-9]{2,5}", re.ASCII)
"""Names of public files: no folder, no Windows device, nothing chosen by a client."""
INCOMING = "incoming"
ORIGINAL = "original-"
"""The prefix of files as they were uploaded; they are never served."""


FULL = "The disk for files is full. Free some space on it."
READ_ONLY = "The disk for files is read-only. Check how it is mounted."
REFUSED = "The folder for files cannot be written. Check who owns uploads/ in the instance folder."
_CAUSES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EROFS: READ_ONLY,
}
_CAUSES_OF_FILES = {**_CAUSES, errno.EACCES: REFUSED, errno.EPERM: REFUSED}

logger = logging.getLogger("quire.files")


@contextmanager
def writing_files() -> Iterator[None]:
    """Wrap code that writes files. Raises Unavailable if the disk is full, read-only or not accessible."""
    try:
        yield
    except OSError as error:
        if (problem := _problem(error, _CAUSES_OF_FILES)) is None:
            raise
        raise problem from error


def full_disk_problem(error: OSError) -> Unavailable | None:
    """Return the error for a client if the disk is full or read-only; None for any other failure."""
    return _problem(error, _CAUSES)


def _problem(error: OSError, causes: dict[int, str]) -> Unavailable | None:
    cause = causes.get(error.errno or 0)
    if cause is None:
        return None
    log_outage(logger, cause, error.strerror)
    message = "The server cannot store files at the moment. Try again later."
    return Unavailable(message, headers={"Retry-After": "60"})


def is_stored_name(name: str) -> bool:
    """Whether `name` has the form of our file names."""
    return bool(NAME.fullmatch(name.removeprefix(ORIGINAL)))


@dataclass(frozen=True)
class StoredFile:
    """A file in a storage: its size in bytes, its content, and its `path` if it is local."""

    size: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None


class FileStorage(Protocol):
    """Stores files by name; a file is complete once it has its name, and never changes.

    All methods except `delete` and `fault` raise Unavailable if the storage cannot be reached.
    """

    def put(self, name: str, source: Path) -> None:
        """Move the file `source` into the storage as `name`."""

    def find(self, name: str) -> StoredFile | None:
        """Return the file; None if there is none."""

    def delete(self, *names: str) -> None:
        """Delete files; missing ones are skipped."""

    def older_than(self, moment: float) -> list[str]:
        """Return the names of files stored before `moment`, in seconds since the epoch."""

    def fault(self) -> str | None:
        """Return why no file can be stored; None if all is well."""


class LocalStorage:
    """Files in one folder, in subfolders named after the first characters of their names."""

    def __init__(self, root: Path):
        self.root = root

    def path(self, name: str) -> Path:
        """Return the path of the file with that name, whether or not it exists."""
        part = "originals" if name.startswith(ORIGINAL) else name[:2]
        return self.root / part / name

    def put(self, name: str, source: Path) -> None:
        """Move a file here; it is synced to disk before it gets its name."""
        path = self.path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with source.open("rb+") as file:
            os.fsync(file.fileno())
        source.replace(path)

    def find(self, name: str) -> StoredFile | None:
        """Return the file."""
        path = self.path(name)
        if not path.is_file():
            return None
        return StoredFile(path.stat().st_size, lambda: path.open("rb"), path)

    def delete(self, *names: str) -> None:
        """Remove files."""
        for name in names:
            # Windows does not delete a file that is being read: it stays, and nothing refers to it
            with suppress(OSError):
                self.path(name).unlink()

    def older_than(self, moment: float) -> list[str]:
        """Return the names of files stored before `moment`."""
        files = (path for path in self.root.glob("*/*") if path.parent.name != INCOMING)
        return [path.name for path in files if path.stat().st_mtime < moment]

    def fault(self) -> str | None:
        """Return why no file can be created in the folder; None if all is well."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryFile(dir=self.root):
                return None
        except OSError as error:
            return str(error)


def local_storage() -> LocalStorage:
    """Return the storage in the folder of this installation."""
    return LocalStorage(Path(current_app.config["QUIRE_INSTANCE"]) / "uploads")


def incoming_dir() -> Path:
    """Return the folder for incoming files, on the same disk as the stored ones."""
    folder = local_storage().root / INCOMING
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
