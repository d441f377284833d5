"""A comment of one's own: its words changed while there is time, or taken back."""

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.declare.clock import rfc3339
from quire.declare.typed import version_from
from quire.errors import Missing, Refused, Stale
from quire.records import COMMENTS
from quire.records.comments import is_settled, settles_at
from quire.site.forms import FOREIGN, WordsForm, insist_on_own_page, tried
from quire.site.looks import frame, show
from quire.site.profile import own
from quire.store import read
from quire.store.permits import may
from quire.store.write import delete, update


@own
def comment(actor: Actor, id: int) -> AnyResponse:
    """The words of a comment, for who may change them."""
    found = _find(actor, id, "update")
    form = WordsForm(formdata=None, data=found) if request.method == "GET" else WordsForm()
    around, status = frame(), 200
    minutes = around.settings["comment_edit_minutes"]
    if request.method == "POST":
        refused = tried(form, COMMENTS, lambda: _say(actor, id, form))
        if refused is None:
            return _back(found, "Your comment is changed.")
        status = refused
        if status == Stale.status:  # the newer words are shown: they may be replaced knowingly
            form.version.data = found["version"]
    return show(
        "remark.html", status, frame=around, comment=found, form=form,
        settled=not is_open(actor, found, minutes), minutes=minutes,
        until=_until(actor, found, minutes), changed=status == Stale.status,
        place=_place(found), page=_page(),
    )  # fmt: skip


@own
def delete_comment(actor: Actor, id: int) -> AnyResponse:
    """Take it back."""
    insist_on_own_page(FOREIGN)
    found = _find(actor, id, "delete")
    delete(COMMENTS, actor, id)
    return _back(found, "The comment is deleted.")


def is_open(actor: Actor, comment: dict[str, Any], minutes: int) -> bool:
    """Whether `actor`, who may change this one at all, still can; `minutes` is the site's setting."""
    return actor.at_least("moderator") or not is_settled(comment["created_at"], minutes)


def _until(actor: Actor, comment: dict[str, Any], minutes: int) -> str | None:
    """The end of the time for changes, where there is one."""
    end = settles_at(comment["created_at"], minutes)
    return None if end is None or actor.at_least("moderator") else rfc3339(end)


def is_own(actor: Actor, comment: dict[str, Any]) -> bool:
    """Whether `actor` has said it."""
    author = comment["author"]
    return author is not None and author["id"] == actor.user_id


def _find(actor: Actor, id: int, verb: str) -> dict[str, Any]:
    """The comment. Raises Missing, Refused."""
    found = read.one(COMMENTS, actor, id)
    if found.get("deleted_at"):
        raise Missing("This comment has been deleted.")
    if not may(COMMENTS, actor, verb, id):
        raise Refused("Only who wrote a comment can change it.")
    return found


def _say(actor: Actor, id: int, form: WordsForm) -> None:
    version = version_from(form.version.data or "")
    update(COMMENTS, actor, id, {"body": form.body.data or ""}, version=version)


def _page() -> int | None:
    """The page of the discussion that one came from."""
    return request.args.get("page", type=int)


def _place(comment: dict[str, Any]) -> str:
    anchor = f"comment-{comment['id']}"
    return url_for("site.post", slug=comment["post"]["slug"], page=_page(), _anchor=anchor)


def _back(comment: dict[str, Any], words: str) -> AnyResponse:
    flash(words)
    return redirect(_place(comment))
