"""Pages for links in emails: a new password, a verified address; and the page that requests such a link."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.auth import account_links
from quire.auth.current_actor import current_actor
from quire.errors import NotFound
from quire.records import USERS
from quire.site.forms import AddressForm, ButtonForm, NewPasswordForm, submit
from quire.site.page import render_page
from quire.translations.messages import Message
from quire.web.language import gettext, translate

RESET_SENT = Message("If there is an account with this email address, we have sent it an email.")


def request_reset() -> AnyResponse:
    """Request a reset link; the response does not reveal whether the address is known."""
    form = AddressForm()
    if request.method != "POST":
        return render_page("reset.html", form=form)
    address = form.email.data or ""
    refusal = submit(form, USERS, lambda: account_links.request_password_reset(address))
    if refusal:
        return render_page("reset.html", refusal.status, form=form)
    flash(translate(RESET_SENT))
    return redirect(url_for("site.login"))


def reset(token: str) -> AnyResponse:
    """Set a new password.

    Opening the page does not use up the link, since programs open links in emails.
    """
    form = NewPasswordForm()
    actor = current_actor()
    try:
        account_links.require_link(token, "reset")
        if request.method != "POST":
            return render_page("new_password.html", form=form)
        password = form.password.data or ""
        refusal = submit(form, USERS, lambda: account_links.reset_password(token, password, actor))
    except NotFound as problem:
        return invalid_link_page("reset", problem)
    if refusal:
        return render_page("new_password.html", refusal.status, form=form)
    flash(gettext("Your password has been changed. You can now sign in with it."))
    return redirect(url_for("site.login"))


def verify(token: str) -> AnyResponse:
    """Verify an address with a button, since programs that open links do not press it."""
    form = ButtonForm()
    actor = current_actor()
    try:
        link = account_links.require_link(token, "verify", "email")
        if request.method != "POST":
            return render_page("verify.html", form=form, link=link)
        refusal = submit(form, USERS, lambda: account_links.verify_address(token, actor))
    except NotFound as problem:
        return invalid_link_page("verify", problem)
    if refusal:
        return render_page("verify.html", refusal.status, form=form, link=link)
    flash(gettext("Your email address is verified."))
    return redirect(url_for("site.login"))


def invalid_link_page(purpose: str, problem: NotFound) -> Response:
    """The page for an invalid link, which tells how to get a new one."""
    return render_page(
        "invalid_link.html", problem.status, purpose=purpose, message=translate(problem.message)
    )
