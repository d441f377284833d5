"""Sign-in, sign-out, and the one-time page that creates the first administrator."""

from functools import partial

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth import first_admin, pending_login, sessions, totp, webauthn
from quire.auth.accounts import Account
from quire.auth.current_actor import current_actor
from quire.auth.login import check_password, record_login
from quire.errors import NotFound, PermissionDenied, Unauthenticated
from quire.records import USERS
from quire.site.account.after_login import PANEL, finish_login, start_page
from quire.site.account.second_step import continue_to_second_step
from quire.site.forms import AccountForm, LoginForm, Refusal, require_own_page, submit
from quire.site.page import render_page
from quire.site.paths import local_path
from quire.store.db import transaction
from quire.store.transactions.advisory_locks import advisory_lock
from quire.store.write import create
from quire.web.language import gettext


def login() -> AnyResponse:
    """Sign a user in and redirect them to the page they wanted."""
    actor = current_actor()
    target = local_path(request.args.get("next"))
    if request.method == "GET" and not actor.is_anonymous:
        return redirect(target or start_page(actor.at_least("author")))
    form = LoginForm()
    if request.method != "POST":
        return _login_page(form)
    account = submit(form, USERS, lambda: _check_password(form))
    if isinstance(account, Refusal):
        return _login_page(form, account.status)
    if totp.is_required_for(account):
        pending_login.begin(account, form.remember.data)
        return continue_to_second_step(target)
    record_login(account, partial(sessions.log_in, remember=form.remember.data), "password")
    return finish_login(account, target)


def _check_password(form: LoginForm) -> Account:
    email, password = form.email.data or "", form.password.data or ""
    if "\x00" in email + password:  # a database cannot store such text, so no account has it
        raise Unauthenticated("Invalid email or password", code="invalid_credentials")
    return check_password(email, password)


def _login_page(form: LoginForm, status: int = 200) -> Response:
    return render_page("login.html", status, form=form, passkeys=webauthn.relying_party())


def logout() -> AnyResponse:
    """Sign out."""
    require_own_page("You can only sign out from a page of this site. Go back and try again.")
    sessions.log_out(current_actor())
    flash(gettext("You have been signed out."))
    return redirect(url_for("site.home"))


def _form_values(form: AccountForm) -> dict[str, str]:
    return {name: form[name].data or "" for name in ("username", "email", "password")}


def create_first_admin(token: str) -> AnyResponse:
    """Create the first administrator, with the link from the console."""
    if not first_admin.is_valid(token):
        raise NotFound(
            "This link has been used or has expired. Restart the server to get a new one."
        )
    form = AccountForm()
    if request.method != "POST":
        return render_page("setup.html", form=form)
    by = current_actor().as_system()
    refusal = submit(form, USERS, lambda: _administrator(form, by, token))
    if refusal:
        return render_page("setup.html", refusal.status, form=form)
    first_admin.delete_token()
    return redirect(PANEL)


def _administrator(form: AccountForm, by: Actor, token: str) -> None:
    """Create the account and a session for it in one transaction."""
    with transaction():
        advisory_lock("administrators")
        if not first_admin.is_valid(token):  # two windows, one link: the first request wins
            raise PermissionDenied("The first administrator has already been created.")
        saved = create(USERS, by, {**_form_values(form), "role": "admin"})
        sessions.log_in(Account(saved.id, saved.state["username"], saved.state["role"]))
