"""What readers read: the newest posts, one post, one page, and the posts of a tag or an author.

One thing is looked up as whoever asks may see it; lists show everybody what the public sees.
"""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access.request import current_actor
from quire.actor import ANONYMOUS, Actor
from quire.declare.query import Condition, Query, parse_query
from quire.declare.record import Record
from quire.errors import Missing
from quire.records import CATEGORIES, PAGES, POSTS, PROFILES, TAGS, USERS
from quire.site.looks import frame, show
from quire.site.names import names_of
from quire.site.paths import here_bare
from quire.store import read
from quire.store.pictures import picture_of, pictures_of

SHORT = (
    "id", "title", "slug", "excerpt", "body_html", "published_at", "author", "category", "tags",
    "comment_count", "cover",
)  # fmt: skip
"""The fields of a post in a list."""


@dataclass(frozen=True)
class Neighbours:
    """Which page of a list this is, and the addresses of the pages beside it."""

    number: int
    newer: str | None
    older: str | None

    @classmethod
    def of(cls, page: read.Page) -> "Neighbours":
        """Those of a page of a list. Raises Missing behind the last one."""
        number = page.page or 1
        if number > 1 and not page.rows:
            raise Missing("The list ends before this page.")
        return cls(
            number,
            newer=_page_url(number - 1) if page.has_prev else None,
            older=_page_url(number + 1) if page.has_next else None,
        )


@dataclass(frozen=True)
class Gathering:
    """What brings the posts of a page together; its feeds stand below its address."""

    name: str

    @property
    def feed(self) -> str:
        """The path of its feed."""
        return f"{here_bare()}/feed.atom"


def _page_url(number: int) -> str:
    kept = [pair for pair in request.args.items(multi=True) if pair[0] not in ("page", "reply")]
    query = urlencode([*kept, *([("page", number)] if number > 1 else [])])
    return f"{request.path}?{query}" if query else request.path


def asked_page(**more: Any) -> Query:
    """The query for the page of a list that the address names. Raises Malformed."""
    sent = [("page", request.args["page"])] if "page" in request.args else []
    return replace(parse_query(POSTS, ANONYMOUS, sent), **more)


def only(name: str, value: Any) -> tuple[Condition, ...]:
    """The rows whose field `name` is `value`."""
    return (Condition(name, "eq", (value,)),)


def find(record: Record, actor: Actor, name: str, value: Any) -> dict[str, Any]:
    """The one record whose unique field `name` is `value`, all of it. Raises Missing."""
    wanted = Query(conditions=only(name, value), fields=record.names, per_page=1, count=False)
    rows = read.page(record, actor, wanted).rows
    if not rows:
        raise Missing(f"There is no such {record.one.lower()}.")
    return rows[0]


def home() -> Response:
    """The newest posts."""
    return posts_with("home.html", (), count=False)


def posts_with(
    template: str, where: tuple[Condition, ...], count: bool = True, **shown: Any
) -> Response:
    """A page of the posts that fit `where`, newest first, in `template`."""
    around = frame()
    per_page = around.settings["posts_per_page"]
    query = asked_page(fields=SHORT, per_page=per_page, conditions=where, count=count)
    page = read.page(POSTS, ANONYMOUS, query)
    shown["beside"] = Neighbours.of(page)
    names = names_of(post["author"] for post in page.rows)
    pictures = pictures_of(post["cover"] for post in page.rows)
    return show(template, frame=around, page=page, names=names, pictures=pictures, **shown)


def tag(slug: str) -> Response:
    """The posts with a tag."""
    found = find(TAGS, current_actor(), "slug", slug)
    return _gathered("Tag", found, only("tags", found["id"]))


def category(slug: str) -> Response:
    """The posts of a category."""
    found = find(CATEGORIES, current_actor(), "slug", slug)
    return _gathered("Category", found, only("category", found["id"]))


def _gathered(kind: str, found: dict[str, Any], where: tuple[Condition, ...]) -> Response:
    shown: dict[str, Any] = {"kind": kind, "about": found, "gathering": Gathering(found["name"])}
    return posts_with("gathered.html", where, **shown)


def author(username: str) -> AnyResponse:
    """Somebody who writes, and what he has published; any spelling of his name leads here."""
    actor = current_actor()
    user = find_author(actor, username)
    id = user["id"]
    if user["username"] != username:
        return redirect(url_for("site.author", username=user["username"]), 301)
    profiles = read.page(PROFILES, actor, Query(conditions=only("user", id), count=False)).rows
    profile = profiles[0] if profiles else {}
    gathering = Gathering(profile.get("display_name") or username)
    portrait = picture_of(user["avatar"])
    shown: dict[str, Any] = {"user": user, "profile": profile, "portrait": portrait}
    return posts_with("author.html", only("author", id), gathering=gathering, **shown)


def find_author(actor: Actor, username: str) -> dict[str, Any]:
    """The user with this name in any spelling. Raises Missing."""
    id = read.find_id(USERS, actor, username_folded=username.lower())
    if id is None:
        raise Missing("There is no such author.")
    return read.one(USERS, actor, id)


def page(slug: str) -> Response:
    """A page of the site."""
    found = find(PAGES, current_actor(), "slug", slug)
    return show("page.html", page=found, edit=edit_url(PAGES, found))


def about() -> Response:
    """The page about this site, at an address that needs no knowledge of its slug."""
    return page("about")


def edit_url(record: Record, row: dict[str, Any]) -> str | None:
    """Where the panel edits this, for those who may."""
    actor = current_actor()
    answer = record.allows(actor, "update")
    mine = (row.get("author") or {}).get("id") == actor.user_id
    if answer is True or (answer is not False and mine):
        return f"/admin/{record.path}/edit/?id={row['id']}"
    return None
