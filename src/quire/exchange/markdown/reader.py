"""Imports a folder of Markdown files, as used by Jekyll, Hugo and Zola, as posts and pages."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from quire.declare.labels import capitalize_first
from quire.declare.unicode_text import is_blank
from quire.exchange import load_posts, names
from quire.exchange.dates import parse_datetime
from quire.exchange.markdown import formats, front_matter
from quire.exchange.markdown.authors import person_in
from quire.exchange.markdown.body import MAX_BODY_BYTES, PageBody, read_body
from quire.exchange.markdown.front_matter import Head, is_truthy, text, text_of, values, word_list
from quire.exchange.markdown.paths import (
    SourceFile,
    date_in,
    find_files,
    is_path,
    old_path,
    path_of,
    slug_in,
)
from quire.exchange.markdown.site_folders import SiteFolders
from quire.exchange.markdown.source_text import decode
from quire.exchange.markdown.visibility import reason_hidden, with_computed
from quire.exchange.model import (
    ImportedPost,
    ImportedTerm,
    ImportReport,
    Progress,
    SkippedItems,
    Unusable,
)
from quire.exchange.tables.date_order import UNKNOWN, order_of
from quire.store.import_origins import known_items, known_places

SOURCE = "markdown"
_EXCERPT_LENGTH = 1000
_SAMPLE = 50
_HEADING = re.compile(r"\A\s*+(?:#[ \t]++(\S.*+)|(\S.*+)\n=++[ \t]*+)(?:\n|\Z)")
_ANY_HEADING = re.compile(r"^(?:#{1,6}[ \t]++(\S.*+)|(\S.*+)\n(?:=++|-++)[ \t]*+)$", re.MULTILINE)
_HEADING_MARKS = re.compile(r"!?\[([^\[\]]*+)\]\([^()]*+\)|\{[#:.][^{}]*+\}\s*+$|[*`]+")
_PLAIN_DRAFTS = tuple(
    f"{reason}, imported as a draft"
    for reason in ("draft: true", "draft: yes", "published: false", "is in _drafts")
)
"""Reasons that are not reported, since the author marked the page as a draft."""


class PageReader:
    """Reads the pages among `files`, which are in `folder`."""

    def __init__(self, folder: Path, files: list[SourceFile]):
        self._folders = SiteFolders(folder, any(place.is_section for place in files))
        self.files = files

    def entries(self) -> Iterator[ImportedPost | SkippedItems]:
        """Each file as an entry, or as a skipped item with the reason."""
        for place in self.files:
            try:
                yield self.entry(place)
            except Unusable as error:
                yield SkippedItems(place.display_path, error.reason)

    def entry(self, place: SourceFile) -> ImportedPost:
        """The entry in one file; raises Unusable with the reason if there is none."""
        if place.is_section:
            raise Unusable("describes its folder, not a post")
        content, warning = decode(place.read())
        head, text = front_matter.split(content)
        head = with_computed(head)
        if not head and not text.strip():
            raise Unusable("is empty")
        body = read_body(place.path, text)
        if body.title and not head.get("title"):
            head = {**head, "title": body.title}
        reasons = self._reasons_hidden(place, head, body)
        entry = _entry(place, self._folders.head_of(place, head), body.text, draft=bool(reasons))
        for warning_text in (warning, *body.warnings, *reasons):
            entry.warn("" if warning_text in _PLAIN_DRAFTS else warning_text)
        return entry

    def _reasons_hidden(self, place: SourceFile, head: Head, body: PageBody) -> list[str]:
        """The reasons why the page becomes a draft, as messages for the report."""
        own = reason_hidden(head)
        reason_in_folder = reason_hidden(self._folders.head_of(place, head))
        inherited = f"its folder has {reason_in_folder}" if reason_in_folder and not own else ""
        reason = own or inherited or self._folders.reason_hidden(place)
        empty = "has no text" if is_blank(body.text) else ""
        reasons = [f"{one}, imported as a draft" for one in (reason, empty) if one]
        return reasons + ([body.hidden] if body.hidden else [])


def _entry(place: SourceFile, head: Head, body: str, *, draft: bool) -> ImportedPost:
    title, body = _title(place, head, body)
    if len(body.encode()) > MAX_BODY_BYTES:
        raise Unusable(f"its text is larger than {MAX_BODY_BYTES // 1024} KB")
    paths = [path for name in ("path", "permalink", "url") if (path := _own_path(head.get(name)))]
    entry = ImportedPost(
        place.display_path, place.display_path, names.shorten(title), body, draft=draft
    )
    entry.slug = slug_in(place, text(head, "slug"), paths)
    entry.excerpt = names.shorten(text(head, "excerpt", "summary", "description"), _EXCERPT_LENGTH)
    entry.seo_title = text(head, "seo_title", "meta_title")
    entry.seo_description = text(head, "seo_description", "meta_description")
    if entry.title != title:
        entry.warn(f"title shortened to {names.TITLE_LENGTH} characters")
    _set_times(entry, place, head, paths)
    _set_terms(entry, place, head)
    entry.person = person_in(entry, head)
    entry.old_paths = _old_paths(place, head, paths)
    entry.comments_open = not _says_no(head, "comments")
    entry.kind = "page" if _is_page(place, head) else "post"
    return entry


def _says_no(head: Head, name: str) -> bool:
    """Whether the head sets `name` to a value that means no."""
    return name in head and head[name] is not None and not is_truthy(head[name])


def _own_path(value: Any) -> str:
    """The page's path on the old site; empty for patterns and for other sites, which link blogs name."""
    path = text_of(value) if not isinstance(value, bool) else ""
    return path if is_path(path) else ""


