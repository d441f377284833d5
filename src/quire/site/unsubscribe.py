"""The page behind the links that end mail of a kind: it asks first, and works without a sign-in.

A mail program posts to the same address by itself when its reader presses its button (RFC 8058), so
the signed link is all the proof there is.
"""

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from quire.auth.current_actor import current_actor
from quire.errors import NotFound
from quire.jobs.mail import unsubscribe as mail_unsubscribe
from quire.site.page import render_page


def unsubscribe(token: str) -> AnyResponse:
    """Ask, then end mail of one kind."""
    recipient = mail_unsubscribe.parse_token(token)
    if recipient is None:
        raise NotFound("This link is incomplete.")
    if request.method == "POST":
        mail_unsubscribe.unsubscribe(*recipient, current_actor())
    return render_page("unsubscribe.html", kind=recipient[1], done=request.method == "POST")
