"""The page behind the links that end mail of a kind: it asks first, and works without a sign-in.

A mail program posts to the same address by itself when its reader presses its button (RFC 8058), so
the signed link is all the proof there is.
"""

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from quire.access.request import current_actor
from quire.errors import Missing
from quire.site.looks import show
from quire.store import unsubscribing


def unsubscribe(token: str) -> AnyResponse:
    """Ask, then end mail of one kind."""
    found = unsubscribing.opened(token)
    if found is None:
        raise Missing("This link is incomplete.")
    if request.method == "POST":
        unsubscribing.unsubscribe(*found, current_actor())
    return show("unsubscribe.html", kind=found[1], done=request.method == "POST")