def _title(place: SourceFile, head: Head, body: str) -> tuple[str, str]:
    """The title, and the body without a heading that became the title."""
    if title := text(head, "title"):
        return title, body
    if match := _HEADING.match(body):
        rest = body[match.end() :].lstrip("\n")
        return _heading(match), rest or body
    if match := _ANY_HEADING.search(body):
        return _heading(match), body
    name = re.sub(r"[-_\s]+", " ", re.sub(r"^\d{4}-\d\d?-\d\d?[-_ ]+", "", place.name)).strip()
    return capitalize_first(name) or names.first_words(body) or "Untitled", body


def _heading(match: re.Match[str]) -> str:
    heading = (match[1] or match[2])[:1000].strip().rstrip("#")
    return names.single_line(_HEADING_MARKS.sub(lambda mark: mark[1] or "", heading)) or "Untitled"


def _is_page(place: SourceFile, head: Head) -> bool:
    """Whether this is a page: its type or layout is `page`, and it has no date."""
    called = "page" in (text(head, "type").lower(), text(head, "layout").lower())
    return called and not text(head, "date") and "_posts" not in place.parts


def _set_times(entry: ImportedPost, place: SourceFile, head: Head, paths: list[str]) -> None:
    entry.date = _date(entry, head) or date_in(place, paths)
    later = parse_datetime(next(values(head, "publishdate"), None))
    if later and later > datetime.now(UTC):  # not public yet, whatever its date says
        entry.date = later
    entry.unpublish_at = parse_datetime(next(values(head, "expirydate", "unpublishdate"), None))
    if entry.unpublish_at and entry.date and entry.unpublish_at <= entry.date:
        entry.draft, entry.unpublish_at = True, None
        entry.warn("expires before it is published, imported as a draft")
    if entry.date is None and not entry.draft:
        entry.warn("has no date, so it is published now")


def _date(entry: ImportedPost, head: Head) -> datetime | None:
    for value in values(head, "date", "publishdate", "pubdate", "created"):
        if moment := parse_datetime(value):
            if order_of(text_of(value)) == UNKNOWN:
                words = f"{moment.day} {moment:%B %Y}"
                entry.warn(f"its date {text_of(value)[:40]} is ambiguous, read as {words}")
            return moment
        entry.warn(f"its date “{text_of(value)[:40]}” cannot be read")
    return None


