"""Feeds: the newest posts in full, of the site, a tag, a category or an author, in three formats.

What a feed is made of is looked at in one place and gives its ETag; the bytes are made once for it.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson
from flask import Flask, Response, current_app, render_template, request, url_for
from jinja2 import Template
from werkzeug.http import http_date

from quire.actor import ANONYMOUS
from quire.declare.clock import now
from quire.declare.prose import absolute, summary
from quire.declare.query import Condition, Query
from quire.records import CATEGORIES, POSTS, TAGS
from quire.site.names import names_of
from quire.site.own_files import own_templates
from quire.site.paths import here_bare, site_root
from quire.site.reading import find, find_author, only
from quire.site.shelf import Shelf
from quire.store import read
from quire.store.lasting import last_change, lasting
from quire.store.site import site_settings

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
"""Characters that no XML document may hold: https://www.w3.org/TR/xml/#charsets."""
KEPT_BYTES = 8 * 1024 * 1024
_SHELF = "quire-feeds"
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Source:
    """Which posts a feed has: the path of the page that lists them, its name and description."""

    page: str
    name: str = ""
    about: str = ""
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Look:
    """What a feed is made of; `mark` stands for all of it, `changed` is when anything was."""

    source: Source
    settings: dict[str, Any]
    mark: str
    changed: datetime


def init_app(app: Flask) -> None:
    """A place for finished feeds."""
    app.extensions[_SHELF] = Shelf(KEPT_BYTES)


def feed(form: str) -> Response:
    """The feed of the site."""
    return _answer(form, ("site",), lambda: Source(url_for("site.home")))


def tag_feed(slug: str, form: str) -> Response:
    """The feed of a tag."""
    return _answer(form, ("tag", slug), lambda: _gathered(TAGS, "tag", "tags", slug))


def category_feed(slug: str, form: str) -> Response:
    """The feed of a category."""
    return _answer(
        form, ("category", slug), lambda: _gathered(CATEGORIES, "category", "category", slug)
    )


def author_feed(username: str, form: str) -> Response:
    """The feed of an author."""
    return _answer(form, ("author", username), lambda: _written_by(username))


def _gathered(record: Any, endpoint: str, field: str, slug: str) -> Source:
    found = find(record, ANONYMOUS, "slug", slug)
    page = url_for(f"site.{endpoint}", slug=found["slug"])
    return Source(page, found["name"], found["description"], only(field, found["id"]))


def _written_by(username: str) -> Source:
    user = find_author(ANONYMOUS, username)
    page = url_for("site.author", username=user["username"])
    return Source(page, names_of([user])[user["id"]], user["bio"], only("author", user["id"]))


def _answer(form: str, which: tuple[str, ...], source: Callable[[], Source]) -> Response:
    look = lasting(("feed", *which), lambda: _look(source()))
    template = None if form == "json" else current_app.jinja_env.get_template(TEMPLATE.format(form))
    way, made = _way(template)
    etag = f"{form}-{way}-{look.mark}"
    # while its second lasts, it may change again: what comes after would bear the same moment
    moment = http_date(min(max(look.changed, made), now() - timedelta(seconds=1)))
    if _is_known(etag, moment):
        response = Response(status=304)
    else:
        key = (etag, which, site_root())
        response = Response(
            current_app.extensions[_SHELF].get(key, lambda: _made(form, look, template)),
            content_type=FORMATS[form],
        )
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Last-Modified"] = moment
    response.set_etag(etag)
    return response


def _is_known(etag: str, moment: str) -> bool:
    """Whether the one who asks has it; a moment counts only as it was given.

    A feed can change without becoming newer: a post that is removed leaves older ones.
    """
    if request.if_none_match:
        return request.if_none_match.contains_weak(etag)
    return request.headers.get("If-Modified-Since") == moment


def _posts(source: Source) -> list[dict[str, Any]]:
    query = Query(conditions=source.where, fields=FULL, per_page=POSTS_IN_FEED, count=False)
    return read.page(POSTS, ANONYMOUS, query).rows


def _look(source: Source) -> Look:
    # first the moment: what changes meanwhile is newer than what the answer says
    changed, settings = last_change(), site_settings()
    posts = _posts(source)
    names = names_of(post["author"] for post in posts)
    seen = (source.page, source.name, source.about, settings, posts, sorted(names.items()))
    return Look(source, settings, hashlib.sha256(orjson.dumps(seen)).hexdigest()[:24], changed)


@lru_cache(20)
def _way(template: Template | None) -> tuple[str, datetime]:
    """Stands for how a feed is made, and since when the installation's own templates are as they are.

    So readers hear of a template that was changed, and of another Quire.
    """
    way = version("quire").encode() + Path(__file__).read_bytes()
    if template is None:
        return hashlib.sha256(way).hexdigest()[:8], NEVER
    # all of them: one may be made of others
    own, newest = own_templates(current_app)
    return hashlib.sha256(way + own).hexdigest()[:8], newest


def _made(form: str, look: Look, template: Template | None) -> bytes:
    shown = _content(look)
    if template is None:
        return orjson.dumps(_json_feed(**shown))
    return _NOT_XML.sub("", render_template(template, **shown)).encode()


def _content(look: Look) -> dict[str, Any]:
    source, settings, root = look.source, look.settings, site_root()
    posts = _posts(source)
    names = names_of(post["author"] for post in posts)
    site = settings["site_name"]
    return {
        "title": f"{source.name} · {site}" if source.name else site,
        "about": source.about if source.name else settings["tagline"],
        "home": root + source.page,
        "address": root + here_bare(),
        "entries": [_entry(post, names, root) for post in posts],
        "updated": max((_changed(post) for post in posts), default=settings["updated_at"]),
    }


def _changed(post: dict[str, Any]) -> str:
    """When readers got to see its present state: a scheduled post was written before that."""
    return max(post["updated_at"], post["published_at"])


def _entry(post: dict[str, Any], names: dict[int, str], root: str) -> dict[str, Any]:
    address = root + url_for("site.post", slug=post["slug"])
    author = post["author"]
    return {
        # of what never changes: neither slug nor host, so that readers know a moved post again
        "id": uuid5(NAMESPACE_OID, f"quire post {post['id']} {post['created_at']}").urn,
        "address": address,
        "title": post["title"],
        "image": root + post["cover"]["url"] if post["cover"] else None,
        "summary": summary(post["excerpt"], post["body_html"]),
        "content": absolute(post["body_html"], address),
        "published": post["published_at"],
        "updated": _changed(post),
        "author": names[author["id"]],
        "author_page": root + url_for("site.author", username=author["username"]),
        "category": post["category"],
        "tags": post["tags"],
    }


def _json_feed(
    title: str, about: str, home: str, address: str, entries: list[Any], updated: str
) -> dict[str, Any]:
    """https://www.jsonfeed.org/version/1.1/."""
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
    """`Fri, 02 Jan 2026 10:00:00 GMT` for an RFC 3339 moment."""
    return http_date(datetime.fromisoformat(moment).astimezone(UTC))
