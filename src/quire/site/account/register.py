"""Registration, open to everyone or by invitation."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth import account_links, registration
from quire.auth.current_actor import current_actor
from quire.errors import NotFound, PermissionDenied
from quire.records import USERS
from quire.site.account.after_login import start_page
from quire.site.account.reset import invalid_link_page
from quire.site.forms import AccountForm, InvitationForm, Refusal, submit
from quire.site.page import page_context, render_page
from quire.web.language import gettext, translate


def register() -> AnyResponse:
    """Create an account, if registration is open or with an invitation."""
    actor = current_actor()
    if not actor.is_anonymous:
        return redirect(start_page(actor.at_least("author")))
    if "invite" in request.args:
        return _accept_invitation(actor, request.args["invite"])
    around = page_context()
    if around.settings["registration"] == "invitation":
        raise PermissionDenied(
            "Registration is by invitation only. Open the link in your invitation."
        )
    if around.settings["registration"] != "open":
        raise PermissionDenied("Registration is closed.")
    form = AccountForm()
    if request.method != "POST":
        return render_page("register.html", frame=around, form=form)
    raw = {name: form[name].data or "" for name in ("username", "email", "password")}
    saved = submit(form, USERS, lambda: registration.register(actor, raw))
    if isinstance(saved, Refusal):
        return render_page("register.html", saved.status, frame=around, form=form)
    return _welcome(
        registration.VERIFICATION_SENT if saved is None else gettext("You can sign in now.")
    )


def _accept_invitation(actor: Actor, token: str) -> AnyResponse:
    form = InvitationForm()
    try:
        link = account_links.require_link(token, "invite")
        if request.method != "POST":
            return render_page("accept_invitation.html", form=form, link=link)
        raw = {name: form[name].data or "" for name in ("username", "password")}
        saved = submit(form, USERS, lambda: registration.accept_invitation(token, raw, actor))
    except NotFound as problem:
        return invalid_link_page("invite", problem)
    if isinstance(saved, Refusal):
        return render_page("accept_invitation.html", saved.status, form=form, link=link)
    return _welcome(gettext("You can sign in now."))


def _welcome(next_step: str) -> AnyResponse:
    flash(gettext("Registration successful. %(next_step)s", next_step=translate(next_step)))
    return redirect(url_for("site.login"))