def _set_terms(entry: ImportedPost, place: SourceFile, head: Head) -> None:
    """Set the first category as the category; further categories, and all tags, become tags."""
    categories = _unique(
        [*_names_under(head, "category", "categories"), *_folder_categories(place)]
    )
    tags = _unique([*categories[1:], *_names_under(head, "tag", "tags")])
    entry.category = ImportedTerm(categories[0]) if categories else None
    entry.tags = [ImportedTerm(name) for name in tags]


def _names_under(head: Head, one: str, many: str) -> Iterator[str]:
    """Names under `one`, where text is a single name, and under `many`, where it is a list."""
    for value in values(head, one):
        yield from word_list(value) if isinstance(value, list) else [text_of(value)]
    for value in values(head, many):
        yield from word_list(value)


def _folder_categories(place: SourceFile) -> tuple[str, ...]:
    """Jekyll: the folders above `_posts` are categories."""
    parts = place.parts
    return parts[: parts.index("_posts")] if "_posts" in parts else ()


def _unique(names_in_order: Iterable[str]) -> list[str]:
    """The distinct names in order, ignoring case, shortened to the length of a label."""
    by_folded_name: dict[str, str] = {}
    for name in names_in_order:
        short = names.shorten(name.strip(), 100)
        if short:
            by_folded_name.setdefault(short.casefold(), short)
    return list(by_folded_name.values())


def _old_paths(place: SourceFile, head: Head, paths: list[str]) -> list[str]:
    """The page's paths on the old site: its aliases, and its own path unless that is a pattern."""
    above = "/" if _is_zola(head) else _section(place, head)
    old_paths = [
        old_path(text_of(alias), above)
        for value in values(head, "aliases", "alias")
        for alias in _list(value)
    ]
    former = [alias for value in values(head, "redirect_from") for alias in _list(value)]
    old_paths += [old_path(text_of(each)) for each in (*former, *paths)]
    return [path for path in dict.fromkeys(old_paths) if path]


def _is_zola(head: Head) -> bool:
    """Whether this is a page of Zola, whose aliases start at the root; Hugo's start at the section."""
    return any(name in head for name in ("taxonomies", "extra", "path"))


def _section(place: SourceFile, head: Head) -> str:
    own = _own_path(head.get("url"))
    return path_of(own.rstrip("/")).rpartition("/")[0] if own else place.section


def _list(value: Any) -> list[Any]:
    return value[:200] if isinstance(value, list) else [value]


def load(
    folder: Path,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import every Markdown file below `folder`; run again, it updates what has changed.

    `author` is the username for pages without an author, by default the first administrator.
    Raises NotFound for an unknown author.
    """
    files, others = find_files(folder)
    reader = PageReader(folder, files)
    items = chain(reader.entries(), formats.unread_files(place.display_path for place in others))
    return load_posts.load(
        SOURCE,
        _place(folder, reader),
        items,
        len(files),
        author=author,
        dry_run=dry_run,
        progress=progress,
    )


def _place(folder: Path, reader: PageReader) -> str:
    """The key of this folder among imports: its path, or that of the folder it was moved from."""
    here = folder.resolve().as_posix()
    others = known_places(SOURCE)
    if others and here not in others:
        sample = reader.files[:_SAMPLE]
        marks = {place.display_path: mark for place in sample if (mark := _mark_of(reader, place))}
        return next((other for other in others if _is_same(marks, other)), here)
    return here


def _mark_of(reader: PageReader, place: SourceFile) -> str:
    try:
        return load_posts.fingerprint_of(reader.entry(place))
    except Unusable:
        return ""


def _is_same(marks: dict[str, str], other: str) -> bool:
    """Whether most of these files were imported from there and are unchanged."""
    earlier = known_items(SOURCE, other)
    shared = [item for item in marks if item in earlier]
    same = sum(earlier[item].fingerprint == marks[item] for item in shared)
    return same > 0 and same * 2 >= len(marks)
