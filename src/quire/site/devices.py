"""Where somebody is signed in, and the keys of his programs: seen, made and ended by himself."""

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access.sessions import end_others
from quire.actor import Actor
from quire.declare.clock import rfc3339, to_utc
from quire.declare.query import Condition, Query
from quire.errors import Missing
from quire.records import API_KEYS, COMMENTS, POSTS, SESSIONS
from quire.records.api_keys import scopes_of
from quire.site.forms import FOREIGN, insist_on_own_page, tried
from quire.site.looks import show
from quire.site.profile import back, own
from quire.site.profile_forms import KeyForm
from quire.store import read
from quire.store.write import Saved, create, delete

MOST = 100
RECENT = 5


def _mine(actor: Actor, field: str, number: int = MOST, sort: str = "-id") -> Query:
    own = (Condition(field, "eq", (actor.user_id,)),)
    return Query(conditions=own, sort=(sort,), page=1, per_page=number, count=True)


@own
def dashboard(actor: Actor) -> AnyResponse:
    """What somebody has written, and where he is signed in."""
    return show(
        "dashboard.html",
        posts=read.page(POSTS, actor, _mine(actor, "author", RECENT, "-updated_at")),
        comments=read.page(COMMENTS, actor, _mine(actor, "author", RECENT)),
        sessions=read.page(SESSIONS, actor, _mine(actor, "user", RECENT)),
        keys=read.page(API_KEYS, actor, _mine(actor, "owner", RECENT)),
    )


@own
def devices(actor: Actor) -> AnyResponse:
    """The devices and programs that are signed in; all others end by a button."""
    if request.method == "POST":
        insist_on_own_page(FOREIGN)
        end_others(actor)
        return back("devices", "All other devices are signed out.")
    found = read.page(SESSIONS, actor, _mine(actor, "user"))
    return show("sessions.html", sessions=found.rows)


@own
def end_device(actor: Actor, id: int) -> AnyResponse:
    """End one of them."""
    insist_on_own_page(FOREIGN)
    _delete(SESSIONS, actor, id)
    if id == actor.session_id:
        return redirect(url_for("site.login"))
    return back("devices", "That device is signed out.")


@own
def keys(actor: Actor) -> AnyResponse:
    """The keys of somebody's programs, and a form for another one, which is shown once."""
    form = KeyForm()
    form.scopes.choices = [(scope, scope) for scope in scopes_of(actor)]
    if request.method != "POST":
        return _keys(actor, form)
    made: list[Saved] = []
    status = tried(form, API_KEYS, lambda: made.append(create(API_KEYS, actor, _given(form))))
    if status is not None:
        return _keys(actor, form, status)
    return _keys(actor, _empty(form), 201, made[0].revealed["key"])


def _empty(form: KeyForm) -> KeyForm:
    blank = KeyForm(formdata=None)
    blank.scopes.choices = form.scopes.choices
    return blank


def _keys(actor: Actor, form: KeyForm, status: int = 200, key: str | None = None) -> AnyResponse:
    found = read.page(API_KEYS, actor, _mine(actor, "owner"))
    return show("keys.html", status, form=form, keys=found.rows, key=key)


def _given(form: KeyForm) -> dict[str, Any]:
    lines = (form.networks.data or "").splitlines()
    ends = form.expires_at.data
    return {
        "name": form.name.data or "",
        "scopes": form.scopes.data or [],
        "networks": [line.strip() for line in lines if line.strip()],
        "expires_at": rfc3339(to_utc(ends)) if ends else None,
    }


@own
def revoke_key(actor: Actor, id: int) -> AnyResponse:
    """Delete one of one's keys."""
    insist_on_own_page(FOREIGN)
    _delete(API_KEYS, actor, id)
    return back("keys", "The key is deleted. Nothing opens with it any more.")


def _delete(record: Any, actor: Actor, id: int) -> None:
    try:
        delete(record, actor, id)
    except Missing:  # pressed twice: it is gone, as was wanted
        return
