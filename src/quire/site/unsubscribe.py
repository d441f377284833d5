"""The page that unsubscribes from emails of one kind: asks for confirmation, but not for a sign-in.

Mail programs post to the same URL for one-click unsubscription (RFC 8058), so the signed link is the only
credential.
"""

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from quire.auth.current_actor import current_actor
from quire.errors import NotFound
from quire.jobs.mail.unsubscribe import parse_token, unsubscribe_user
from quire.site.page import render_page


def unsubscribe(token: str) -> AnyResponse:
    """Ask for confirmation, then unsubscribe from emails of one kind."""
    recipient = parse_token(token)
    if recipient is None:
        raise NotFound("This link is incomplete.")
    if request.method == "POST":
        unsubscribe_user(*recipient, current_actor())
    return render_page("unsubscribe.html", kind=recipient[1], done=request.method == "POST")
