"""The parameters of the Ghost Content API, translated into Quire queries.

Unknown names in `include`, `formats` and `fields` are ignored, as in Ghost; a filter or an order that
cannot be parsed is rejected, because the response would not match the request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from quire.actor import ANONYMOUS
from quire.api.compat.ghost_filter import Part, parse_filter
from quire.declare.query import Query, build_query, parse_number, split_list
from quire.declare.record import Record
from quire.declare.value_kinds import INT64
from quire.errors import invalid_parameter
from quire.records import PAGES, POSTS, TAGS, USERS

DEFAULT_LIMIT, MAX_LIMIT = 15, 100
"""Ghost's own limits: https://docs.ghost.org/content-api/pagination."""
BODY = frozenset({"html", "plaintext", "excerpt", "reading_time"})
"""The fields that require reading the body."""
FORMATS = frozenset({"html", "plaintext"})
COUNT = "count.posts"
_ORDER = re.compile(r"(\w+)(?:\s+(asc|desc))?", re.IGNORECASE)


@dataclass(frozen=True)
class GhostType:
    """A Ghost type, backed by one of our record types.

    `fields` and `relations` are read for each row, `includes` if `include` names them, `count_field` if
    `include` asks for the number of posts. `filters` and `orders` map Ghost's names to paths of
    `record`; `constants` holds the values of fields that are the same for all rows; `slug` is the field
    that identifies a row in URLs.
    """

    record: Record
    fields: tuple[str, ...]
    filters: Mapping[str, str]
    orders: Mapping[str, str]
    order: str
    constants: Mapping[str, str] = field(default_factory=lambda: {"visibility": "public"})
    slug: str = "slug"
    relations: tuple[str, ...] = ()
    includes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    count_field: str | None = None


_DATES = ("published_at", "created_at", "updated_at")
_TEXT = ("id", "title", "slug", "body_html", "seo_title", "seo_description", *_DATES)
_OF_TEXT = {name: name for name in ("id", "slug", "title", *_DATES)}
_CONSTANTS = {"visibility": "public", "featured": "false"}
_TAGS = dict.fromkeys(("tag", "tags", "tags.slug"), "tags.slug")
_AUTHORS = dict.fromkeys(("author", "authors", "authors.slug", "primary_author"), "author.username")

TYPES = {
    "posts": GhostType(
        POSTS,
        (*_TEXT, "excerpt", "cover", "comments_open", "author", "tags"),
        {**_OF_TEXT, **_TAGS, **_AUTHORS},
        _OF_TEXT,
        "-published_at",
        _CONSTANTS,
        includes={"authors": ("author", "author.profile"), "tags": ("tags",)},
    ),
    "pages": GhostType(PAGES, _TEXT, _OF_TEXT, _OF_TEXT, "-published_at", _CONSTANTS),
    "tags": GhostType(
        TAGS,
        ("id", "name", "slug", "description"),
        {"id": "id", "slug": "slug", "name": "name"},
        {"id": "id", "slug": "slug", "name": "name"},
        "name",
        count_field="post_count",
    ),
    "authors": GhostType(
        USERS,
        ("id", "username", "bio", "avatar"),
        {"id": "id", "slug": "username"},
        {"id": "id", "slug": "username"},
        "username",
        slug="username",
        relations=("profile",),
    ),
}
"""The supported Ghost types, by their names in URLs."""


@dataclass(frozen=True)
class GhostQuery:
    """A parsed request: `query` selects rows; `fields` (empty: all), `include` and `formats` shape them."""

    query: Query
    fields: frozenset[str]
    include: frozenset[str]
    formats: frozenset[str]

    def wants(self, name: str) -> bool:
        """Whether the response contains the field `name`."""
        if name in FORMATS:
            return name in self.fields or (not self.fields and name in self.formats)
        return not self.fields or name in self.fields


def parse_ghost_query(kind: GhostType, parameters: Mapping[str, str], *where: Part) -> GhostQuery:
    """Parse `parameters` into a query for the rows that meet `where`. Raises BadRequest."""
    names = ("fields", "include", "formats")
    fields, include, formats = (frozenset(split_list(parameters.get(name, ""))) for name in names)
    ghost_query = GhostQuery(Query(), fields, include, formats & FORMATS or frozenset({"html"}))
    if parameters.get("filter"):
        where = (
            *where,
            parse_filter(kind.record, kind.filters, kind.constants, parameters["filter"]),
        )
    plain = {
        "fields": ",".join(_read_fields(kind, ghost_query)),
        "include": ",".join(_relations(kind, include)),
        "sort": _sort(kind, parameters.get("order", "")),
        "page": parameters.get("page", "1"),
        "per_page": str(_limit(parameters.get("limit", str(DEFAULT_LIMIT)))),
    }
    query = build_query(kind.record, ANONYMOUS, where, plain, ())
    return GhostQuery(query, fields, include, ghost_query.formats)


def _read_fields(kind: GhostType, ghost_query: GhostQuery) -> list[str]:
    has_body = any(ghost_query.wants(name) for name in BODY)
    names = [name for name in kind.fields if name != "body_html" or has_body]
    return (
        [*names, kind.count_field] if kind.count_field and COUNT in ghost_query.include else names
    )


def _relations(kind: GhostType, include: frozenset[str]) -> list[str]:
    includes = (paths for name, paths in kind.includes.items() if name in include)
    return [*kind.relations, *(path for paths in includes for path in paths)]


def _limit(text: str) -> int:
    """The rows per page; `all` or a number above the maximum gives the maximum, as in Ghost."""
    if text == "all":
        return MAX_LIMIT
    return min(parse_number("limit", text, 1, INT64 // 200), MAX_LIMIT)


def _sort(kind: GhostType, text: str) -> str:
    """Convert `published_at desc, title` to the API's `sort`. Raises BadRequest."""
    names = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _ORDER.fullmatch(part)
        if match is None or match[1] not in kind.orders:
            order_names = ", ".join(kind.orders)
            raise invalid_parameter(
                "order", f"order cannot be {part!r}. Known: {order_names}, asc, desc."
            )
        names.append(("-" if (match[2] or "").lower() == "desc" else "") + kind.orders[match[1]])
    return ",".join(names) or kind.order
