"""Behind every way to sign in: a session, and the page where somebody goes on."""

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import sessions
from quire.access.accounts import Account
from quire.site.resume import carried, offer

PANEL = "/admin/"
"""Where those who write begin."""


def start(writes: bool) -> str:
    """Where somebody begins who wanted nothing else."""
    return PANEL if writes else url_for("site.home")


def enter(owner: Account, remember: bool, wanted: str | None) -> AnyResponse:
    """Sign somebody in and send him on to where he wanted to be; who lacks a second factor that he
    needs is led to where he gets one, who has sent a form too late may send it again."""
    sessions.begin(owner, remember)
    if owner.is_held_back:
        return redirect(url_for("site.two_factor"))
    if kept := carried():
        return offer(owner, kept)
    return redirect(wanted or start(owner.actor("session").at_least("author")))
