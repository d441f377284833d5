"""Where the bytes of media lie: under names that this program made, in a folder by default.

Whatever else may hold them does what `Blobs` says; nothing outside of this module knows where
they are.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from flask import current_app

NAME = re.compile(r"[0-9a-f]{32}-[0-9a-f]{8}(-\d{1,5})?\.[a-z0-9]{2,5}", re.ASCII)
"""Names of what anybody may fetch: no folder, no device of Windows, nothing that a client chose."""
INCOMING = "incoming"
ORIGINAL = "original-"
"""How the names begin of files as they were sent; they are never served."""


class Blobs(Protocol):
    """A store of files by name; what is written under a name is complete, and never changes."""

    def put(self, name: str, source: Path) -> None:
        """Take the file `source` over under `name`; it is gone from where it was."""

    def find(self, name: str) -> Path | None:
        """A local path to the file, None where there is none."""

    def delete(self, *names: str) -> None:
        """Remove files; names that lead nowhere are passed over."""

    def older_than(self, moment: float) -> list[str]:
        """The names of files that were put before `moment`, in seconds of the system's clock."""


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

    def find(self, name: str) -> Path | None:
        """The path of a file that is there."""
        path = self.path(name)
        return path if path.is_file() else None

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


def blobs() -> Blobs:
    """The store of this installation."""
    return Folder(Path(current_app.config["QUIRE_INSTANCE"]) / "uploads")


def waiting_room() -> Path:
    """The folder for files that are being received or made: on the disk of those that stay."""
    folder = Path(current_app.config["QUIRE_INSTANCE"]) / "uploads" / INCOMING
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
