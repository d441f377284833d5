"""Sign in, sign out, register, and the one-time page that makes the first administrator."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import ceremonies, half_way, sessions, setup, signing_in, two_factor
from quire.access.accounts import Account
from quire.access.request import current_actor
from quire.actor import Actor
from quire.errors import Missing, Refused, Unproven
from quire.records import USERS
from quire.site.entrance import PANEL, enter, start
from quire.site.forms import AccountForm, SignInForm, insist_on_own_page, tried
from quire.site.looks import show
from quire.site.paths import local_path
from quire.site.second_step import go_on
from quire.store.db import transaction
from quire.store.write import Saved, create


def login() -> AnyResponse:
    """Ask who somebody is, and send him on to where he wanted to be."""
    actor = current_actor()
    wanted = local_path(request.args.get("next"))
    if request.method == "GET" and not actor.is_anonymous:
        return redirect(wanted or start(actor.at_least("author")))
    form = SignInForm()
    if request.method != "POST":
        return _ask(form)
    proved: list[Account] = []
    status = tried(form, USERS, lambda: proved.append(_proved(form)))
    if status is not None:
        return _ask(form, status)
    found = proved[0]
    if two_factor.is_owed_by(found):
        half_way.begin(found, form.remember.data)
        return go_on(wanted)
    signing_in.complete(found, "password")
    return enter(found, form.remember.data, wanted)


def _proved(form: SignInForm) -> Account:
    email, password = form.email.data or "", form.password.data or ""
    if "\x00" in email + password:  # what no database holds cannot be asked for
        raise Unproven("Invalid email or password", code="invalid_credentials")
    return signing_in.first_step(email, password)


def _ask(form: SignInForm, status: int = 200) -> Response:
    return show("login.html", status, form=form, passkeys=ceremonies.place())


def logout() -> AnyResponse:
    """End the session."""
    insist_on_own_page("Signing out needs a page of this site; go back and try again.")
    sessions.end(current_actor())
    flash("You are signed out.")
    return redirect(url_for("site.home"))


def _given(form: AccountForm) -> dict[str, str]:
    return {name: form[name].data or "" for name in ("username", "email", "password")}


def first(token: str) -> AnyResponse:
    """The first administrator, by the link that the console shows."""
    if not setup.accepts(token):
        raise Missing("This link is used or outdated; starting the server again shows a new one.")
    form = AccountForm()
    if request.method != "POST":
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
