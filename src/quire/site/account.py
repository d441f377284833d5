"""Sign in, sign out, register, and the one-time page that makes the first administrator."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import sessions, setup, signing_in
from quire.access.accounts import Account
from quire.access.request import current_actor
from quire.actor import Actor
from quire.errors import Missing, Refused, Unproven
from quire.records import USERS
from quire.site.forms import (
    EXPIRED,
    AccountForm,
    SignInForm,
    SignOutForm,
    explain,
    is_foreign,
    tried,
)
from quire.site.looks import frame, show
from quire.site.paths import local_path
from quire.store.db import transaction
from quire.store.write import Saved, create

PANEL = "/admin/"
"""Where those who write begin."""


def login() -> AnyResponse:
    """Ask who somebody is, and send him on to where he wanted to be."""
    actor = current_actor()
    wanted = local_path(request.args.get("next"))
    if request.method == "GET" and not actor.is_anonymous:
        return redirect(wanted or _start(actor.at_least("author")))
    form = SignInForm()
    if request.method == "GET":
        return _ask(form)
    form.validate()
    if is_foreign(form):
        form.form_errors.append(EXPIRED)
        return _ask(form, Refused.status)
    try:
        found = _proved(form)
    except Unproven as problem:
        explain(form, USERS, problem)
        return _ask(form, problem.status)
    sessions.begin(found, remember=form.remember.data)
    return redirect(wanted or _start(found.actor("session").at_least("author")))


def _proved(form: SignInForm) -> Account:
    email, password = form.email.data or "", form.password.data or ""
    if "\x00" in email + password:  # what no database holds cannot be asked for
        raise Unproven("Invalid email or password", code="invalid_credentials")
    return signing_in.by_password(email, password)


def _ask(form: SignInForm, status: int = 200) -> Response:
    return show("login.html", status, form=form)


def _start(writes: bool) -> str:
    return PANEL if writes else url_for("site.home")


def logout() -> AnyResponse:
    """End the session."""
    form = SignOutForm()
    form.validate()
    if is_foreign(form):
        raise Refused("Signing out needs a page of this site; go back and try again.")
    sessions.end(current_actor())
    flash("You are signed out.")
    return redirect(url_for("site.home"))


def register() -> AnyResponse:
    """Make an account of one's own, while that is open to everybody."""
    actor = current_actor()
    if not actor.is_anonymous:
        return redirect(_start(actor.at_least("author")))
    around = frame()
    if around.settings["registration"] != "open":
        raise Refused("Registration is not open here.")
    form = AccountForm()
    if request.method == "GET":
        return show("register.html", frame=around, form=form)
    status = tried(form, USERS, lambda: create(USERS, actor, _given(form)))
    if status is not None:
        return show("register.html", status, frame=around, form=form)
    flash("Registration successful. You can sign in now.")
    return redirect(url_for("site.login"))


def _given(form: AccountForm) -> dict[str, str]:
    return {name: form[name].data or "" for name in ("username", "email", "password")}


def first(token: str) -> AnyResponse:
    """The first administrator, by the link that the console shows."""
    if not setup.accepts(token):
        raise Missing("This link is used or outdated; starting the server again shows a new one.")
    form = AccountForm()
    if request.method == "GET":
        return show("setup.html", form=form)
    made: list[Saved] = []
    by = current_actor().as_system()
    status = tried(form, USERS, lambda: made.append(_administrator(form, by, token)))
    if status is not None:
        return show("setup.html", status, form=form)
    setup.close()
    state = made[0].state
    sessions.begin(Account(made[0].id, state["username"], state["role"]))
    return redirect(PANEL)


def _administrator(form: AccountForm, by: Actor, token: str) -> Saved:
    with transaction():
        if not setup.accepts(token):  # two windows, one link: the first one wins
            raise Refused("There is an administrator by now.")
        return create(USERS, by, {**_given(form), "role": "admin"})
