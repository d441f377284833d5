"""A post with what is said below it: comments in threads, and the form to add one."""

from dataclasses import dataclass, field
from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access.request import current_actor
from quire.access.sessions import to_sign_in
from quire.actor import Actor
from quire.declare.query import Condition, Query
from quire.records import COMMENTS, POSTS
from quire.records.comments import is_past
from quire.site import views
from quire.site.forms import CommentForm, tried
from quire.site.linked_data import of_post
from quire.site.looks import frame, show
from quire.site.names import names_of
from quire.site.reading import Neighbours, asked_page, edit_url, find
from quire.site.remarks import is_open, is_own
from quire.store import read
from quire.store.pictures import picture_of
from quire.store.related import related
from quire.store.write import Saved, create

AT_ONCE = 200
"""Comments on one page of a discussion."""
DEEPEST = 4
"""Levels that answers are moved in; a phone has no room for more."""
RELATED = 3
"""Posts that are named below a post because they share its tags."""
WAITS = "Thank you. Your comment will appear when it has been approved."


@dataclass
class Said:
    """A comment and the answers to it; `to` is whom it answers where that is not plain to see."""

    comment: dict[str, Any]
    to: dict[str, Any] | None = None
    answers: list["Said"] = field(default_factory=list)


def threads(comments: list[dict[str, Any]]) -> list[Said]:
    """Comments, oldest first, as trees; an answer to something that is not shown stands alone."""
    by_id = {one["id"]: one for one in comments}
    below: dict[int | None, list[dict[str, Any]]] = {}
    for one in comments:
        parent = (one["parent"] or {}).get("id")
        below.setdefault(parent if parent in by_id else None, []).append(one)
    roots: list[Said] = []
    # not recursive: whoever answers himself a thousand times must not end the program
    waiting = [(one, roots, 1) for one in reversed(below.get(None, []))]
    while waiting:
        one, place, depth = waiting.pop()
        deep = depth > DEEPEST
        node = Said(one, by_id[one["parent"]["id"]] if deep else None)
        place.append(node)
        beneath = place if depth >= DEEPEST else node.answers
        waiting += [(o, beneath, depth + 1) for o in reversed(below.get(one["id"], []))]
    return roots


def post(slug: str) -> AnyResponse:
    """Read a post, or say something below it."""
    actor = current_actor()
    found = find(POSTS, actor, "slug", slug)
    if request.method == "POST":
        return to_sign_in() if actor.is_anonymous else _say(actor, found)
    if found["status"] == "published":
        views.note(found["id"], actor, edit_url(POSTS, found) is not None)
    # a form has a token, a token needs a session: strangers get neither
    return _shown(actor, found, None if actor.is_anonymous else CommentForm(formdata=None))


def _below(post: dict[str, Any], query: Query) -> Query:
    """Approved comments, and those waiting that this reader may see: his own, or his to approve."""
    seen = Condition("status", "in", ("approved", "pending"))
    return Query(
        conditions=(seen,), nested=("post", post["id"]), sort=("created_at",),
        page=query.page, per_page=AT_ONCE, count=query.count, fields=query.fields,
    )  # fmt: skip


def _shown(
    actor: Actor, post: dict[str, Any], form: CommentForm | None, status: int = 200
) -> Response:
    around = frame()
    page = read.page(COMMENTS, actor, _below(post, asked_page(count=False)))
    said = threads(page.rows)
    to = _answered(form, page.rows) if form else None
    names = names_of(one["author"] for one in (post, *page.rows))
    is_public = post["status"] == "published"
    minutes = around.settings["comment_edit_minutes"]
    return show(
        "post.html", status, frame=around, post=post, said=said, beside=Neighbours.of(page),
        form=form, to=to, closed=_is_closed(post, around.settings), edit=edit_url(POSTS, post),
        names=names,
        mine={one["id"]: is_open(actor, one, minutes) for one in page.rows if is_own(actor, one)},
        beside_it=related(post["id"], [tag["id"] for tag in post["tags"]], RELATED),
        linked=of_post(post, names[post["author"]["id"]], around.settings) if is_public else None,
        cover=picture_of(post["cover"]),
    )  # fmt: skip


def _answered(form: CommentForm, comments: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The comment that the form answers, if it is among those shown."""
    wanted = form.parent.data or request.args.get("reply", "")
    found = next((one for one in comments if str(one["id"]) == str(wanted)), None)
    form.parent.data = found["id"] if found else ""
    return found


def _is_closed(post: dict[str, Any], settings: dict[str, Any]) -> bool:
    shut = settings["comments"] == "closed" or not post["comments_open"]
    late = is_past(post["published_at"], settings["comments_close_after_days"])
    return shut or late or post["status"] != "published"


def _say(actor: Actor, post: dict[str, Any]) -> AnyResponse:
    form = CommentForm()
    if form.subject.data:  # no person sees this field: a program is told what it wants to hear
        flash(WAITS)
        return redirect(url_for("site.post", slug=post["slug"]))
    made: list[Saved] = []

    def add() -> None:
        parent = form.parent.data or ""
        raw = {"post": post["id"], "body": form.body.data or ""}
        if parent:
            raw["parent"] = int(parent) if parent.isascii() and parent.isdigit() else parent
        made.append(create(COMMENTS, actor, raw))

    status = tried(form, COMMENTS, add)
    if status is not None:
        return _shown(actor, post, form, status)
    waits = made[0].state["status"] == "pending"
    flash(WAITS if waits else "Thank you.")
    return redirect(_address(actor, post, made[0].id))


def _address(actor: Actor, post: dict[str, Any], id: int) -> str:
    """Where a new comment stands: on the last page of the discussion."""
    wanted = _below(post, Query(count=True, fields=("id",)))
    pages = read.page(COMMENTS, actor, wanted).pages or 1
    last = pages if pages > 1 else None
    return url_for("site.post", slug=post["slug"], page=last, _anchor=f"comment-{id}")
