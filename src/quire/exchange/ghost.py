"""A Ghost export (JSON, versions 0.4 to 5 and later) becomes posts and pages."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from quire.exchange import loading
from quire.exchange.ghost_post import Post, entry_of
from quire.exchange.items import Entry, Person, Progress, Report, Skipped, Term, Unusable

SOURCE, PLACE = "ghost", ""
"""Its posts have names that no other blog has: none needs to say which blog it is."""
MOST_MEGABYTES = 512
LEFT_OUT = {
    "members": "members",
    "comments": "comments",
    "newsletters": "newsletters",
    "products": "tiers",
    "snippets": "snippets",
    "webhooks": "webhooks",
}

Row = dict[str, Any]


def load(
    file: Path,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    url: str = "",
) -> Report:
    """Import a Ghost export; run again, it updates what has changed.

    `author` is the username of who wrote what names nobody, else the first administrator; `url`
    is where the blog's pictures can be seen. Raises Missing for an unknown author.
    """
    try:
        blog = Blog(_data(file), url)
    except Unusable as error:
        items: Iterator[Entry | Skipped] = iter([Skipped(file.name, error.reason)])
        total = 0
    else:
        items, total = blog.items(), len(blog.posts)
    return loading.load(
        SOURCE, PLACE, items, total, author=author, dry_run=dry_run, progress=progress
    )


def _data(file: Path) -> Row:
    """The tables of the export. Raises Unusable."""
    try:
        if file.stat().st_size > MOST_MEGABYTES * 1024**2:
            raise Unusable(f"is larger than {MOST_MEGABYTES} MB")
        whole = orjson.loads(file.read_bytes())
    except OSError as error:
        raise Unusable(f"cannot be read ({error.strerror})") from None
    except orjson.JSONDecodeError as error:
        raise Unusable(f"is no JSON ({error.msg})") from None
    if isinstance(whole, dict) and isinstance(whole.get("db"), list) and whole["db"]:
        whole = whole["db"][0]
    data = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("posts"), list):
        raise Unusable("is no export of Ghost: it has no posts")
    return data


def rows_of(data: Row, table: str) -> list[Row]:
    """The rows of a table; what is none is passed over."""
    found = data.get(table)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


class Blog:
    """The tables of an export, with what belongs to each post."""

    def __init__(self, data: Row, url: str):
        self._data, self._url = data, url.rstrip("/")
        self.posts = rows_of(data, "posts")
        people = {_id(row): _person(row) for row in rows_of(data, "users")}
        self._people = {id: person for id, person in people.items() if person is not None}
        self._terms = {_id(row): row for row in rows_of(data, "tags")}
        self._tags = _linked(data, "posts_tags", "tag_id")
        self._authors = _linked(data, "posts_authors", "author_id")
        self._meta = {_id(row, "post_id"): row for row in rows_of(data, "posts_meta")}
        self._internal: Counter[str] = Counter()

    def items(self) -> Iterator[Entry | Skipped]:
        """Every post and page, then what is left out."""
        for number, row in enumerate(self.posts, 1):
            try:
                yield entry_of(self._post(row))
            except Unusable as error:
                yield Skipped(f"post {row.get('slug') or number}"[:100], error.reason)
        if self._internal:
            reason = "readers of Ghost do not see them, so they are left out"
            yield Skipped(f"{len(self._internal)} internal tags", reason, len(self._internal))
        for table, name in LEFT_OUT.items():
            if count := len(rows_of(self._data, table)):
                yield Skipped(f"{count} {name}", "not imported", count)

    def _post(self, row: Row) -> Post:
        id = _id(row)
        authors = self._authors[id] or [_id(row, "author_id")]
        return Post(
            row,
            self._meta.get(id, {}),
            [self._people[one] for one in authors if one in self._people],
            self._named(self._tags[id]),
            partial(_absolute, self._url),
        )

    def _named(self, ids: list[Any]) -> list[Term]:
        terms = []
        for row in (self._terms[id] for id in ids if id in self._terms):
            name = str(row.get("name") or "").strip()
            if name.startswith("#") or row.get("visibility") == "internal":
                self._internal[name] += 1
            elif name:
                slug = str(row.get("slug") or "") or None
                terms.append(Term(name, slug, str(row.get("description") or "")))
        return terms


def _person(row: Row) -> Person | None:
    name, slug = str(row.get("name") or ""), str(row.get("slug") or "")
    if not name and not slug:
        return None
    return Person(name or slug, slug or None, str(row.get("email") or "") or None)


def _linked(data: Row, table: str, name: str) -> defaultdict[Any, list[Any]]:
    """What belongs to each post, in its order."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    rows = rows_of(data, table)
    for row in sorted(rows, key=lambda one: _order(one.get("sort_order"))):
        found[_id(row, "post_id")].append(_id(row, name))
    return found


def _order(value: Any) -> int:
    return value if type(value) is int else 0


def _id(row: Row, name: str = "id") -> str | int | None:
    """Numbers in old exports, texts in newer ones."""
    value = row.get(name)
    return value if isinstance(value, str | int) else None


def _absolute(url: str, text: str) -> str:
    """Addresses that the export left open: files are where the blog is, all else is here."""
    return text.replace("__GHOST_URL__/content/", f"{url}/content/").replace("__GHOST_URL__", "")
