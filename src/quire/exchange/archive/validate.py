"""Opens archives from untrusted sources: everything is checked before anything is used.

store/files/checked_zip.py checks the ZIP file; this module checks that it is an export.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import orjson

from quire.exchange.archive.format import FORMAT, FORMAT_VERSION
from quire.exchange.model import Progress, Unusable
from quire.store.files.checked_zip import (
    ArchiveFormat,
    ArchiveRefused,
    changed_error,
    check_members,
    compare_names,
    digest,
    is_dense,
    open_zip,
    read_manifest,
    unreadable_manifest,
    zip_bomb,
)

MAX_BYTES = 1024**4
MAX_OF_LINE = 4 * 1024**2
MAX_VALUES = 500_000
"""The most commas and brackets in a line: each may be a value, which takes up to 70 bytes of memory."""
MAX_OF_DENSE_RECORDS = 20 * 1024**3
"""The most bytes of records in total that are compressed like zip bombs, as repetitive texts are; read by line."""


def _has_lines(name: str) -> bool:
    return name.endswith(".ndjson")


EXPORT = ArchiveFormat(
    name="a Quire export",
    format=FORMAT,
    version=FORMAT_VERSION,
    members=re.compile(
        r"manifest\.json|(records|revisions|drafts)/[a-z_]{1,50}\.ndjson|files/[A-Za-z0-9._-]{1,100}",
        re.ASCII,
    ),
    dense=_has_lines,
)

Line = tuple[int, dict[str, Any] | str]
"""The line number, and the object in the line or a message that says what is wrong with it."""


class ValidatedArchive:
    """An archive whose files all match its manifest."""

    def __init__(self, zip: ZipFile, manifest: dict[str, Any]):
        self._zip = zip
        self.manifest = manifest
        self.place = str(manifest["place"])
        self._files = {one["name"]: one for one in manifest["files"]}

    def __contains__(self, name: str) -> bool:
        """Whether the archive has this file."""
        return name in self._files

    def count(self, name: str) -> int:
        """The number of lines in a file."""
        return int(self._files.get(name, {}).get("count", 0))

    def types(self) -> set[str]:
        """The record types in it."""
        return {str(one["type"]) for one in self._files.values() if "type" in one}

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        return self._zip.open(name)

    def lines(self, name: str) -> Iterator[Line]:
        """The lines of a file; none if it does not exist."""
        if name not in self:
            return
        with self.open(name) as file:
            number = 0
            while line := file.readline(MAX_OF_LINE + 1):
                number += 1
                yield number, _object(line) if len(line) <= MAX_OF_LINE else "is longer than 4 MB"
                while len(line) > MAX_OF_LINE and not line.endswith(b"\n"):
                    line = file.readline(MAX_OF_LINE + 1)


def _object(line: bytes) -> dict[str, Any] | str:
    if sum(map(line.count, (b",", b"[", b"{"))) > MAX_VALUES:
        return "has too many values"
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"is not valid JSON ({error.msg})"
    return value if isinstance(value, dict) else "is not a JSON object"


@contextmanager
def open_archive(file: Path, progress: Progress | None = None) -> Iterator[ValidatedArchive]:
    """Check the archive in `file` from end to end and open it. Raises Unusable with the reason."""
    try:
        with file.open("rb") as raw, open_zip(raw) as zip:
            members = _members(zip)
            manifest = read_manifest(zip, members, EXPORT)
            if not _is_whole(manifest):
                raise unreadable_manifest()
            _compare(zip, members, manifest, progress)
            yield ValidatedArchive(zip, manifest)
    except ArchiveRefused as error:
        raise Unusable(str(error)) from None
    except BadZipFile as error:
        raise Unusable(f"is not a valid ZIP file ({error})") from None


def _members(zip: ZipFile) -> dict[str, ZipInfo]:
    members = check_members(zip, EXPORT)
    if sum(info.file_size for info in members.values()) > MAX_BYTES:
        raise Unusable(f"decompresses to more than {MAX_BYTES // 1024**3} GB")
    dense = [info for info in members.values() if is_dense(info)]
    if sum(info.file_size for info in dense) > MAX_OF_DENSE_RECORDS:
        raise zip_bomb(dense[0].filename, dense[0].file_size)
    return members


def _is_whole(manifest: dict[str, Any]) -> bool:
    files = manifest.get("files")
    return (
        isinstance(manifest.get("place"), str)
        and isinstance(files, list)
        and all(
            isinstance(one, dict)
            and isinstance(one.get("name"), str)
            and isinstance(one.get("sha256"), str)
            and type(one.get("count", 0)) is int
            for one in files
        )
    )


def _compare(
    zip: ZipFile,
    members: dict[str, ZipInfo],
    manifest: dict[str, Any],
    progress: Progress | None,
) -> None:
    """Check that the manifest lists every file once, with its digest."""
    names = [one["name"] for one in manifest["files"]]
    compare_names(names, members)
    total = sum(members[name].file_size for name in names)
    done = 0
    for one in manifest["files"]:
        look = _LineLength(members[one["name"]]).add if _has_lines(one["name"]) else len
        if digest(zip, one["name"], look) != one["sha256"]:
            raise changed_error(one["name"])
        done += members[one["name"]].file_size
        if progress is not None:
            progress(done, total)


class _LineLength:
    """Tracks the length of the current line across pieces of a file. Raises ArchiveRefused if it is too long."""

    def __init__(self, info: ZipInfo):
        self._info, self._length = info, 0

    def add(self, piece: bytes) -> None:
        _, end, rest = piece.rpartition(b"\n")
        self._length = len(rest) if end else self._length + len(rest)
        if self._length > MAX_OF_LINE:
            raise zip_bomb(self._info.filename, self._info.file_size)
