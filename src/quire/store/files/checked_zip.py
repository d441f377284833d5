"""Opens ZIP files from untrusted sources: everything is checked before anything is used.

Names in an archive never become paths. What would fill memory or disk is rejected by the sizes and
ratios that the ZIP file declares; zipfile never reads more than it declares.
"""

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import SEEK_END
from typing import IO, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import orjson

MANIFEST = "manifest.json"
SMALL_DIRECTORY = 4 * 1024**2
LARGEST_PART = 4
"""The directory of a larger archive takes less than this fraction of it, unless it is malicious."""
MAX_FILES = 1_000_000
MANIFEST_BYTES = 64 * 1024
MANIFEST_BYTES_FOR_A_FILE = 1000
"""The manifest has about 200 bytes per file."""
MAX_TIMES_SMALLER = 200
"""Ordinary files hardly ever compress better than this; zip bombs do."""
SMALL = 1024**2
PIECE = 1024**2
BROKEN = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What zipfile raises for damaged members."""
_ENCRYPTED = 0x1


class ArchiveRefused(Exception):
    """An archive cannot be used; the text continues a sentence that begins with the name of the file."""


@dataclass(frozen=True)
class ArchiveFormat:
    """What an archive of one kind may contain.

    `name` with its article, such as "a Quire backup", and `format`, its name in the manifest; the newest `version`;
    the `members`; which of them may be `dense`, that is, compressed to less than a 200th.
    """

    name: str
    format: str
    version: int
    members: re.Pattern[str]
    dense: Callable[[str], bool]


class _DirectoryGuard:
    """A file from which zipfile reads the directory in one piece, unless that is too large."""

    def __init__(self, raw: IO[bytes], limit: int | None):
        self.raw, self.limit = raw, limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    def read(self, size: int = -1) -> bytes:
        """Read from the file. Raises ArchiveRefused."""
        if self.limit is not None and size > self.limit:
            raise ArchiveRefused(f"has a table of contents of {size:,} bytes, which is too large")
        return self.raw.read(size)


def open_zip(raw: IO[bytes], limit: int | None = None) -> ZipFile:
    """Open a ZIP file.

    Raises ArchiveRefused if its directory, which takes zipfile ten times its size in memory, has more than `limit`
    bytes, or by default more than an archive of that size needs.
    """
    if limit is None:
        limit = max(SMALL_DIRECTORY, raw.seek(0, SEEK_END) // LARGEST_PART)
    guard = _DirectoryGuard(raw, limit)
    zip = ZipFile(cast(IO[bytes], guard))
    guard.limit = None
    return zip


def check_members(zip: ZipFile, kind: ArchiveFormat) -> dict[str, ZipInfo]:
    """Return the members by name. Raises ArchiveRefused if one does not belong in such an archive."""
    members: dict[str, ZipInfo] = {}
    if len(zip.infolist()) > MAX_FILES:
        raise ArchiveRefused(f"contains more than {MAX_FILES:,} files")
    for info in zip.infolist():
        _check_member(info, kind)
        if info.filename in members:
            raise ArchiveRefused(f"contains {info.filename} twice")
        members[info.filename] = info
    return members


def _check_member(info: ZipInfo, kind: ArchiveFormat) -> None:
    name = info.filename[:100]
    if not kind.members.fullmatch(info.orig_filename):
        raise ArchiveRefused(f"contains {name!r}, which is not part of {kind.name}")
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveRefused(
            f"contains the encrypted file {name}; create the ZIP file without a password"
        )
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ArchiveRefused(f"contains {name} with an unsupported compression method")
    if is_dense(info) and not kind.dense(name):
        raise zip_bomb(name, info.file_size)


def is_dense(info: ZipInfo) -> bool:
    """Whether it is compressed as tightly as the members of zip bombs."""
    return info.file_size > max(SMALL, info.compress_size * MAX_TIMES_SMALLER)


def zip_bomb(name: str, size: int) -> ArchiveRefused:
    """Return the error for a member that is too large."""
    return ArchiveRefused(
        f"contains {name}, which decompresses to {size:,} bytes, too large for its compressed size"
    )


def read_manifest(
    zip: ZipFile, members: Mapping[str, ZipInfo], kind: ArchiveFormat
) -> dict[str, Any]:
    """Return the manifest, of this kind and of a supported version. Raises ArchiveRefused."""
    if MANIFEST not in members:
        raise ArchiveRefused(f"is not {kind.name}: it has no {MANIFEST}")
    if members[MANIFEST].file_size > MANIFEST_BYTES + MANIFEST_BYTES_FOR_A_FILE * len(members):
        raise ArchiveRefused(f"has a {MANIFEST} that is too large")
    try:
        manifest = orjson.loads(zip.read(MANIFEST))
    except (*BROKEN, orjson.JSONDecodeError):
        raise unreadable_manifest() from None
    if not isinstance(manifest, dict) or manifest.get("format") != kind.format:
        raise ArchiveRefused(f"is not {kind.name}")
    version = manifest.get("format_version")
    if type(version) is not int or version > kind.version:
        raise ArchiveRefused(
            f"was made by a newer version of Quire (format {version}; this version reads {kind.version})"
        )
    return manifest


def unreadable_manifest() -> ArchiveRefused:
    """Return the error for an invalid manifest."""
    return ArchiveRefused(f"has a {MANIFEST} that cannot be read")


def compare_names(names: Sequence[str], members: Mapping[str, ZipInfo]) -> None:
    """Raise ArchiveRefused unless `names`, from the manifest, are those of the other members."""
    present = members.keys() - {MANIFEST}
    if len(set(names)) != len(names) or set(names) != present:
        odd = sorted(set(names) ^ present) or names
        raise ArchiveRefused(f"does not match its manifest ({odd[0][:100]})")


def digest(zip: ZipFile, name: str, look: Callable[[bytes], object] = len) -> str:
    """Return the SHA-256 of a member in hexadecimal; `look` is called with each piece. Raises ArchiveRefused."""
    hash = sha256()
    try:
        with zip.open(name) as file:
            for piece in pieces(file):
                hash.update(piece)
                look(piece)
    except BROKEN as error:
        raise ArchiveRefused(f"contains the damaged file {name} ({error})") from None
    return hash.hexdigest()


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file, 1 MB at a time."""
    return iter(lambda: file.read(PIECE), b"")


def changed_error(name: str) -> ArchiveRefused:
    """Return the error for a member whose hash differs from the manifest."""
    return ArchiveRefused(
        f"contains {name}, which has been changed or damaged: its hash does not match"
    )
