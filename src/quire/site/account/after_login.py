"""What follows every way to sign in: the page to continue on."""

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.auth.accounts import Account
from quire.site.account.resubmit import offer_resubmission, pending_form

PANEL = "/admin/"
"""The start page of authors."""


def start_page(writes: bool) -> str:
    """The start page, if no other page was requested."""
    return PANEL if writes else url_for("site.home")


def finish_login(owner: Account, target: str | None) -> AnyResponse:
    """Redirect a user who has just signed in to the page they wanted; to the setup of a second factor if they
    need one; or to a form that was interrupted when their session expired."""
    if owner.needs_second_factor:
        return redirect(url_for("site.two_factor"))
    if form := pending_form():
        return offer_resubmission(owner, form)
    return redirect(target or start_page(owner.actor("session").at_least("author")))
