"""One's own account: what others see, the password, the address; each on a page of its own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import leaving, links, passwords
from quire.access.request import current_actor
from quire.access.sessions import forget, to_sign_in
from quire.actor import Actor
from quire.records import PROFILES, USERS
from quire.site.forms import tried
from quire.site.looks import show
from quire.site.portraits import change_portrait
from quire.site.profile_forms import EmailForm, PasswordForm, ProfileForm, ProofForm
from quire.store import read
from quire.store.db import transaction
from quire.store.pictures import picture_of
from quire.store.write import update

Page = Callable[..., AnyResponse]
OF_USER = ("username", "bio")
OF_PROFILE = ("display_name", "location", "website")


def own(page: Callable[..., AnyResponse]) -> Page:
    """A page that is shown to whoever is signed in, about himself: `page(actor, ...)`."""

    @wraps(page)
    def shown(**where: Any) -> AnyResponse:
        actor = current_actor()
        return to_sign_in() if actor.user_id is None else page(actor, **where)

    return shown


def back(endpoint: str, said: str) -> AnyResponse:
    """After a change: its page again, and what has come of it."""
    flash(said)
    return redirect(url_for(f"site.{endpoint}"))


def profile_of(actor: Actor) -> tuple[dict[str, Any], dict[str, Any]]:
    """The user and the profile of the one who asks."""
    id = actor.user_id or 0
    place = read.find_id(PROFILES, actor, user_id=id)
    return read.one(USERS, actor, id), read.one(PROFILES, actor, place or 0)


@own
def profile(actor: Actor) -> AnyResponse:
    """What others see of somebody."""
    user, about = profile_of(actor)
    form = ProfileForm(formdata=request.form if request.method == "POST" else None)
    portrait = picture_of(user["avatar"])
    if request.method != "POST":
        _fill(form, user, about)
        return show("profile.html", form=form, user=user, portrait=portrait)
    status = tried(form, USERS, lambda: _save(actor, user, about, form))
    if status is not None:
        return show("profile.html", status, form=form, user=user, portrait=portrait)
    return back("profile", "Saved.")


def _fill(form: ProfileForm, user: dict[str, Any], about: dict[str, Any]) -> None:
    for name, held in ((OF_USER, user), (OF_PROFILE, about)):
        for field in name:
            form[field].data = held[field]
    form.links.data = "\n".join(about["links"])
    form.comment_mail.data, form.digest.data = about["comment_mail"], about["digest"]


def _save(actor: Actor, user: dict[str, Any], about: dict[str, Any], form: ProfileForm) -> None:
    with transaction():
        update(USERS, actor, user["id"], {name: form[name].data or "" for name in OF_USER})
        raw: dict[str, Any] = {name: form[name].data or "" for name in OF_PROFILE}
        raw["website"] = raw["website"] or None
        raw["links"] = [
            line.strip() for line in (form.links.data or "").splitlines() if line.strip()
        ]
        raw["comment_mail"] = bool(form.comment_mail.data)
        raw["digest"] = form.digest.data or about["digest"]
        update(PROFILES, actor, about["id"], raw)
        change_portrait(actor, user, remove=bool(form.no_picture.data))


@own
def password(actor: Actor) -> AnyResponse:
    """Another password; all other devices are signed out by it."""
    form = PasswordForm()
    status = 200 if request.method != "POST" else tried(form, USERS, lambda: _set(actor, form))
    if status is None:
        return back("password", "Your password is changed. All other devices are signed out.")
    return show("password.html", status, form=form)


def _set(actor: Actor, form: PasswordForm) -> None:
    raw = {name: form[name].data or "" for name in ("current_password", "password")}
    update(USERS, actor, actor.user_id or 0, raw)


@own
def email(actor: Actor) -> AnyResponse:
    """Another address: a link goes there, and changes it."""
    form = EmailForm()
    status = 200 if request.method != "POST" else tried(form, USERS, lambda: _ask(actor, form))
    if status is None:
        return back("email", "A mail is on its way to the new address. Its link changes it.")
    return show("email.html", status, form=form, user=read.one(USERS, actor, actor.user_id or 0))


def _ask(actor: Actor, form: EmailForm) -> None:
    passwords.confirm(actor, form.current_password.data or "")
    links.ask_new_address(actor.user_id or 0, form.email.data or "")


@own
def leave(actor: Actor) -> AnyResponse:
    """Delete one's account."""
    form = ProofForm()
    kept = leaving.posts_of(actor)
    if request.method != "POST":
        return show("leave.html", form=form, kept=kept)
    status = tried(form, USERS, lambda: leaving.leave(actor, form.current_password.data or ""))
    if status is not None:
        return show("leave.html", status, form=form, kept=kept)
    forget()
    flash("Your account is deleted.")
    return redirect(url_for("site.home"))


@own
def export(actor: Actor) -> AnyResponse:
    """All that is kept about somebody, as a file for himself."""
    body = leaving.everything_about(actor)
    headers = {"Content-Disposition": 'attachment; filename="my-account.json"'}
    return Response(body, headers=headers, mimetype="application/json")
