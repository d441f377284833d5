"""Moves files from one storage to another while they are being served: copies, compares, deletes."""

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
"""Files moved in parallel: mostly they wait for the network."""
PIECE = 1024 * 1024


@dataclass
class RelocationReport:
    """The outcome of a move: `count` files of `size` bytes, `existing` of which were already there.

    `differing` are the names of files that stay where they are, since the two storages differ.
    """

    count: int = 0
    size: int = 0
    existing: int = 0
    differing: list[str] = field(default_factory=list)


Report = Callable[[RelocationReport], None]


def relocate(
    source: FileStorage, target: FileStorage, progress: Callable[[int, int], None]
) -> RelocationReport:
    """Move all of our files; `progress(done, total)` is called after each.

    After an interruption, call it again to continue. Raises Unavailable, OSError.
    """
    names = sorted(filter(is_stored_name, source.older_than(inf)))
    report, move = (
        RelocationReport(),
        partial(_move_unless_deleted, source, target, incoming_dir()),
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, record in enumerate(pool.map(move, names), 1):
            record(report)
            progress(done, len(names))
    return report


def _move_unless_deleted(
    source: FileStorage, target: FileStorage, folder: Path, name: str
) -> Report:
    """Move one file, unless its record is deleted meanwhile; return what to add to the report."""
    file = source.find(name)
    try:
        return _no_report if file is None else _move(file, source, target, folder, name)
    except (OSError, Unavailable):
        if source.find(name) is None:
            return _no_report
        raise


def _no_report(report: RelocationReport) -> None:
    """Return an empty report."""


def _move(
    file: StoredFile, source: FileStorage, target: FileStorage, folder: Path, name: str
) -> Report:
    existing = target.find(name)
    if existing is None:
        _copy(file, target, folder, name)
    same = _digest(file) == _digest(target.find(name))
    if same:
        source.delete(name)
    elif existing is None:
        target.delete(name)
    return partial(_report, name=name, size=file.size, was_there=existing is not None, same=same)


def _copy(file: StoredFile, target: FileStorage, folder: Path, name: str) -> None:
    copy = folder / f"{name}.part"
    try:
        with file.open() as stream, copy.open("wb") as out:
            shutil.copyfileobj(stream, out, PIECE)
        target.put(name, copy)
    finally:
        copy.unlink(missing_ok=True)


def _digest(blob: StoredFile | None) -> bytes | None:
    if blob is None:
        return None
    with blob.open() as file:
        return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]


def _report(report: RelocationReport, name: str, size: int, was_there: bool, same: bool) -> None:
    if not same:
        report.differing.append(name)
        return
    report.count += 1
    report.size += size
    report.existing += was_there
