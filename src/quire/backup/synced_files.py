"""Writes files so that a crash leaves them complete or not at all, and gives them second names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

UNFINISHED = ".part"
"""The suffix of incomplete files."""
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Create a file, readable by its owner only, that is synced and gets its name at the end of the block."""
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with os.fdopen(os.open(unfinished, _FLAGS, 0o600), "wb+") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Sync the content of a file to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk, if the system can."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def link_or_copy(path: Path, copy: Path) -> None:
    """Give a file a second name, in a folder that is created if necessary."""
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(path, copy)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(path, copy)
