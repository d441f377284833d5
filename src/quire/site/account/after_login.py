"""Behind every way to sign in: the page where somebody goes on."""

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.auth.accounts import Account
from quire.site.account.resubmit import offer_resubmission, pending_form

PANEL = "/admin/"
"""Where those who write begin."""


def start_page(writes: bool) -> str:
    """Where somebody begins who wanted nothing else."""
    return PANEL if writes else url_for("site.home")


def finish_login(owner: Account, target: str | None) -> AnyResponse:
    """Send somebody who has signed in on to where he wanted to be; who lacks a second factor that he
    needs is led to where he gets one, who has sent a form too late may send it again."""
    if owner.needs_second_factor:
        return redirect(url_for("site.two_factor"))
    if form := pending_form():
        return offer_resubmission(owner, form)
    return redirect(target or start_page(owner.actor("session").at_least("author")))
