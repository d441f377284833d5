"""Records in the format of the Ghost Content API, with absolute URLs.

The fields are described at https://docs.ghost.org/content-api. Those that Quire lacks are null, as
in a Ghost site where they have not been filled in.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_OID, uuid5

from quire.actor import ANONYMOUS
from quire.api.compat.ghost_query import COUNT, GhostQuery
from quire.declare.grouping import Grouping
from quire.declare.markdown import strip_tags
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import Record
from quire.records import PAGES, POSTS, TAGS, USERS
from quire.records.site_settings import site_appearance, site_menu, site_settings
from quire.store.group_counts import count_groups
from quire.web.hosts import site_root
from quire.web.html import absolute, reading_minutes, summary

VERSION = "v6.0"
"""The version of Ghost whose format this is."""
Row = dict[str, Any]

_SOCIAL = (
    "og_image", "og_title", "og_description", "twitter_image", "twitter_title",
    "twitter_description",
)  # fmt: skip
_INJECTED = ("codeinjection_head", "codeinjection_foot")
_NOTHING_OF_TEXT = dict.fromkeys(
    (*_SOCIAL, *_INJECTED, "feature_image_caption", "custom_template", "canonical_url",
     "email_subject", "frontmatter")
)  # fmt: skip
_NOTHING_OF_TAG = dict.fromkeys(
    (*_SOCIAL, *_INJECTED, "feature_image", "meta_title", "meta_description", "canonical_url",
     "accent_color")
)  # fmt: skip
_NOTHING_OF_AUTHOR = dict.fromkeys(
    ("cover_image", "facebook", "twitter", "meta_title", "meta_description")
)
_NOTHING_OF_SITE = dict.fromkeys(
    (*_SOCIAL, *_INJECTED, "icon", "cover_image", "facebook", "twitter", "meta_title",
     "meta_description", "members_support_address")
)  # fmt: skip


def shape_rows(record: Record, rows: Sequence[Row], ghost_query: GhostQuery) -> list[Row]:
    """Shape the rows of a list, or a single row, as requested."""
    counts = _author_counts(rows) if record is USERS and COUNT in ghost_query.include else {}
    shape = _SHAPES[record.path]
    return [
        _select_fields(shape(row, ghost_query), ghost_query)
        | _count(record, row, ghost_query, counts)
        for row in rows
    ]


def _select_fields(row: Row, ghost_query: GhostQuery) -> Row:
    """The requested fields and the included relations."""
    included = {"authors", "primary_author", "tags", "primary_tag"}
    return {
        name: value for name, value in row.items() if name in included or ghost_query.wants(name)
    }


def _count(record: Record, row: Row, ghost_query: GhostQuery, counts: Mapping[int, int]) -> Row:
    if COUNT not in ghost_query.include or record not in (TAGS, USERS):
        return {}
    posts = row["post_count"] if record is TAGS else counts.get(row["id"], 0)
    return {"count": {"posts": posts}}


def _author_counts(rows: Sequence[Row]) -> dict[int, int]:
    """The number of published posts by author id."""
    ids = tuple(row["id"] for row in rows)
    if not ids:
        return {}
    theirs = Query(conditions=(Condition("author", "in", ids),))
    groups, _ = count_groups(POSTS, ANONYMOUS, theirs, Grouping("author"))
    return {group["key"]: group["count"] for group in groups}


def _address(record: Record, row: Row) -> str:
    return site_root() + quote(str(record.public_path).format_map(row))


def _moment(text: str) -> str:
    return text.replace("Z", ".000+00:00")


def _media(small: Mapping[str, Any] | None) -> str | None:
    return site_root() + small["url"] if small else None


def _text(record: Record, row: Row, ghost_query: GhostQuery) -> Row:
    """The fields that posts and pages have in common."""
    html, address = row.get("body_html", ""), _address(record, row)
    wants_words = ghost_query.wants("plaintext") or ghost_query.wants("reading_time")
    words = strip_tags(html) if wants_words else ""
    # made from values that never change, like the ids in feeds
    uuid = uuid5(NAMESPACE_OID, f"quire {record.singular.lower()} {row['id']} {row['created_at']}")
    return {
        **_NOTHING_OF_TEXT,
        "id": str(row["id"]),
        "uuid": str(uuid),
        "comment_id": str(row["id"]),
        "title": row["title"],
        "slug": row["slug"],
        "html": absolute(html, address) if ghost_query.wants("html") else "",
        "plaintext": words,
        "excerpt": summary(row.get("excerpt", ""), html),
        "custom_excerpt": row.get("excerpt") or None,
        "reading_time": reading_minutes(words),
        "feature_image": _media(row.get("cover")),
        "feature_image_alt": (row.get("cover") or {}).get("alt") or None,
        "featured": False,
        "visibility": "public",
        "access": True,
        "comments": bool(row.get("comments_open")),
        "meta_title": row["seo_title"] or None,
        "meta_description": row["seo_description"] or None,
        "published_at": _moment(row["published_at"]),
        "created_at": _moment(row["created_at"]),
        "updated_at": _moment(row["updated_at"]),
        "url": address,
    }


def _post(row: Row, ghost_query: GhostQuery) -> Row:
    shape = _text(POSTS, row, ghost_query)
    if "authors" in ghost_query.include:
        shape["authors"] = [_author(row["author"], ghost_query)]
        shape["primary_author"] = shape["authors"][0]
    if "tags" in ghost_query.include:
        shape["tags"] = [_tag(tag, ghost_query) for tag in row["tags"]]
        shape["primary_tag"] = shape["tags"][0] if shape["tags"] else None
    return shape


def _page(row: Row, ghost_query: GhostQuery) -> Row:
    """Pages here have neither authors nor tags."""
    empty: dict[str, Row] = {
        "authors": {"authors": [], "primary_author": None},
        "tags": {"tags": [], "primary_tag": None},
    }
    shape = _text(PAGES, row, ghost_query)
    for name in ghost_query.include & empty.keys():
        shape |= empty[name]
    return shape


def _tag(row: Row, ghost_query: GhostQuery) -> Row:
    return {
        **_NOTHING_OF_TAG,
        "id": str(row["id"]),
        "name": row["name"],
        "slug": row["slug"],
        "description": row["description"] or None,
        "visibility": "public",
        "url": _address(TAGS, row),
    }


def _author(row: Row, ghost_query: GhostQuery) -> Row:
    profile = row.get("profile") or {}
    return {
        **_NOTHING_OF_AUTHOR,
        "id": str(row["id"]),
        "name": profile.get("display_name") or row["username"],
        "slug": row["username"],
        "bio": row.get("bio") or None,
        "website": profile.get("website"),
        "location": profile.get("location") or None,
        "profile_image": _media(row.get("avatar")),
        "url": _address(USERS, row),
    }


_SHAPES: Mapping[str, Callable[[Row, GhostQuery], Row]] = {
    "posts": _post,
    "pages": _page,
    "tags": _tag,
    "users": _author,
}


def shape_settings() -> Row:
    """The settings of the site in Ghost's format."""
    settings, look = site_settings(), site_appearance()
    return {
        **_NOTHING_OF_SITE,
        "title": settings["site_name"],
        "description": settings["tagline"],
        "logo": _media(look["logo"]),
        "accent_color": look["accent_color"] or None,
        "lang": look["language"],
        "locale": look["language"],
        "timezone": "Etc/UTC",
        "navigation": site_menu(look),
        "secondary_navigation": [],
        "members_enabled": False,
        "comments_enabled": "off" if settings["comments"] == "closed" else "all",
        "url": f"{site_root()}/",
        "version": VERSION.removeprefix("v"),
    }
