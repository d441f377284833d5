"""The pages for readers: the newest posts, one post, one page, the posts of a tag or an author.

A single page is looked up with the user's rights; lists show what everyone may see.
"""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from quire.actor import ANONYMOUS, Actor
from quire.auth.current_actor import current_actor
from quire.declare.query import Query, parse_query
from quire.declare.query_conditions import Condition
from quire.declare.record import Record
from quire.errors import NotFound, no_such
from quire.records import CATEGORIES, PAGES, POSTS, PROFILES, TAGS, USERS
from quire.records.image_references import image_of, images_by_id
from quire.site.canonical import redirect_to_page
from quire.site.display_names import display_names
from quire.site.page import page_context, render_page
from quire.site.paths import here_bare
from quire.store import read
from quire.web.caching import note_shown
from quire.web.language import gettext

SHORT = (
    "id", "title", "slug", "excerpt", "body_html", "published_at", "author", "category", "tags",
    "comment_count", "cover",
)  # fmt: skip
"""The fields of a post in a list."""


@dataclass(frozen=True)
class Pager:
    """The number of this page of a list, and the URLs of the previous and the next one."""

    number: int
    newer: str | None
    older: str | None

    @classmethod
    def from_page(cls, page: read.Page) -> "Pager":
        """The pager of a page of a list. Raises NotFound after the last one."""
        number = page.page or 1
        if number > 1 and not page.rows:
            raise NotFound("There are not that many pages.")
        return cls(
            number,
            newer=_page_url(number - 1) if page.has_prev else None,
            older=_page_url(number + 1) if page.has_next else None,
        )


@dataclass(frozen=True)
class PostList:
    """What the posts of a list page have in common; its feeds are below its URL."""

    name: str

    @property
    def feed(self) -> str:
        """The path of its feed."""
        return f"{here_bare()}/feed.atom"


def _page_url(number: int) -> str:
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in ("page", "reply")]
    query = urlencode([*pairs, *([("page", number)] if number > 1 else [])])
    return f"{request.path}?{query}" if query else request.path


def page_query(**more: Any) -> Query:
    """The query for the page of a list in the URL. Raises BadRequest."""
    pairs = [("page", request.args["page"])] if "page" in request.args else []
    return replace(parse_query(POSTS, ANONYMOUS, pairs), **more)


def equals(name: str, value: Any) -> tuple[Condition, ...]:
    """The condition that the field `name` is `value`."""
    return (Condition(name, "eq", (value,)),)


def find(record: Record, actor: Actor, name: str, value: Any) -> dict[str, Any]:
    """The record whose unique field `name` is `value`, without counts of other records. Raises NotFound."""
    # the number of posts of a tag costs more than the rest of its page
    fields = tuple(one.name for one in record.fields if one.is_stored or not one.counter)
    query = Query(conditions=equals(name, value), fields=fields, per_page=1, count=False)
    rows = read.list_records(record, actor, query).rows
    if not rows:
        raise no_such(record.noun)
    note_shown(record, rows)
    return rows[0]


def home() -> Response:
    """The newest posts."""
    return post_list_page("home.html", (), count=False)


def post_list_page(
    template: str, where: tuple[Condition, ...], count: bool = True, **values: Any
) -> Response:
    """A page of the posts that match `where`, newest first, in `template`."""
    around = page_context()
    per_page = around.settings["posts_per_page"]
    query = page_query(fields=SHORT, per_page=per_page, conditions=where, count=count)
    page = read.list_records(POSTS, ANONYMOUS, query)
    note_shown(POSTS, page.rows)
    values["page_links"] = Pager.from_page(page)
    names = display_names(post["author"] for post in page.rows)
    pictures = images_by_id(post["cover"] for post in page.rows)
    return render_page(template, frame=around, page=page, names=names, pictures=pictures, **values)


def tag(slug: str) -> Response:
    """The posts with a tag."""
    record = find(TAGS, current_actor(), "slug", slug)
    return _post_list(gettext("Tag"), record, equals("tags", record["id"]))


def category(slug: str) -> Response:
    """The posts of a category."""
    record = find(CATEGORIES, current_actor(), "slug", slug)
    return _post_list(gettext("Category"), record, equals("category", record["id"]))


def _post_list(kind: str, about: dict[str, Any], where: tuple[Condition, ...]) -> Response:
    context: dict[str, Any] = {"kind": kind, "about": about, "post_list": PostList(about["name"])}
    return post_list_page("post_list.html", where, **context)


def author(username: str) -> Response:
    """An author and their posts. Raises MovedPermanently for other spellings."""
    actor = current_actor()
    user = find_author(actor, username)
    id = user["id"]
    if user["username"] != username:
        raise redirect_to_page("site.author", username=user["username"])
    profiles = read.list_records(
        PROFILES, actor, Query(conditions=equals("user", id), count=False)
    ).rows
    note_shown(USERS, [user])
    note_shown(PROFILES, profiles)
    profile = profiles[0] if profiles else {}
    post_list = PostList(profile.get("display_name") or username)
    portrait = image_of(user["avatar"])
    context: dict[str, Any] = {"user": user, "profile": profile, "portrait": portrait}
    return post_list_page("author.html", equals("author", id), post_list=post_list, **context)


def find_author(actor: Actor, username: str) -> dict[str, Any]:
    """The user with this name in any spelling. Raises NotFound."""
    id = read.find_id(USERS, actor, username_folded=username)
    if id is None:
        raise NotFound("There is no such author.")
    return read.get_record(USERS, actor, id)


def page(slug: str) -> Response:
    """A page of the site."""
    state = find(PAGES, current_actor(), "slug", slug)
    return render_page("page.html", page=state, edit=edit_url(PAGES, state))


def about() -> Response:
    """The about page, at a URL that does not depend on its slug."""
    return page("about")


def edit_url(record: Record, row: dict[str, Any]) -> str | None:
    """The URL of the editor, for those who may use it."""
    actor = current_actor()
    answer = record.allows(actor, "update")
    mine = (row.get("author") or {}).get("id") == actor.user_id
    if answer is True or (answer is not False and mine):
        return f"/admin/{record.path}/edit/?id={row['id']}"
    return None
