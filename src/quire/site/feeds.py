"""Feeds: the newest posts in full, of the site, a tag, a category or an author, in three formats.

The ETag of a feed is a hash of its bytes.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson
from flask import Response, current_app, render_template, request, url_for
from werkzeug.http import http_date

from quire.actor import ANONYMOUS
from quire.declare.clock import now
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import CATEGORIES, POSTS, PROFILES, SETTINGS, TAGS
from quire.records.site_settings import site_settings
from quire.site.canonical import redirect_to_page
from quire.site.content import equals, find, find_author
from quire.site.display_names import display_names
from quire.site.overrides import newest_template
from quire.site.paths import here_bare
from quire.store import read
from quire.store.cache import last_modified
from quire.web.caching import Shown, note_all, shown_by
from quire.web.hosts import site_root
from quire.web.html import absolute, summary

POSTS_IN_FEED = 20
FORMATS = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}
FULL = (
    "id", "title", "slug", "excerpt", "body_html", "published_at", "created_at", "updated_at",
    "author", "category", "tags", "cover",
)  # fmt: skip
TEMPLATE = "quire_site/feed.{}.xml"
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that are not allowed in XML documents: https://www.w3.org/TR/xml/#charsets."""


@dataclass(frozen=True)
class FeedSource:
    """The posts of a feed: the path of the page that lists them, its name and description."""

    page: str
    name: str = ""
    about: str = ""
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class RenderedFeed:
    """The bytes of a feed, their hash, the last change of anything it may show, and what it shows."""

    body: bytes
    etag: str
    changed: datetime
    shown: Shown


def feed(form: str) -> Response:
    """The feed of the site."""
    return _answer(form, FeedSource(url_for("site.home")))


def tag_feed(slug: str, form: str) -> Response:
    """The feed of a tag."""
    return _answer(form, _feed_of_type(TAGS, "tag", "tags", slug))


def category_feed(slug: str, form: str) -> Response:
    """The feed of a category."""
    return _answer(form, _feed_of_type(CATEGORIES, "category", "category", slug))


def author_feed(username: str, form: str) -> Response:
    """The feed of an author."""
    return _answer(form, _feed_of_author(username, form))


def _feed_of_type(record: Any, endpoint: str, field: str, slug: str) -> FeedSource:
    about = find(record, ANONYMOUS, "slug", slug)
    page = url_for(f"site.{endpoint}", slug=about["slug"])
    return FeedSource(page, about["name"], about["description"], equals(field, about["id"]))


def _feed_of_author(username: str, form: str) -> FeedSource:
    user = find_author(ANONYMOUS, username)
    if user["username"] != username:
        raise redirect_to_page("site.author_feed", username=user["username"], form=form)
    page = url_for("site.author", username=user["username"])
    return FeedSource(
        page, display_names([user])[user["id"]], user["bio"], equals("author", user["id"])
    )


def _answer(form: str, source: FeedSource) -> Response:
    feed = _render_feed(form, source)
    response = Response(content_type=FORMATS[form])
    # until the end of that second it may change again, and the change would have the same time
    moment = http_date(min(feed.changed, now() - timedelta(seconds=1)))
    if _client_has(feed.etag, moment):
        response.status_code = 304
        del response.headers["Content-Type"]
    else:
        response.data = feed.body
    note_all(feed.shown)
    response.headers["Last-Modified"] = moment
    response.set_etag(feed.etag)
    return response


def _client_has(etag: str, moment: str) -> bool:
    """Whether the client has the current feed; a time only counts if it is the one we sent.

    A feed can change without becoming newer: removing a post leaves older ones.
    """
    if request.if_none_match:
        return request.if_none_match.contains_weak(etag)
    return request.headers.get("If-Modified-Since") == moment


def _posts(source: FeedSource) -> list[dict[str, Any]]:
    query = Query(conditions=source.where, fields=FULL, per_page=POSTS_IN_FEED, count=False)
    return read.list_records(POSTS, ANONYMOUS, query).rows


def _render_feed(form: str, source: FeedSource) -> RenderedFeed:
    # the time first: what changes meanwhile is newer than the response says
    changed = last_modified()
    posts = _posts(source)
    content = _content(source, posts)
    if form == "json":
        body = orjson.dumps(_json_feed(**content))
    else:
        template = current_app.jinja_env.get_template(TEMPLATE.format(form))
        changed = max(changed, newest_template(current_app))
        body = _NOT_XML.sub("", render_template(template, **content)).encode()
    shown = shown_by(POSTS, posts)
    for record in (PROFILES, SETTINGS):
        shown.setdefault(record.path, {})
    return RenderedFeed(body, hashlib.sha256(body).hexdigest()[:24], changed, shown)


def _content(source: FeedSource, posts: list[dict[str, Any]]) -> dict[str, Any]:
    settings, root = site_settings(), site_root()
    names = display_names(post["author"] for post in posts)
    site = settings["site_name"]
    return {
        "title": f"{source.name} · {site}" if source.name else site,
        "about": source.about if source.name else settings["tagline"],
        "home": root + source.page,
        "address": root + here_bare(),
        "entries": [_entry(post, names, root) for post in posts],
        "updated": max((_visible_since(post) for post in posts), default=settings["updated_at"]),
    }


def _visible_since(post: dict[str, Any]) -> str:
    """When the present state became visible: a scheduled post was written earlier."""
    return max(post["updated_at"], post["published_at"])


def _entry(post: dict[str, Any], names: dict[int, str], root: str) -> dict[str, Any]:
    address = root + url_for("site.post", slug=post["slug"])
    author = post["author"]
    return {
        # made of what never changes, neither slug nor host, so that feed readers recognize a post that has moved
        "id": uuid5(NAMESPACE_OID, f"quire post {post['id']} {post['created_at']}").urn,
        "address": address,
        "title": post["title"],
        "image": root + post["cover"]["url"] if post["cover"] else None,
        "summary": summary(post["excerpt"], post["body_html"]),
        "content": absolute(post["body_html"], address),
        "published": post["published_at"],
        "updated": _visible_since(post),
        "author": names[author["id"]],
        "author_page": root + url_for("site.author", username=author["username"]),
        "category": post["category"],
        "tags": post["tags"],
    }


def _json_feed(
    title: str, about: str, home: str, address: str, entries: list[Any], updated: str
) -> dict[str, Any]:
    """Return a feed in JSON Feed format (https://www.jsonfeed.org/version/1.1/)."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "description": about,
        "home_page_url": home,
        "feed_url": address,
        "items": [_json_item(one) for one in entries],
    }


def _json_item(one: dict[str, Any]) -> dict[str, Any]:
    words = [one["category"]["name"]] if one["category"] else []
    image = {"image": one["image"]} if one["image"] else {}
    return {
        **image,
        "id": one["id"],
        "url": one["address"],
        "title": one["title"],
        "summary": one["summary"],
        "content_html": one["content"],
        "date_published": one["published"],
        "date_modified": one["updated"],
        "authors": [{"name": one["author"], "url": one["author_page"]}],
        "tags": [*words, *(tag["name"] for tag in one["tags"])],
    }


def rfc822(moment: str) -> str:
    """Format an RFC 3339 time as `Fri, 02 Jan 2026 10:00:00 GMT`."""
    return http_date(datetime.fromisoformat(moment).astimezone(UTC))
