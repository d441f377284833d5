"""Reads from the configuration of a static site which of its pages are public."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from quire.exchange.markdown.front_matter import (
    is_truthy,
    parse_toml,
    parse_yaml,
    text_of,
    with_lower_case_keys,
)
from quire.exchange.model import Unusable

LARGEST_CONFIG = 256 * 1024
_JEKYLL = ("_config.yml", "_config.yaml", "_config.toml")
_HUGO = tuple(f"hugo.{kind}" for kind in ("toml", "yaml", "yml", "json"))
_HUGO_OR_ZOLA = tuple(f"config.{kind}" for kind in ("toml", "yaml", "yml", "json"))
_FOLDERS = ("", "config/_default/")
_OTHERS = (
    ".eleventy.js", "eleventy.config.js", "eleventy.config.cjs", "eleventy.config.mjs",
    "eleventy.config.ts", "astro.config.mjs", "astro.config.ts", "astro.config.js", "mkdocs.yml",
    "docusaurus.config.js", "docusaurus.config.ts",
)  # fmt: skip
_BASE = ("baseurl", "base_url")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConfigScope:
    """Default values of the pages that match `path` and `type`."""

    values: Values
    path: str = ""
    type: str = ""

    def chooses(self, parts: tuple[str, ...]) -> bool:
        """Whether the page at `parts` (folders and file) matches."""
        kind = {"_posts": "posts", "_drafts": "drafts"}
        types = {kind.get(part, part.removeprefix("_")) for part in parts if part[0] == "_"}
        path = self.path.strip("/")
        right_type = not self.type or self.type in (types or {"pages"})
        return right_type and (not path or matches(parts, path) or _is_below(parts, path))


@dataclass(slots=True)
class SiteConfig:
    """The configuration of a site; `generator` is jekyll, hugo or other, or empty if unknown."""

    root: Path
    generator: str = ""
    scopes: list[ConfigScope] = field(default_factory=list)
    cascade: Any = None
    excluded: list[str] = field(default_factory=list)
    collections: dict[str, bool] = field(default_factory=dict)

    def reason_hidden(self, parts: tuple[str, ...]) -> str:
        """The reason why the page at `parts` is not built; empty if it is."""
        if any(matches(parts, pattern) for pattern in self.excluded):
            return "excluded by the configuration of the site"
        for part in parts[:-1] if self.generator == "jekyll" else ():
            if part[0] == "_" and part not in ("_posts", "_drafts") and not self._is_built(part):
                return f"Jekyll does not build pages from {part}"
        return ""

    def _is_built(self, folder: str) -> bool:
        return self.collections.get(folder.removeprefix("_"), False)

    def values_for(self, parts: tuple[str, ...]) -> dict[str, Any]:
        """The default values of the page at `parts`."""
        values: dict[str, Any] = {}
        for scope in sorted(self.scopes, key=lambda one: len(one.path)):
            if scope.chooses(parts):
                values |= scope.values
        return values


def matches(parts: Iterable[str], pattern: str) -> bool:
    """Whether `pattern` (a path or a glob) names the file at `parts`, or a folder above it."""
    pattern = pattern.strip().removeprefix("./").strip("/")
    path = PurePosixPath(*parts)
    paths = [path.as_posix(), *(folder.as_posix() for folder in path.parents if folder.name)]
    names = [path.name, *path.parts] if "/" not in pattern else []
    return bool(pattern) and any(
        fnmatchcase(name, pattern) or fnmatchcase(name, pattern.replace("**/", ""))
        for name in (*paths, *names)
    )


def _is_below(parts: tuple[str, ...], path: str) -> bool:
    return "/".join(parts).startswith(f"{path}/")


def read_config(folder: Path) -> SiteConfig:
    """The configuration of the site that `folder` belongs to, in that folder or just above."""
    for root in (folder, *list(folder.parents)[:2]):
        config = SiteConfig(root)
        for name in _present_files(root, _JEKYLL):
            _read_jekyll(config, _data(root / name))
        for name in _present_files(root, _HUGO, _HUGO_OR_ZOLA):
            _read_hugo(config, _data(root / name), name)
        if not config.generator and any(_present_files(root, _OTHERS)):
            config.generator = "other"
        config.excluded += _ignore_patterns(root / ".eleventyignore")
        if config.generator:
            return config
    return SiteConfig(folder, excluded=_ignore_patterns(folder / ".eleventyignore"))


def _present_files(root: Path, *groups: tuple[str, ...]) -> Iterator[str]:
    folders = _FOLDERS if groups[0] is _HUGO else ("",)
    for name in (above + name for group in groups for above in folders for name in group):
        file = root / name
        if file.is_file() and not file.is_symlink():
            yield name


def _data(file: Path) -> Values:
    """The content of a configuration file; empty if it cannot be read or is not a mapping."""
    text = read_text(file)
    try:
        if file.suffix == ".json":
            return with_lower_case_keys(json.loads(text))
        return with_lower_case_keys(
            parse_toml(text) if file.suffix == ".toml" else parse_yaml(text)
        )
    except (Unusable, ValueError, RecursionError):
        return {}


def read_text(file: Path) -> str:
    """A small text file; empty if it is not one or cannot be read."""
    try:
        if file.is_symlink() or file.stat().st_size > LARGEST_CONFIG:
            return ""
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""


def _ignore_patterns(file: Path) -> list[str]:
    lines = (line.strip() for line in read_text(file).splitlines())
    return [line for line in lines if line and line[0] not in "#!"]


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [text for each in items[:1000] if (text := text_of(each))]


def _read_jekyll(config: SiteConfig, data: Values) -> None:
    config.generator = "jekyll"
    included = _texts(data.get("include"))
    config.excluded += [one for one in _texts(data.get("exclude")) if one not in included]
    collections = data.get("collections")
    if isinstance(collections, dict):
        for name, settings in collections.items():
            is_output = isinstance(settings, dict) and is_truthy(settings.get("output"))
            config.collections[str(name)] = is_output
    defaults = data.get("defaults")
    for one in defaults[:1000] if isinstance(defaults, list) else ():
        if isinstance(one, dict) and isinstance(one.get("values"), dict):
            scope = one["scope"] if isinstance(one.get("scope"), dict) else {}
            path, kind = text_of(scope.get("path")), text_of(scope.get("type"))
            config.scopes.append(ConfigScope(with_lower_case_keys(one["values"]), path, kind))


def _read_hugo(config: SiteConfig, data: Values, name: str) -> None:
    """Read the configuration of Hugo, or of Zola, which has the same file name."""
    if name.endswith(_HUGO) or any(key in data for key in _BASE):
        config.generator = config.generator or "hugo"
        config.cascade = data.get("cascade") or config.cascade
        config.excluded += _texts(data.get("ignored_content"))


def glob_chooses(pattern: str, parts: tuple[str, ...]) -> bool:
    """Whether a target of Hugo's `cascade` matches the page; unsupported patterns always match."""
    if re.search(r"[\[\]{}!]", pattern):
        return True
    folded = pattern.lower().rstrip("/")
    *folders, name = (part.lower() for part in parts)
    whole = [*folders, name.rpartition(".")[0]]
    paths = ("/" + "/".join(whole[start:]) for start in range(len(whole)))
    return any(fnmatchcase(path, folded) or path.startswith(f"{folded}/") for path in paths)
