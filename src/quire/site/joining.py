"""Registering: open to everybody, or by the link of an invitation."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import joining, links
from quire.access.request import current_actor
from quire.actor import Actor
from quire.errors import Missing, Refused
from quire.records import USERS
from quire.site.entrance import start
from quire.site.forms import AccountForm, InvitedForm, tried
from quire.site.looks import frame, show
from quire.site.recovery import dead
from quire.store.write import Saved


def register() -> AnyResponse:
    """Make an account of one's own, while that is open to everybody or with an invitation."""
    actor = current_actor()
    if not actor.is_anonymous:
        return redirect(start(actor.at_least("author")))
    if "invite" in request.args:
        return _invited(actor, request.args["invite"])
    around = frame()
    if around.settings["registration"] == "invitation":
        raise Refused("Registration is by invitation here: open the link of yours.")
    if around.settings["registration"] != "open":
        raise Refused("Registration is not open here.")
    form = AccountForm()
    if request.method != "POST":
        return show("register.html", frame=around, form=form)
    made: list[Saved | None] = []
    raw = {name: form[name].data or "" for name in ("username", "email", "password")}
    status = tried(form, USERS, lambda: made.append(joining.register(actor, raw)))
    if status is not None:
        return show("register.html", status, frame=around, form=form)
    return _welcome(joining.ON_ITS_WAY if made[0] is None else "You can sign in now.")


def _invited(actor: Actor, token: str) -> AnyResponse:
    form = InvitedForm()
    try:
        link = links.opened(token, "invite")
        if request.method != "POST":
            return show("invited.html", form=form, link=link)
        raw = {name: form[name].data or "" for name in ("username", "password")}
        status = tried(form, USERS, lambda: joining.accept(token, raw, actor))
    except Missing as problem:
        return dead("invite", problem)
    if status is not None:
        return show("invited.html", status, form=form, link=link)
    return _welcome("You can sign in now.")


def _welcome(next_step: str) -> AnyResponse:
    flash(f"Registration successful. {next_step}")
    return redirect(url_for("site.login"))
