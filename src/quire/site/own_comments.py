"""The user's own comments: edited within the time limit, or deleted."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.declare.clock import rfc3339
from quire.declare.text_values import parse_version
from quire.errors import NotFound, PermissionDenied, VersionConflict
from quire.records import COMMENTS
from quire.records.comments import editable_until, is_edit_window_over
from quire.site.account.profile import login_required
from quire.site.forms import FOREIGN_PAGE, EditCommentForm, require_own_page, submit
from quire.site.page import page_context, render_page
from quire.store import read
from quire.store.permissions import may
from quire.store.write import delete, update
from quire.web.language import gettext


@login_required
def edit_comment(actor: Actor, id: int) -> AnyResponse:
    """Edit a comment."""
    comment = _find(actor, id, "update")
    if request.method == "GET":
        return _edit_page(actor, comment, EditCommentForm(formdata=None, data=comment))
    form = EditCommentForm()
    refusal = submit(form, COMMENTS, lambda: _save(actor, id, form))
    if not refusal:
        return _redirect_with_message(comment, gettext("Your comment has been saved."))
    if refusal.status == VersionConflict.status:
        form.version.data = comment[
            "version"
        ]  # the latest text is shown, so that it is replaced knowingly
    return _edit_page(actor, comment, form, refusal.status)


def _edit_page(
    actor: Actor, comment: dict[str, Any], form: EditCommentForm, status: int = 200
) -> Response:
    frame = page_context()
    minutes = frame.settings["comment_edit_minutes"]
    return render_page(
        "edit_comment.html", status, frame=frame, comment=comment, form=form,
        settled=not is_editable(actor, comment, minutes), minutes=minutes,
        until=_edit_deadline(actor, comment, minutes), changed=status == VersionConflict.status,
        place=_comment_url(comment), page=_page(),
    )  # fmt: skip


@login_required
def delete_comment(actor: Actor, id: int) -> AnyResponse:
    """Delete a comment."""
    require_own_page(FOREIGN_PAGE)
    comment = _find(actor, id, "delete")
    delete(COMMENTS, actor, id)
    return _redirect_with_message(comment, gettext("Your comment has been deleted."))


def is_editable(actor: Actor, comment: dict[str, Any], minutes: int) -> bool:
    """Whether `actor`, who may edit this comment, is still within the site's limit of `minutes`."""
    return actor.at_least("moderator") or not is_edit_window_over(comment["created_at"], minutes)


def _edit_deadline(actor: Actor, comment: dict[str, Any], minutes: int) -> str | None:
    """The time until which the comment can be edited, if that is limited."""
    end = editable_until(comment["created_at"], minutes)
    return None if end is None or actor.at_least("moderator") else rfc3339(end)


def is_own(actor: Actor, comment: dict[str, Any]) -> bool:
    """Whether `actor` wrote the comment."""
    author = comment["author"]
    return author is not None and author["id"] == actor.user_id


def _find(actor: Actor, id: int, verb: str) -> dict[str, Any]:
    """The comment. Raises NotFound, PermissionDenied."""
    comment = read.get_record(COMMENTS, actor, id)
    if comment.get("deleted_at"):
        raise NotFound("This comment has been deleted.")
    if not may(COMMENTS, actor, verb, id):
        raise PermissionDenied("Only the author of a comment can edit it.")
    return comment


def _save(actor: Actor, id: int, form: EditCommentForm) -> None:
    version = parse_version(form.version.data or "")
    update(COMMENTS, actor, id, {"body": form.body.data or ""}, version=version)


def _page() -> int | None:
    """The page of the discussion that the user came from."""
    return request.args.get("page", type=int)


def _comment_url(comment: dict[str, Any]) -> str:
    anchor = f"comment-{comment['id']}"
    return url_for("site.post", slug=comment["post"]["slug"], page=_page(), _anchor=anchor)


def _redirect_with_message(comment: dict[str, Any], words: str) -> AnyResponse:
    flash(words)
    return redirect(_comment_url(comment))
