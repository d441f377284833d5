"""A post with its comments in threads, and the form to add one."""

from dataclasses import dataclass, field
from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth.current_actor import current_actor
from quire.auth.sessions import redirect_to_login
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import COMMENTS, POSTS
from quire.records.comments import are_comments_closed
from quire.records.image_references import image_of
from quire.site import view_counter
from quire.site.content import Pager, edit_url, find, page_query
from quire.site.display_names import display_names
from quire.site.forms import CommentForm, Refusal, submit
from quire.site.json_ld import blog_posting
from quire.site.own_comments import is_editable, is_own
from quire.site.page import page_context, render_page
from quire.site.related_posts import find_related
from quire.store import read
from quire.store.write import Saved, create
from quire.translations.messages import Message
from quire.web.caching import note_shown
from quire.web.language import gettext, translate

AT_ONCE = 200
"""Comments per page of a discussion."""
DEEPEST = 4
"""The maximum depth to which replies are indented; phones have no room for more."""
RELATED = 3
"""The maximum number of related posts."""
WAITS = Message("Thank you. Your comment will appear once it is approved.")


@dataclass
class CommentNode:
    """A comment and its replies; `to` is the comment it replies to, if indentation does not show it."""

    comment: dict[str, Any]
    to: dict[str, Any] | None = None
    answers: list["CommentNode"] = field(default_factory=list)


def threads(comments: list[dict[str, Any]]) -> list[CommentNode]:
    """Arrange comments, oldest first, as trees; a reply to a hidden comment starts a thread."""
    by_id = {one["id"]: one for one in comments}
    below: dict[int | None, list[dict[str, Any]]] = {}
    for one in comments:
        parent = (one["parent"] or {}).get("id")
        below.setdefault(parent if parent in by_id else None, []).append(one)
    roots: list[CommentNode] = []
    # not recursive: a chain of a thousand replies must not exceed the recursion limit
    waiting = [(one, roots, 1) for one in reversed(below.get(None, []))]
    while waiting:
        one, place, depth = waiting.pop()
        deep = depth > DEEPEST
        node = CommentNode(one, by_id[one["parent"]["id"]] if deep else None)
        place.append(node)
        beneath = place if depth >= DEEPEST else node.answers
        waiting += [(o, beneath, depth + 1) for o in reversed(below.get(one["id"], []))]
    return roots


def post(slug: str) -> AnyResponse:
    """Show a post, or add a comment to it."""
    actor = current_actor()
    state = find(POSTS, actor, "slug", slug)
    if request.method == "POST":
        return redirect_to_login() if actor.is_anonymous else _add_comment(actor, state)
    if state["status"] == "published":
        view_counter.count_view(state["id"], actor, edit_url(POSTS, state) is not None)
    # a form needs a token, a token needs a session, and anonymous visitors get neither
    return _post_page(actor, state, None if actor.is_anonymous else CommentForm(formdata=None))


def _comments_below(post: dict[str, Any], query: Query) -> Query:
    """Approved comments, and pending ones that this reader may see: their own, or those they may approve."""
    visible = Condition("status", "in", ("approved", "pending"))
    return Query(
        conditions=(visible,), nested=("post", post["id"]), sort=("created_at",),
        page=query.page, per_page=AT_ONCE, count=query.count, fields=query.fields,
    )  # fmt: skip


def _post_page(
    actor: Actor, post: dict[str, Any], form: CommentForm | None, status: int = 200
) -> Response:
    around = page_context()
    page = read.list_records(COMMENTS, actor, _comments_below(post, page_query(count=False)))
    comments = threads(page.rows)
    similar = find_related(post["id"], [tag["id"] for tag in post["tags"]], RELATED)
    note_shown(COMMENTS, page.rows)
    note_shown(POSTS, similar)
    to = _answered_comment(form, page.rows) if form else None
    names = display_names(one["author"] for one in (post, *page.rows))
    is_public = post["status"] == "published"
    return render_page(
        "post.html", status, frame=around, post=post, threads=comments, page_links=Pager.from_page(page),
        form=form, to=to, closed=_is_closed(post, around.settings), edit=edit_url(POSTS, post),
        names=names,
        own_comments=_own_comments(actor, page.rows, around.settings), related_posts=similar,
        linked=blog_posting(post, names[post["author"]["id"]], around.settings) if is_public else None,
        cover=image_of(post["cover"]),
    )  # fmt: skip


def _own_comments(
    actor: Actor, comments: list[dict[str, Any]], settings: dict[str, Any]
) -> dict[int, bool]:
    """The actor's own comments by id, and whether each can still be edited."""
    minutes = settings["comment_edit_minutes"]
    return {one["id"]: is_editable(actor, one, minutes) for one in comments if is_own(actor, one)}


def _answered_comment(form: CommentForm, comments: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The comment that the form replies to, if it is shown."""
    id_text = form.parent.data or request.args.get("reply", "")
    answered = next((one for one in comments if str(one["id"]) == str(id_text)), None)
    form.parent.data = answered["id"] if answered else ""
    return answered


def _is_closed(post: dict[str, Any], settings: dict[str, Any]) -> bool:
    shut = settings["comments"] == "closed" or not post["comments_open"]
    late = are_comments_closed(post["published_at"], settings["comments_close_after_days"])
    return shut or late or post["status"] != "published"


def _add_comment(actor: Actor, post: dict[str, Any]) -> AnyResponse:
    form = CommentForm()
    if (
        form.subject.data
    ):  # people cannot see this field: the client is a program, which is told that it succeeded
        flash(translate(WAITS))
        return redirect(url_for("site.post", slug=post["slug"]))

    def add() -> Saved:
        parent = form.parent.data or ""
        raw = {"post": post["id"], "body": form.body.data or ""}
        if parent:
            raw["parent"] = int(parent) if parent.isascii() and parent.isdigit() else parent
        return create(COMMENTS, actor, raw)

    saved = submit(form, COMMENTS, add)
    if isinstance(saved, Refusal):
        return _post_page(actor, post, form, saved.status)
    waits = saved.state["status"] == "pending"
    flash(translate(WAITS) if waits else gettext("Thank you."))
    return redirect(_comment_url(actor, post, saved.id))


def _comment_url(actor: Actor, post: dict[str, Any], id: int) -> str:
    """The URL of a new comment, on the last page of the discussion."""
    query = _comments_below(post, Query(count=True, fields=("id",)))
    pages = read.list_records(COMMENTS, actor, query).pages or 1
    last = pages if pages > 1 else None
    return url_for("site.post", slug=post["slug"], page=last, _anchor=f"comment-{id}")
