"""The end of viewing as somebody else, from wherever that has led."""

from flask import flash, redirect
from werkzeug.wrappers import Response as AnyResponse

from quire.access import viewing
from quire.access.request import check_csrf, current_actor

PEOPLE = "/admin/users/"


def stop_viewing() -> AnyResponse:
    """Back to one's own eyes, on the page of the one who was viewed as."""
    actor = current_actor()
    check_csrf(actor)
    seen = viewing.end(actor)
    if seen is None:
        return redirect(PEOPLE)
    flash(f"You see with your own eyes again, no longer as {actor.username}.")
    return redirect(f"{PEOPLE}details/?id={seen}")
