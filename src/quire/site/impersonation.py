"""Ends an impersonation, from any page."""

from flask import flash, redirect
from werkzeug.wrappers import Response as AnyResponse

from quire.auth import impersonation
from quire.auth.current_actor import check_csrf, current_actor
from quire.web.language import gettext

PEOPLE = "/admin/users/"


def stop_viewing() -> AnyResponse:
    """Stop the impersonation, and go to the page of that user."""
    actor = current_actor()
    check_csrf(actor)
    user = impersonation.stop(actor)
    if user is None:
        return redirect(PEOPLE)
    flash(gettext("You are no longer viewing as %(username)s.", username=actor.username))
    return redirect(f"{PEOPLE}details/?id={user}")
