"""Determines from the folders of a static site which pages are hidden, or are parts of other pages."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from quire.exchange.markdown import front_matter, visibility
from quire.exchange.markdown.front_matter import Head, is_truthy, text_of, with_lower_case_keys
from quire.exchange.markdown.paths import SourceFile
from quire.exchange.markdown.site_config import SiteConfig, glob_chooses, read_config, read_text
from quire.exchange.markdown.source_text import decode
from quire.exchange.model import Unusable

_PRIVATE_FOLDERS = frozenset(("_drafts", "drafts", "private", "_private", "unpublished"))
_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdwn", ".mdx")
_HTML = (".html", ".htm")
_INDEX = re.compile(r"^(_?)index(\.[a-z]{2,3}(-[a-z]{2,4})?)?$", re.IGNORECASE)
_SCRIPTS = (".11tydata.js", ".11tydata.cjs", ".11tydata.mjs", ".11tydata.ts")
_TELLING = re.compile(
    r"permalink|eleventyExcludeFromCollections|eleventyComputed|draft|publish|private|hidden|password|"
    r"require\s*\(|\bimport\b|process\.env|\.\.\.",
    re.IGNORECASE,
)
_CLOSED = ("draft", "private", "password", "published")
"""Settings of a section that apply to all its pages; other settings apply to its own page only."""


@dataclass(slots=True)
class _Folder:
    """One folder: why its pages are hidden, their default values, and the folder's own page, if any."""

    reason: str = ""
    cascade: list[Any] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    page: Head | None = None


class SiteFolders:
    """The folders of the files in `folder`, each read once."""

    def __init__(self, folder: Path, has_sections: bool = False):
        """`has_sections`: whether there is an `_index.md`, which means that the site uses Hugo or Zola."""
        self._folder = folder.resolve()
        self._has_sections = has_sections
        self._known: dict[Path, _Folder] = {}

    @cached_property
    def _config(self) -> SiteConfig:
        return read_config(self._folder)

    def head_of(self, place: SourceFile, head: Head) -> Head:
        """`head` with the defaults of its folders for settings that affect visibility."""
        parts = self._parts(place)
        values: dict[str, Any] = _cascade_values(self._config.cascade, parts)
        values |= self._config.values_for(parts)
        for above in self._folders_above(place):
            values |= above.values
            for one in above.cascade:
                values |= _cascade_values(one, parts)
        values |= _file_data(self._folder / place.path)
        own = {name for name, value in head.items() if value is not None}
        inherited = {n: v for n, v in values.items() if n in visibility.NAMES and n not in own}
        return {**head, **inherited} if inherited else head

    def reason_hidden(self, place: SourceFile) -> str:
        """Why the page is hidden regardless of its own settings; empty if it is not."""
        return next(filter(None, self._reasons(place)), "")

    def _reasons(self, place: SourceFile) -> Iterator[str]:
        parts = self._parts(place)
        yield self._config.reason_hidden(parts)
        below = place.parts or ((self._folder.name,) if self._folder.name == "_drafts" else ())
        for part in (*(p for p in parts[:-1] if p == "_drafts"), *below):
            if part.lower() in _PRIVATE_FOLDERS:
                yield f"is in {part}"
            elif part[0] == "_" and part != "_posts" and self._config.generator != "jekyll":
                yield f"is in {part}, which site generators ignore"
        if parts[-1].startswith("_"):
            yield "its name starts with an underscore, which site generators ignore"
        yield from (above.reason for above in self._folders_above(place))
        yield from self._bundle_reasons(place)
        yield _file_script_reason(self._folder / place.path)

    def _bundle_reasons(self, place: SourceFile) -> Iterator[str]:
        """In a leaf bundle of Hugo, all files but `index.md` are parts of that page."""
        is_index = bool(_INDEX.match(Path(place.path).stem))
        folders = list(self._paths_above(place))
        for path in folders[:-1] if is_index else folders:
            page = self._folder_at(path).page
            if page is not None and self._is_bundle(path, page):
                yield f"is part of the page in the folder {path.name}, not a page itself"

    def _is_bundle(self, path: Path, page: Head) -> bool:
        if self._config.generator in ("jekyll", "other"):
            return False
        if "date" in page or is_truthy(page.get("headless")):
            return True
        is_hugo = self._has_sections or self._config.generator == "hugo"
        return is_hugo and path not in (self._folder, self._config.root)

    def _parts(self, place: SourceFile) -> tuple[str, ...]:
        """The file and the folders above it, from the top of the site."""
        return (self._folder / place.path).relative_to(self._config.root).parts

    def _paths_above(self, place: SourceFile) -> Iterator[Path]:
        path = self._config.root
        yield path
        for part in self._parts(place)[:-1]:
            path /= part
            yield path

    def _folders_above(self, place: SourceFile) -> Iterator[_Folder]:
        return (self._folder_at(path) for path in self._paths_above(place))

    def _folder_at(self, path: Path) -> _Folder:
        if path not in self._known:
            self._known[path] = _read_folder(path)
        return self._known[path]


