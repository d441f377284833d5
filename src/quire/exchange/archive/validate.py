"""Opens archives from untrusted sources: everything is checked before anything is used.

Names in an archive never become paths. Zip bombs of every kind, which would fill memory or disk,
are rejected by the sizes and ratios that the zip declares; zipfile never reads more than it
declares.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import orjson

from quire.exchange.archive.format import FORMAT, FORMAT_VERSION, MANIFEST
from quire.exchange.model import Progress, Unusable

MOST_FILES = 1_000_000
MOST_BYTES = 1024**4
MANIFEST_BYTES = 64 * 1024
MANIFEST_BYTES_FOR_A_FILE = 1000
"""The manifest has some 200 bytes for each file."""
MOST_OF_LINE = 4 * 1024**2
"""Parsed JSON takes up to some twenty times as much memory."""
MOST_TIMES_SMALLER = 200
"""Ordinary files hardly ever compress better than this; zip bombs do."""
MOST_OF_DENSE_RECORDS = 20 * 1024**3
"""Bytes of records, all in all, that are packed as tightly: texts that repeat a word are. They are read line by line."""
SMALL = 1024**2
_PIECE = 1024**2
_NAME = re.compile(
    r"manifest\.json|(records|revisions|drafts)/[a-z_]{1,50}\.ndjson|files/[A-Za-z0-9._-]{1,100}",
    re.ASCII,
)
_ENCRYPTED = 0x1
_BROKEN = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)

Line = tuple[int, dict[str, Any] | str]
"""Line number, and the object in the line or a message that says what is wrong with it."""


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
        """How many lines a file has."""
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
            while line := file.readline(MOST_OF_LINE + 1):
                number += 1
                yield number, _object(line) if len(line) <= MOST_OF_LINE else "is longer than 4 MB"
                while len(line) > MOST_OF_LINE and not line.endswith(b"\n"):
                    line = file.readline(MOST_OF_LINE + 1)


def _object(line: bytes) -> dict[str, Any] | str:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"is not valid JSON ({error.msg})"
    return value if isinstance(value, dict) else "is not a JSON object"


@contextmanager
def open_archive(file: Path, progress: Progress | None = None) -> Iterator[ValidatedArchive]:
    """Check the archive in `file` from end to end and open it. Raises Unusable with the reason."""
    try:
        with file.open("rb") as raw, ZipFile(raw) as zip:
            members = _members(zip)
            manifest = _manifest(zip, members)
            _compare(zip, members, manifest, progress)
            yield ValidatedArchive(zip, manifest)
    except BadZipFile as error:
        raise Unusable(f"is not a valid ZIP file ({error})") from None


def _members(zip: ZipFile) -> dict[str, ZipInfo]:
    members: dict[str, ZipInfo] = {}
    if len(zip.infolist()) > MOST_FILES:
        raise Unusable(f"contains more than {MOST_FILES:,} files")
    for info in zip.infolist():
        _check_member(info)
        if info.filename in members:
            raise Unusable(f"contains {info.filename} twice")
        members[info.filename] = info
    if sum(info.file_size for info in members.values()) > MOST_BYTES:
        raise Unusable(f"decompresses to more than {MOST_BYTES // 1024**3} GB")
    dense = [info for info in members.values() if _is_dense(info)]
    if sum(info.file_size for info in dense) > MOST_OF_DENSE_RECORDS:
        raise _zip_bomb(dense[0].filename, dense[0].file_size)
    return members


def _check_member(info: ZipInfo) -> None:
    name = info.filename[:100]
    if not _NAME.fullmatch(info.orig_filename):
        raise Unusable(f"contains {name!r}, which is not part of a Quire export")
    if info.flag_bits & _ENCRYPTED:
        raise Unusable(
            f"contains the encrypted file {name}; create the ZIP file without a password"
        )
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Unusable(f"contains {name} with an unsupported compression method")
    if _is_dense(info) and not _has_lines(name):
        raise _zip_bomb(name, info.file_size)


def _is_dense(info: ZipInfo) -> bool:
    return info.file_size > max(SMALL, info.compress_size * MOST_TIMES_SMALLER)


def _has_lines(name: str) -> bool:
    return name.endswith(".ndjson")


def _zip_bomb(name: str, size: int) -> Unusable:
    return Unusable(
        f"contains {name}, which decompresses to {size:,} bytes, too large for its compressed size"
    )


def _manifest(zip: ZipFile, members: dict[str, ZipInfo]) -> dict[str, Any]:
    if MANIFEST not in members:
        raise Unusable(f"is not a Quire export: it has no {MANIFEST}")
    if members[MANIFEST].file_size > MANIFEST_BYTES + MANIFEST_BYTES_FOR_A_FILE * len(members):
        raise Unusable(f"has a {MANIFEST} that is too large")
    try:
        manifest = orjson.loads(zip.read(MANIFEST))
    except (*_BROKEN, orjson.JSONDecodeError):
        raise Unusable(f"has a {MANIFEST} that cannot be read") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Unusable("is not a Quire export")
    version = manifest.get("format_version")
    if type(version) is not int or version > FORMAT_VERSION:
        raise Unusable(
            f"was made by a newer version of Quire (format {version}; this version reads {FORMAT_VERSION})"
        )
    if not _is_whole(manifest):
        raise Unusable(f"has a {MANIFEST} that cannot be read")
    return manifest


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
    """Every file is in the manifest once, and is what it says."""
    names = [one["name"] for one in manifest["files"]]
    present = members.keys() - {MANIFEST}
    if len(set(names)) != len(names) or set(names) != present:
        odd = sorted(set(names) ^ present) or names
        raise Unusable(f"does not match its manifest ({odd[0][:100]})")
    total = sum(members[name].file_size for name in names)
    done = 0
    for one in manifest["files"]:
        if _digest(zip, one["name"]) != one["sha256"]:
            raise Unusable(
                f"contains {one['name']}, which has been changed or damaged: its hash does not match"
            )
        done += members[one["name"]].file_size
        if progress is not None:
            progress(done, total)


def _digest(zip: ZipFile, name: str) -> str:
    digest = sha256()
    try:
        with zip.open(name) as file:
            length = 0
            while piece := file.read(_PIECE):
                digest.update(piece)
                _, end, rest = piece.rpartition(b"\n")
                length = len(rest) if end else length + len(rest)
                if length > MOST_OF_LINE and _has_lines(name):
                    raise _zip_bomb(name, zip.getinfo(name).file_size)
    except _BROKEN as error:
        raise Unusable(f"contains the damaged file {name} ({error})") from None
    return digest.hexdigest()
