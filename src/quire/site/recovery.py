"""What links in mails lead to: a new password, a verified address; and the page that asks for one."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import links
from quire.access.request import current_actor
from quire.errors import Missing
from quire.records import USERS
from quire.site.forms import AddressForm, NewPasswordForm, PressForm, tried
from quire.site.looks import show

ON_ITS_WAY = "If there is an account with this address, a mail is on its way."


def ask_reset() -> AnyResponse:
    """Ask for the address of whoever has forgotten his password; it is not told whether it is known."""
    form = AddressForm()
    if request.method != "POST":
        return show("reset.html", form=form)
    status = tried(form, USERS, lambda: links.ask_reset(form.email.data or ""))
    if status is not None:
        return show("reset.html", status, form=form)
    flash(ON_ITS_WAY)
    return redirect(url_for("site.login"))


def reset(token: str) -> AnyResponse:
    """Set a new password. Looking at the page does not use the link up: programs look at mail."""
    form = NewPasswordForm()
    actor = current_actor()
    try:
        links.opened(token, "reset")
        if request.method != "POST":
            return show("new_password.html", form=form)
        change = form.password.data or ""
        status = tried(form, USERS, lambda: links.reset_password(token, change, actor))
    except Missing as problem:
        return dead("reset", problem)
    if status is not None:
        return show("new_password.html", status, form=form)
    flash("Your password is changed. You can sign in with it now.")
    return redirect(url_for("site.login"))


def verify(token: str) -> AnyResponse:
    """Verify an address, by a button: programs that look at mail press none."""
    form = PressForm()
    actor = current_actor()
    try:
        link = links.opened(token, "verify", "email")
        if request.method != "POST":
            return show("verify.html", form=form, link=link)
        status = tried(form, USERS, lambda: links.verify(token, actor))
    except Missing as problem:
        return dead("verify", problem)
    if status is not None:
        return show("verify.html", status, form=form, link=link)
    flash("Your address is verified.")
    return redirect(url_for("site.login"))


def dead(purpose: str, problem: Missing) -> Response:
    """The page about a link that opens nothing, with the way to a new one."""
    return show("dead_link.html", problem.status, purpose=purpose, message=problem.message)
