"""Moves files from one store to the other while they are served: copied, compared, then let go."""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path

from quire.errors import Unavailable
from quire.store.files.local import FileStorage, StoredFile, incoming_dir, is_stored_name

AT_ONCE = 8
"""Files under way together: most of the time of each is waiting for the network."""
PIECE = 1024 * 1024


@dataclass
class RelocationReport:
    """What a move came to: `count` files of `size` bytes, `known` of them there already.

    `differing` are the names of files that are left as they are, since the two stores do not agree.
    """

    count: int = 0
    size: int = 0
    known: int = 0
    differing: list[str] = field(default_factory=list)


Report = Callable[[RelocationReport], None]


def relocate(
    source: FileStorage, target: FileStorage, progress: Callable[[int, int], None]
) -> RelocationReport:
    """Move all files of ours; `progress(done, total)` is told of each.

    What is interrupted goes on where it was when it is called again. Raises Unavailable, OSError.
    """
    names = sorted(filter(is_stored_name, source.older_than(inf)))
    moved, moving = (
        RelocationReport(),
        partial(_move_unless_deleted, source, target, incoming_dir()),
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, note in enumerate(pool.map(moving, names), 1):
            note(moved)
            progress(done, len(names))
    return moved


def _move_unless_deleted(source: FileStorage, target: FileStorage, room: Path, name: str) -> Report:
    """Move one file, unless its record is deleted meanwhile; what to note of it."""
    found = source.find(name)
    try:
        return _no_report if found is None else _move(found, source, target, room, name)
    except (OSError, Unavailable):
        if source.find(name) is None:
            return _no_report
        raise


def _no_report(moved: RelocationReport) -> None:
    """There is nothing to note."""


def _move(
    found: StoredFile, source: FileStorage, target: FileStorage, room: Path, name: str
) -> Report:
    known = target.find(name)
    if known is None:
        _copy(found, target, room, name)
    same = _digest(found) == _digest(target.find(name))
    if same:
        source.delete(name)
    elif known is None:
        target.delete(name)
    return partial(_report, name=name, size=found.size, known=known is not None, same=same)


def _copy(found: StoredFile, target: FileStorage, room: Path, name: str) -> None:
    copy = room / f"{name}.part"
    try:
        with found.open() as file, copy.open("wb") as out:
            shutil.copyfileobj(file, out, PIECE)
        target.put(name, copy)
    finally:
        copy.unlink(missing_ok=True)


def _digest(blob: StoredFile | None) -> bytes | None:
    if blob is None:
        return None
    with blob.open() as file:
        return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]


def _report(moved: RelocationReport, name: str, size: int, known: bool, same: bool) -> None:
    if not same:
        moved.differing.append(name)
        return
    moved.count += 1
    moved.size += size
    moved.known += known
