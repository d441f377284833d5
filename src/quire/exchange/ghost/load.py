"""Imports a Ghost export (JSON, versions 0.4 to 5 and later) as posts and pages."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from quire.exchange import load_posts
from quire.exchange.ghost.post import GhostPost, imported_post
from quire.exchange.ghost.tables import Row, read_rows
from quire.exchange.model import (
    ImportedPerson,
    ImportedPost,
    ImportedTerm,
    ImportReport,
    Progress,
    SkippedItems,
    Unusable,
)

SOURCE, PLACE = "ghost", ""
"""The import place of all Ghost blogs: keys of their posts are globally unique."""
MAX_MEGABYTES = 2048
MAX_ROWS, MAX_CHARACTERS = 300_000, 32 * 1024**2
"""The most rows and characters in the tables held in memory."""
LEFT_OUT = {
    "members": "members",
    "comments": "comments",
    "newsletters": "newsletters",
    "products": "tiers",
    "snippets": "snippets",
    "webhooks": "webhooks",
}
MAX_EMPTY_POSTS = 10_000
"""The most posts without an id or any text; real exports have none."""
_SEO = (
    "meta_title", "og_title", "meta_description", "og_description", "feature_image_alt",
    "feature_image_caption", "email_only",
)  # fmt: skip
_TABLES = {
    "users": ("id", "name", "slug", "email"),
    "tags": ("id", "name", "slug", "visibility", "description"),
    "posts_tags": ("post_id", "tag_id", "sort_order"),
    "posts_authors": ("post_id", "author_id", "sort_order"),
    "posts_meta": ("post_id", *_SEO),
}
"""The columns of the tables held in memory."""
_TEXTS = (
    "title", "html", "markdown", "plaintext", "lexical", "mobiledoc", "feature_image", "image",
)  # fmt: skip


def load_ghost(
    file: Path,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    url: str = "",
) -> ImportReport:
    """Import a Ghost export; run again, it updates what has changed.

    `author` is the username for posts without an author, by default the first administrator; `url`
    is the address of the blog, where its pictures are. Raises NotFound for an unknown author.
    """
    try:
        blog = GhostExport(file, url)
    except Unusable as error:
        items: Iterator[ImportedPost | SkippedItems] = iter([SkippedItems(file.name, error.reason)])
        total = 0
    else:
        items, total = blog.items(), blog.count
    return load_posts.load(
        SOURCE, PLACE, items, total, author=author, dry_run=dry_run, progress=progress
    )


class GhostExport:
    """The site-wide data of an export; its posts are read one by one."""

    def __init__(self, file: Path, url: str):
        """Reads the file once. Raises Unusable if it is not a Ghost export."""
        self._file, self._url = file, url.rstrip("/")
        self._tables: defaultdict[str, list[Row]] = defaultdict(list)
        self._left_out: Counter[str] = Counter()
        self._rows = self._characters = self._empty_posts = self.count = 0
        self._survey()
        people = {_id(row): _person(row) for row in self._tables["users"]}
        self._people = {id: person for id, person in people.items() if person is not None}
        self._terms = {_id(row): row for row in self._tables["tags"]}
        self._tags = _group_by_post(self._tables["posts_tags"], "tag_id")
        self._authors = _group_by_post(self._tables["posts_authors"], "author_id")
        self._meta = {_id(row, "post_id"): row for row in self._tables["posts_meta"]}
        self._internal: Counter[str] = Counter()

    def _survey(self) -> None:
        """Read the small tables into memory; count the others."""
        if self._file.stat().st_size > MAX_MEGABYTES * 1024**2:
            raise Unusable(f"is larger than {MAX_MEGABYTES} MB")
        has_posts = False
        for table, row in read_rows(self._file):
            has_posts = has_posts or table == "posts"
            if row is not None:
                self._note(table, row)
        if not has_posts:
            raise Unusable("is not a Ghost export: it has no posts")

    def _note(self, table: str, row: Row) -> None:
        if table == "posts":
            self.count += 1
            self._count_empty(row)
        elif table in LEFT_OUT:
            self._left_out[table] += 1
        elif table in _TABLES:
            self._store_row(table, row)

    def _count_empty(self, row: Row) -> None:
        has_id = row.get("uuid") or row.get("id")
        self._empty_posts += not has_id or not any(row.get(name) for name in _TEXTS)
        if self._empty_posts > MAX_EMPTY_POSTS:
            raise Unusable(f"has more than {MAX_EMPTY_POSTS:,} posts without an id or a text")

    def _store_row(self, table: str, row: Row) -> None:
        values = {name: row[name] for name in _TABLES[table] if name in row}
        self._tables[table].append(values)
        self._rows += 1
        self._characters += sum(len(one) for one in values.values() if isinstance(one, str))
        if self._rows > MAX_ROWS or self._characters > MAX_CHARACTERS:
            raise Unusable(f"has more than {MAX_ROWS:,} people and tags, or too much text in them")

    def items(self) -> Iterator[ImportedPost | SkippedItems]:
        """Every post and page, then a summary of what was left out."""
        posts = (
            row for table, row in read_rows(self._file) if table == "posts" and row is not None
        )
        for number, row in enumerate(posts, 1):
            try:
                yield imported_post(self._post(row))
            except Unusable as error:
                yield SkippedItems(f"post {row.get('slug') or number}"[:100], error.reason)
        if self._internal:
            reason = "hidden from readers in Ghost, so they were not imported"
            yield SkippedItems(f"{len(self._internal)} internal tags", reason, len(self._internal))
        for table, name in LEFT_OUT.items():
            if count := self._left_out[table]:
                yield SkippedItems(f"{count} {name}", "not imported", count)

    def _post(self, row: Row) -> GhostPost:
        id = _id(row)
        authors = self._authors[id] or [_id(row, "author_id")]
        return GhostPost(
            row,
            self._meta.get(id, {}),
            [self._people[one] for one in authors if one in self._people],
            self._terms_with(self._tags[id]),
            partial(_absolute, self._url),
        )

    def _terms_with(self, ids: list[Any]) -> list[ImportedTerm]:
        terms = []
        for row in (self._terms[id] for id in ids if id in self._terms):
            name = str(row.get("name") or "").strip()
            if name.startswith("#") or row.get("visibility") == "internal":
                self._internal[name] += 1
            elif name:
                slug = str(row.get("slug") or "") or None
                terms.append(ImportedTerm(name, slug, str(row.get("description") or "")))
        return terms


def _person(row: Row) -> ImportedPerson | None:
    name, slug = str(row.get("name") or ""), str(row.get("slug") or "")
    if not name and not slug:
        return None
    return ImportedPerson(name or slug, slug or None, str(row.get("email") or "") or None)


def _group_by_post(rows: list[Row], name: str) -> defaultdict[Any, list[Any]]:
    """The values of column `name` by post, in their order."""
    ids: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: _order(one.get("sort_order"))):
        ids[_id(row, "post_id")].append(_id(row, name))
    return ids


def _order(value: Any) -> int:
    return value if type(value) is int else 0


def _id(row: Row, name: str = "id") -> str | int | None:
    """An id, which is text or, in old exports, a number."""
    value = row.get(name)
    return value if isinstance(value, str | int) else None


def _absolute(url: str, text: str) -> str:
    """Replace Ghost's placeholder in addresses: files are on the blog, everything else is here."""
    return text.replace("__GHOST_URL__/content/", f"{url}/content/").replace("__GHOST_URL__", "")
