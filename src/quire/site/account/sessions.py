"""The user's sessions and API keys."""

from datetime import datetime
from typing import Any

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth.sessions import log_out_others
from quire.declare.clock import rfc3339, to_utc
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.errors import NotFound
from quire.records import API_KEYS, COMMENTS, POSTS, SESSIONS
from quire.records.api_keys import CONTENT_SCOPE, scopes_for
from quire.site.account.profile import login_required, redirect_with_message
from quire.site.account.profile_forms import KeyForm
from quire.site.forms import FOREIGN_PAGE, Refusal, require_own_page, submit
from quire.site.page import render_page
from quire.store import read
from quire.store.write import create, delete
from quire.web.language import gettext
from quire.web.time_zone import form_zone, zone_name

LIMIT = 100
RECENT = 5


def _own_rows(actor: Actor, field: str, number: int = LIMIT, sort: str = "-id") -> Query:
    own = (Condition(field, "eq", (actor.user_id,)),)
    return Query(conditions=own, sort=(sort,), page=1, per_page=number, count=True)


@login_required
def dashboard(actor: Actor) -> AnyResponse:
    """The user's posts and comments, and their sessions."""
    return render_page(
        "dashboard.html",
        posts=read.list_records(POSTS, actor, _own_rows(actor, "author", RECENT, "-updated_at")),
        comments=read.list_records(COMMENTS, actor, _own_rows(actor, "author", RECENT)),
        sessions=read.list_records(SESSIONS, actor, _own_rows(actor, "user", RECENT)),
        keys=read.list_records(API_KEYS, actor, _own_rows(actor, "owner", RECENT)),
    )


@login_required
def sessions(actor: Actor) -> AnyResponse:
    """The devices and programs that are signed in, with a button that signs out all others."""
    if request.method == "POST":
        require_own_page(FOREIGN_PAGE)
        log_out_others(actor)
        return redirect_with_message("sessions", gettext("All other devices have been signed out."))
    page = read.list_records(SESSIONS, actor, _own_rows(actor, "user"))
    return render_page("sessions.html", sessions=page.rows)


@login_required
def end_session(actor: Actor, id: int) -> AnyResponse:
    """End one of the user's sessions."""
    require_own_page(FOREIGN_PAGE)
    _delete(SESSIONS, actor, id)
    if id == actor.session_id:
        return redirect(url_for("site.login"))
    return redirect_with_message("sessions", gettext("The device has been signed out."))


@login_required
def api_keys(actor: Actor) -> AnyResponse:
    """The user's API keys, and the form for a new one, which is shown once."""
    form = KeyForm()
    form.scopes.choices = [(scope, scope) for scope in scopes_for(actor)]
    if current_app.config["COMPAT_GHOST"]:
        words = gettext(
            "%(scope)s, for the Ghost Content API: cannot be combined with others",
            scope=CONTENT_SCOPE,
        )
        form.scopes.choices.append((CONTENT_SCOPE, words))
    if request.method != "POST":
        return _keys_page(actor, form)
    saved = submit(form, API_KEYS, lambda: create(API_KEYS, actor, _form_values(form)))
    if isinstance(saved, Refusal):
        return _keys_page(actor, form, saved.status)
    return _keys_page(actor, _empty_form(form), 201, saved.revealed["key"])


def _empty_form(form: KeyForm) -> KeyForm:
    blank = KeyForm(formdata=None)
    blank.scopes.choices = form.scopes.choices
    return blank


def _keys_page(
    actor: Actor, form: KeyForm, status: int = 200, key: str | None = None
) -> AnyResponse:
    page = read.list_records(API_KEYS, actor, _own_rows(actor, "owner"))
    zone = zone_name(form_zone())
    sentences = (
        gettext("Time zone: %(zone)s.", zone=zone),
        gettext("Leave empty for a key that does not expire."),
    )
    form.expires_at.description = " ".join(sentences)
    return render_page("api_keys.html", status, form=form, keys=page.rows, key=key, zone=zone)


def _form_values(form: KeyForm) -> dict[str, Any]:
    lines = (form.networks.data or "").splitlines()
    return {
        "name": form.name.data or "",
        "scopes": form.scopes.data or [],
        "networks": [line.strip() for line in lines if line.strip()],
        "expires_at": _utc(form.expires_at.data),
    }


def _utc(typed: datetime | None) -> str | None:
    """Convert a time typed in the zone of the form to RFC 3339."""
    if typed is None:
        return None
    try:
        return rfc3339(typed.replace(tzinfo=form_zone()))
    except OverflowError:  # at the ends of the calendar, where an hour makes no difference
        return rfc3339(to_utc(typed))


@login_required
def revoke_key(actor: Actor, id: int) -> AnyResponse:
    """Delete one of the user's keys."""
    require_own_page(FOREIGN_PAGE)
    _delete(API_KEYS, actor, id)
    return redirect_with_message(
        "api_keys", gettext("The API key has been deleted. It no longer works.")
    )


def _delete(record: Any, actor: Actor, id: int) -> None:
    try:
        delete(record, actor, id)
    except NotFound:  # pressed twice: it is already deleted
        return
