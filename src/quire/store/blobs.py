"""Where the bytes of media lie: under names that this program made, in a folder or a bucket.

Both do what `Blobs` says; nothing outside of this module and store/bucket.py knows where they are.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Protocol, cast

from flask import current_app

NAME = re.compile(r"[0-9a-f]{32}-[0-9a-f]{8}(-\d{1,5})?\.[a-z0-9]{2,5}", re.ASCII)
"""Names of what anybody may fetch: no folder, no device of Windows, nothing that a client chose."""
INCOMING = "incoming"
ORIGINAL = "original-"
"""How the names begin of files as they were sent; they are never served."""


def is_ours(name: str) -> bool:
    """Whether a file of that name can be one of ours."""
    return bool(NAME.fullmatch(name.removeprefix(ORIGINAL)))


@dataclass(frozen=True)
class Blob:
    """A file that is there: its bytes, how many, and its `path` where it lies on this machine."""

    size: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None


class Blobs(Protocol):
    """A store of files by name; what is written under a name is complete, and never changes.

    All but `delete` and `fault` raise Unavailable where the store cannot be reached.
    """

    def put(self, name: str, source: Path) -> None:
        """Take the file `source` over under `name`; it is gone from where it was."""

    def find(self, name: str) -> Blob | None:
        """The file, None where there is none."""

    def delete(self, *names: str) -> None:
        """Remove files; names that lead nowhere are passed over."""

    def older_than(self, moment: float) -> list[str]:
        """The names of files that were put before `moment`, in seconds of the system's clock."""

    def fault(self) -> str | None:
        """Why nothing can be put here, None when all is well."""


class Folder:
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

    def find(self, name: str) -> Blob | None:
        """The file."""
        path = self.path(name)
        if not path.is_file():
            return None
        return Blob(path.stat().st_size, lambda: path.open("rb"), path)

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


def blobs() -> Blobs:
    """The store of this installation; the library for buckets is loaded where there is one."""
    near = folder()
    if not current_app.config["S3_BUCKET"]:
        return near
    return cast(Blobs, import_module("quire.store.bucket").beside(near))


def folder() -> Folder:
    """The folder of this machine."""
    return Folder(Path(current_app.config["QUIRE_INSTANCE"]) / "uploads")


def waiting_room() -> Path:
    """The folder for files that are being received or made: on the disk of those that stay."""
    room = folder().root / INCOMING
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    return room
