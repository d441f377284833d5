"""Reads paths of files: which files are pages, and the date and slug in a path."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from quire.exchange.markdown.formats import READ, suffix_of
from quire.exchange.model import Unusable
from quire.exchange.names import slug_from

LARGEST_FILE = 5 * 1024 * 1024
_NOT_CONTENT = frozenset(("_site", "_includes", "_layouts", "_sass", "_data", "node_modules"))
_BUNDLE = re.compile(r"^index(\.[a-z]{2,3}(-[a-z]{2,4})?)?$", re.IGNORECASE)
_SECTION = re.compile(r"^_index(\.[a-z]{2,3}(-[a-z]{2,4})?)?$", re.IGNORECASE)
_DATED = re.compile(r"^(\d{4}-\d{1,2}-\d{1,2})(?:T[\d:.Z+-]+?)?(?:[-_ ]+(?=\S)|$)", re.IGNORECASE)
_FOLDER_DATE = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?=/|$)")
_PATTERN_NAMES = frozenset(("pretty", "date", "none", "ordinal", "weekdate"))
_NO_PATHS = frozenset(("false", "true", "yes", "no", "on", "off", "none", "null", "~"))
_LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a site: its folder, and its path below it with slashes on every system."""

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
    def section(self) -> str:
        """The path of the section that Hugo puts the page in."""
        is_bundle = _BUNDLE.match(PurePosixPath(self.path).stem)
        parts = self.parts[:-1] if is_bundle else self.parts
        below = parts[parts.index("content") + 1 :] if "content" in parts else parts
        return "/" + "/".join(below)

    @property
    def display_path(self) -> str:
        """The path as text; undecodable characters are replaced."""
        return self.path.encode("utf-8", "replace").decode("utf-8")

    @property
    def is_section(self) -> bool:
        """Whether the file describes its folder and is not a page."""
        return bool(_SECTION.match(PurePosixPath(self.path).stem))

    def read(self) -> bytes:
        """The file's bytes; raises Unusable for links, large files and unreadable files."""
        file = self.folder / self.path
        try:
            if file.is_symlink():
                raise Unusable("is a link")
            if not file.resolve().is_relative_to(self.folder.resolve()):
                raise Unusable("is outside the folder")  # through a Windows junction
            if file.stat().st_size > LARGEST_FILE:
                raise Unusable(f"is larger than {LARGEST_FILE // 2**20} MB")
            return file.read_bytes()
        except OSError as error:
            raise Unusable(f"cannot be read ({error.strerror})") from None


def find_files(folder: Path) -> tuple[list[SourceFile], list[SourceFile]]:
    """The files below `folder` that may be pages, and all others, each in the order of their paths.

    Links are never followed.
    """
    pages: list[SourceFile] = []
    others: list[SourceFile] = []
    for place in sorted(_walk(folder), key=lambda place: place.path):
        (pages if suffix_of(place.path) in READ else others).append(place)
    return pages, others


def _walk(folder: Path) -> Iterator[SourceFile]:
    for above, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if _is_content(name)]
        for name in files:
            if not name.startswith("."):
                yield SourceFile(folder, (Path(above) / name).relative_to(folder).as_posix())


def _is_content(name: str) -> bool:
    return not name.startswith(".") and name not in _NOT_CONTENT


def is_path(text: str) -> bool:
    """Whether a front matter value is a path, and not yes or no, a pattern, or another site's address."""
    return not (re.search(r"[{}<>]|://", text) or text.lower() in _NO_PATHS)


def slug_in(place: SourceFile, slug: str, paths: list[str]) -> str:
    """`slug`, otherwise the last part of the first usable path, otherwise the name without its date."""
    candidates = [slug if is_path(slug) else "", *(_last_part(path) for path in paths)]
    candidates += [_DATED.sub("", place.name), place.name]
    return next((slug_here for each in candidates if (slug_here := slug_from(each))), "")


def _last_part(path: str) -> str:
    """The last part of a path; empty for patterns such as `/:year/:title/`, which contain no slug."""
    parts = [part for part in path_of(path).split("/") if part and not _BUNDLE.match(_stem(part))]
    if not parts or ":" in parts[-1] or path.lower() in _PATTERN_NAMES:
        return ""
    return _stem(parts[-1])


def _stem(part: str) -> str:
    return re.sub(r"\.(html?|php|aspx?|md)$", "", part, flags=re.IGNORECASE)


def date_in(place: SourceFile, paths: list[str]) -> datetime | None:
    """The YYYY/MM/DD in a path or the folders, otherwise the date that the name begins with."""
    folders = "/".join([*place.parts, place.name])
    for text in (*paths, folders):
        if (match := _FOLDER_DATE.search(text)) and (day := _day(*match.groups())):
            return day
    dated = _DATED.match(place.name)
    return _day(*dated[1].split("-")) if dated else None


def _day(year: str, month: str, day: str) -> datetime | None:
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return None


def path_of(address: str, above: str = "/") -> str:
    """The path of `address`: an absolute path, a full URL, or a path relative to `above`."""
    text = address.strip()
    try:
        # `//blog/x` is a path with one slash too many, not a host called blog
        is_whole = "://" in text and not text.startswith("/")
        path = urlsplit(text).path if is_whole else re.split("[?#]", text, maxsplit=1)[0]
    except ValueError:
        return ""
    if not (is_whole or path.startswith("/")):
        path = f"{above}/{path}"
    return _without_dots(re.sub(r"/{2,}", "/", "/" + unquote(path)))


def _without_dots(path: str) -> str:
    """`path` with `..` resolved, never above the root."""
    parts: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


def old_path(address: str, above: str = "/") -> str | None:
    """`address` as a path that a redirect can have, or None; relative addresses start at `above`."""
    path = path_of(address, above)
    unfit = path == "/" or ":" in path or len(path) > _LONGEST_PATH or re.search(r"[\s?#]", path)
    return path if not unfit and is_path(address.rpartition("://")[2].strip()) else None
