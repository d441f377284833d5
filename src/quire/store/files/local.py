"""Files of media in a folder of this machine, and what every storage of files can do."""

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

NAME = re.compile(r"[0-9a-f]{32}-[0-9a-f]{8}(-\d{1,5})?\.[a-z0-9]{2,5}", re.ASCII)
"""Names of what anybody may fetch: no folder, no device of Windows, nothing that a client chose."""
INCOMING = "incoming"
ORIGINAL = "original-"
"""How the names begin of files as they were sent; they are never served."""


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})

logger = logging.getLogger("quire.files")


@contextmanager
def writing_files() -> Iterator[None]:
    """Around what writes files. Raises Unavailable where the disk is full or read-only."""
    try:
        yield
    except OSError as error:
        if (problem := full_disk_problem(error)) is None:
            raise
        raise problem from error


def full_disk_problem(error: OSError) -> Unavailable | None:
    """What a client is told when the disk takes no more; None for any other failure."""
    if error.errno not in _NO_ROOM:
        return None
    logger.warning("A file cannot be written: %s", error.strerror)
    words = "The server cannot store files at the moment. Try again later."
    return Unavailable(words, headers={"Retry-After": "60"})


def is_stored_name(name: str) -> bool:
    """Whether a file of that name can be one of ours."""
    return bool(NAME.fullmatch(name.removeprefix(ORIGINAL)))


@dataclass(frozen=True)
class StoredFile:
    """A file that is there: its bytes, how many, and its `path` where it lies on this machine."""

    size: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None


class FileStorage(Protocol):
    """A store of files by name; what is written under a name is complete, and never changes.

    All but `delete` and `fault` raise Unavailable where the store cannot be reached.
    """

    def put(self, name: str, source: Path) -> None:
        """Take the file `source` over under `name`; it is gone from where it was."""

    def find(self, name: str) -> StoredFile | None:
        """The file, None where there is none."""

    def delete(self, *names: str) -> None:
        """Remove files; names that lead nowhere are passed over."""

    def older_than(self, moment: float) -> list[str]:
        """The names of files that were put before `moment`, in seconds of the system's clock."""

    def fault(self) -> str | None:
        """Why nothing can be put here, None when all is well."""


class LocalStorage:
    """Files below one folder, in parts of it by how their names begin."""

    def __init__(self, root: Path):
        self.root = root

    def path(self, name: str) -> Path:
        """Where the file of that name is, or would be."""
        part = "originals" if name.startswith(ORIGINAL) else name[:2]
        return self.root / part / name

    def put(self, name: str, source: Path) -> None:
        """Take a file over: it is on the disk before it has its name."""
        path = self.path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with source.open("rb+") as file:
            os.fsync(file.fileno())
        source.replace(path)

    def find(self, name: str) -> StoredFile | None:
        """The file."""
        path = self.path(name)
        if not path.is_file():
            return None
        return StoredFile(path.stat().st_size, lambda: path.open("rb"), path)

    def delete(self, *names: str) -> None:
        """Remove files."""
        for name in names:
            # Windows keeps a file that somebody is reading: it stays, and nothing refers to it
            with suppress(OSError):
                self.path(name).unlink()

    def older_than(self, moment: float) -> list[str]:
        """The names of the older ones."""
        files = (path for path in self.root.glob("*/*") if path.parent.name != INCOMING)
        return [path.name for path in files if path.stat().st_mtime < moment]

    def fault(self) -> str | None:
        """Whether a file can be made in the folder."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryFile(dir=self.root):
                return None
        except OSError as error:
            return str(error)


def local_storage() -> LocalStorage:
    """The folder of this machine."""
    return LocalStorage(Path(current_app.config["QUIRE_INSTANCE"]) / "uploads")


def incoming_dir() -> Path:
    """The folder for files that are being received or made: on the disk of those that stay."""
    room = local_storage().root / INCOMING
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    return room
