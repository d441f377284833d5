"""What the place of a file says: which files count, their date and their slug."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from quire.exchange.items import Unusable
from quire.exchange.names import slug_from

LARGEST_FILE = 5 * 1024 * 1024
_SUFFIXES = frozenset((".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdwn"))
_NOT_CONTENT = frozenset(("_site", "_includes", "_layouts", "_sass", "_data", "node_modules"))
_BUNDLE = re.compile(r"^index(\.[a-z]{2,3}(-[a-z]{2,4})?)?$", re.IGNORECASE)
_SECTION = re.compile(r"^_index(\.[a-z]{2,3}(-[a-z]{2,4})?)?$", re.IGNORECASE)
_DATED = re.compile(r"^(\d{4}-\d{1,2}-\d{1,2})(?:T[\d:.Z+-]+?)?(?:[-_ ]+(?=\S)|$)", re.IGNORECASE)
_FOLDER_DATE = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?=/|$)")
_PATTERN_NAMES = frozenset(("pretty", "date", "none", "ordinal", "weekdate"))
_LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A Markdown file: its folder, and its path below it with slashes on every system."""

    folder: Path
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders above the file."""
        return PurePosixPath(self.path).parts[:-1]

    @property
    def name(self) -> str:
        """The file's name without its suffix; a page bundle has its folder's name."""
        stem = PurePosixPath(self.path).stem
        if not _BUNDLE.match(stem):
            return stem
        above = self.parts[-1] if self.parts else self.folder.resolve().name
        return above + stem[len("index") :]

    @property
    def shown(self) -> str:
        """The path as text; what the system could not decode in it is replaced."""
        return self.path.encode("utf-8", "replace").decode("utf-8")

    @property
    def is_section(self) -> bool:
        """Whether the file describes its folder instead of being an item."""
        return bool(_SECTION.match(PurePosixPath(self.path).stem))

    def read(self) -> bytes:
        """The file's bytes; raises Unusable for links, large files and what cannot be read."""
        file = self.folder / self.path
        try:
            if file.is_symlink():
                raise Unusable("is a link")
            if not file.resolve().is_relative_to(self.folder.resolve()):
                raise Unusable("lies outside the folder")  # behind a junction of Windows
            if file.stat().st_size > LARGEST_FILE:
                raise Unusable(f"is larger than {LARGEST_FILE // 2**20} MB")
            return file.read_bytes()
        except OSError as error:
            raise Unusable(f"cannot be read ({error.strerror})") from None


def find(folder: Path) -> list[Place]:
    """Every Markdown file below `folder` in the order of its path; links are never followed."""
    return sorted(_walk(folder), key=lambda place: place.path)


def _walk(folder: Path) -> Iterator[Place]:
    for above, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if _is_content(name)]
        for name in files:
            if Path(name).suffix.lower() in _SUFFIXES and not name.startswith("."):
                yield Place(folder, (Path(above) / name).relative_to(folder).as_posix())


def _is_content(name: str) -> bool:
    return not name.startswith(".") and name not in _NOT_CONTENT


def slug_in(place: Place, slug: str, paths: list[str]) -> str:
    """`slug`, else the last part of the first usable path, else the name without its date."""
    wanted = [slug, *(_last_part(path) for path in paths)]
    wanted += [_DATED.sub("", place.name), place.name]
    return next((found for each in wanted if (found := slug_from(each))), "")


def _last_part(path: str) -> str:
    """Patterns such as `/:year/:title/` name no slug."""
    parts = [part for part in path_of(path).split("/") if part and not _BUNDLE.match(_stem(part))]
    if not parts or ":" in parts[-1] or path.lower() in _PATTERN_NAMES:
        return ""
    return _stem(parts[-1])


def _stem(part: str) -> str:
    return re.sub(r"\.(html?|php|aspx?|md)$", "", part, flags=re.IGNORECASE)


def date_in(place: Place, paths: list[str]) -> datetime | None:
    """The YYYY/MM/DD in a path or the folders, else the date that the name begins with."""
    folders = "/".join([*place.parts, place.name])
    for text in (*paths, folders):
        if (found := _FOLDER_DATE.search(text)) and (day := _day(*found.groups())):
            return day
    dated = _DATED.match(place.name)
    return _day(*dated[1].split("-")) if dated else None


def _day(year: str, month: str, day: str) -> datetime | None:
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return None


def path_of(address: str) -> str:
    """The path of `address` (a path, with or without its first slash, or a whole address)."""
    text = address.strip()
    try:
        # `//blog/x` is a path with a slash too many, not a host called blog
        path = (
            re.split("[?#]", text, maxsplit=1)[0] if text.startswith("/") else urlsplit(text).path
        )
    except ValueError:
        return ""
    return re.sub(r"/{2,}", "/", "/" + unquote(path))


def old_path(address: str) -> str | None:
    """`address` as a path that a redirect can have, or None."""
    path = path_of(address)
    unfit = path == "/" or ":" in path or len(path) > _LONGEST_PATH or re.search(r"[\s?#]", path)
    return None if unfit else path
