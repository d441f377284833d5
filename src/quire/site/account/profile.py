"""The user's account: profile, password, email address; each on its own page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth import account_deletion, account_links, passwords
from quire.auth.current_actor import current_actor
from quire.auth.sessions import clear_cookie, redirect_to_login
from quire.declare.query import Query
from quire.records import PROFILES, USERS
from quire.records.image_references import image_of
from quire.site.account.avatar import change_avatar
from quire.site.account.profile_forms import EmailForm, PasswordForm, ProfileForm, ProofForm
from quire.site.forms import submit
from quire.site.page import render_page
from quire.store import read
from quire.store.db import transaction
from quire.store.write import update
from quire.web.language import gettext, translate

Page = Callable[..., AnyResponse]
USER_FIELDS = ("username", "bio")
PROFILE_FIELDS = ("display_name", "location", "website")


def login_required(page: Callable[..., AnyResponse]) -> Page:
    """Decorate a page for signed-in users: `page(actor, ...)`."""

    @wraps(page)
    def for_account(**where: Any) -> AnyResponse:
        actor = current_actor()
        return redirect_to_login() if actor.user_id is None else page(actor, **where)

    return for_account


def redirect_with_message(endpoint: str, message: str) -> AnyResponse:
    """Redirect to the page after a change, with a message."""
    flash(message)
    return redirect(url_for(f"site.{endpoint}"))


def profile_of(actor: Actor) -> tuple[dict[str, Any], dict[str, Any]]:
    """The user and the profile of the actor."""
    id = actor.user_id or 0
    place = read.find_id(PROFILES, actor, user_id=id)
    user = read.get_record(USERS, actor, id, Query(fields=USERS.field_names))
    return user, read.get_record(PROFILES, actor, place or 0)


@login_required
def profile(actor: Actor) -> AnyResponse:
    """The public profile of the user."""
    user, about = profile_of(actor)
    form = ProfileForm(formdata=request.form if request.method == "POST" else None)
    portrait = image_of(user["avatar"])
    if request.method != "POST":
        _fill(form, user, about)
        return render_page("profile.html", form=form, user=user, portrait=portrait)
    refusal = submit(form, USERS, lambda: _save(actor, user, about, form))
    if refusal:
        return render_page("profile.html", refusal.status, form=form, user=user, portrait=portrait)
    return redirect_with_message("profile", gettext("Saved."))


def _fill(form: ProfileForm, user: dict[str, Any], about: dict[str, Any]) -> None:
    for name, state in ((USER_FIELDS, user), (PROFILE_FIELDS, about)):
        for field in name:
            form[field].data = state[field]
    form.language.data = user["language"]
    form.links.data = "\n".join(about["links"])
    form.comment_mail.data, form.digest.data = about["comment_mail"], about["digest"]


def _save(actor: Actor, user: dict[str, Any], about: dict[str, Any], form: ProfileForm) -> None:
    with transaction():
        account = {name: form[name].data or "" for name in USER_FIELDS}
        account["language"] = form.language.data or user["language"]
        update(USERS, actor, user["id"], account)
        raw: dict[str, Any] = {name: form[name].data or "" for name in PROFILE_FIELDS}
        raw["website"] = raw["website"] or None
        raw["links"] = [
            line.strip() for line in (form.links.data or "").splitlines() if line.strip()
        ]
        raw["comment_mail"] = bool(form.comment_mail.data)
        raw["digest"] = form.digest.data or about["digest"]
        update(PROFILES, actor, about["id"], raw)
        change_avatar(actor, user, remove=bool(form.no_picture.data))


@login_required
def password(actor: Actor) -> AnyResponse:
    """Change the password, and sign out all other devices."""
    form = PasswordForm()
    if request.method != "POST":
        return render_page("change_password.html", form=form)
    refusal = submit(form, USERS, lambda: _change_password(actor, form))
    if refusal:
        return render_page("change_password.html", refusal.status, form=form)
    return redirect_with_message(
        "password",
        gettext("Your password has been changed. All other devices have been signed out."),
    )


def _change_password(actor: Actor, form: PasswordForm) -> None:
    raw: dict[str, Any] = {n: form[n].data or "" for n in ("current_password", "password")}
    raw["keep_keys"] = not form.end_keys.data
    for notice in update(USERS, actor, actor.user_id or 0, raw).notices:
        flash(translate(notice))


@login_required
def email(actor: Actor) -> AnyResponse:
    """Request a new address: the link sent there changes it."""
    form, user = EmailForm(), read.get_record(USERS, actor, actor.user_id or 0)
    if request.method != "POST":
        return render_page("change_email.html", form=form, user=user)
    refusal = submit(form, USERS, lambda: _request_email_change(actor, form))
    if refusal:
        return render_page("change_email.html", refusal.status, form=form, user=user)
    return redirect_with_message(
        "email",
        gettext(
            "We have sent an email to the new address. Open the link in it to change your address."
        ),
    )


def _request_email_change(actor: Actor, form: EmailForm) -> None:
    passwords.require_current_password(actor, form.current_password.data or "")
    account_links.request_email_change(actor.user_id or 0, form.email.data or "")


@login_required
def delete_account(actor: Actor) -> AnyResponse:
    """Delete the account."""
    form = ProofForm()
    post_count = account_deletion.count_posts(actor)
    if request.method != "POST":
        return render_page("delete_account.html", form=form, post_count=post_count)
    password = form.current_password.data or ""
    refusal = submit(form, USERS, lambda: account_deletion.delete_account(actor, password))
    if refusal:
        return render_page("delete_account.html", refusal.status, form=form, post_count=post_count)
    clear_cookie()
    flash(gettext("Your account has been deleted."))
    return redirect(url_for("site.home"))


@login_required
def export(actor: Actor) -> AnyResponse:
    """All data about the user, as a download."""
    body = account_deletion.export_personal_data(actor)
    headers = {"Content-Disposition": 'attachment; filename="my-account.json"'}
    return Response(body, headers=headers, mimetype="application/json")