def _cascade_values(cascade: Any, parts: tuple[str, ...]) -> dict[str, Any]:
    """The values of Hugo's `cascade` for the page at `parts`."""
    values: dict[str, Any] = {}
    for one in cascade if isinstance(cascade, list) else [cascade]:
        if isinstance(one, Mapping):
            block = with_lower_case_keys(dict(one))
            if _targets(block.get("target") or block.get("_target"), parts):
                values |= block
    return values


def _targets(target: Any, parts: tuple[str, ...]) -> bool:
    """Whether a target matches this page; if in doubt, it does."""
    if isinstance(target, list):
        return any(_targets(one, parts) for one in target)
    if not isinstance(target, Mapping):
        return True
    texts = {name: text_of(value) for name, value in with_lower_case_keys(dict(target)).items()}
    kind, environment = texts.get("kind", "page"), texts.get("environment", "production")
    path = texts.get("path", "")
    return (
        ("page" in kind or "*" in kind)
        and ("production" in environment or "*" in environment)
        and (not path or glob_chooses(path, parts))
    )


def _read_folder(path: Path) -> _Folder:
    """Read the settings in the folder itself."""
    folder = _Folder()
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError:
        return folder
    for name in names:
        stem, _, suffix = name.rpartition(".")
        index, ending = _INDEX.match(stem), f".{suffix.lower()}"
        is_section = bool(index and index[1])
        if index and (ending in _MARKDOWN or (is_section and ending in _HTML)):
            _add_index(folder, SourceFile(path, name), is_section)
    folder.values = _data_of(path / path.name)
    folder.reason = folder.reason or _script_reason(path / path.name)
    return folder


def _add_index(folder: _Folder, place: SourceFile, is_section: bool) -> None:
    try:
        head, _ = front_matter.split(decode(place.read())[0])
    except Unusable:
        if is_section:
            folder.reason = f"its folder's {place.path} cannot be read"
        return
    if not is_section:
        folder.page = head if folder.page is None else {**head, **folder.page}
        return
    reason = visibility.reason_hidden({name: head[name] for name in _CLOSED if name in head})
    if reason:
        folder.reason = f"its folder has {reason} ({place.path})"
    if head.get("cascade") is not None:
        folder.cascade.append(head["cascade"])


def _file_data(file: Path) -> dict[str, Any]:
    return _data_of(file.with_suffix(""))


def _data_of(path: Path) -> dict[str, Any]:
    """Eleventy's data files of a folder or file: `NAME.json` and `NAME.11tydata.json`."""
    values: dict[str, Any] = {}
    for ending in (".json", ".11tydata.json"):
        text = read_text(path.with_name(path.name + ending))
        try:
            data = json.loads(text) if text else None
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            values |= visibility.with_computed(with_lower_case_keys(data))
    return values


def _file_script_reason(file: Path) -> str:
    return _script_reason(file.with_suffix(""))


def _script_reason(path: Path) -> str:
    """The reason if a script may hide the page; scripts are searched as text, never run."""
    for ending in _SCRIPTS:
        script = path.with_name(path.name + ending)
        if _TELLING.search(read_text(script)):
            return f"{script.name} is a script that may hide this page; it was not run"
    return ""
