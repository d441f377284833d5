"""Viewing as somebody else: an administrator sees what that person sees, and changes nothing.

Whom he views as stands in the signed cookie, together with the session of his own that it was
begun in: it is worth nothing in any other. His rights and the other's account are looked at anew
at each request.
"""

from flask import request, session

from quire.access.accounts import Account, with_id
from quire.actor import Actor
from quire.errors import Conflict, Refused
from quire.store.audit import note

KEY = "viewing"
STOP = "site.stop_viewing"
"""The one change that is possible meanwhile."""


def begin(viewer: Actor, other: Account) -> None:
    """See everything as `other` does from now on. Raises Refused, Conflict."""
    if viewer.role != "admin" or viewer.proof != "session":
        raise Refused("This needs the role admin, and a browser that is signed in.")
    if other.role == "admin":
        raise Refused("Nobody views as another administrator.")
    if not other.is_active:
        raise Conflict("This account cannot sign in, so there is nothing to see.")
    session[KEY] = [other.id, viewer.session_id]
    note(viewer, "view_as", "users", other.id)


def end(actor: Actor) -> int | None:
    """See with one's own eyes again; the id of the one who was viewed as."""
    session.pop(KEY, None)
    if actor.viewer is None:
        return None
    note(actor.viewer, "stop_viewing", "users", actor.user_id)
    return actor.user_id


def through(actor: Actor) -> Actor:
    """The actor whose eyes the holder of this browser session looks through: mostly his own."""
    if actor.role != "admin" or KEY not in session:
        return actor
    id, begun_in = session[KEY]
    other = with_id(id) if begun_in == actor.session_id else None
    if other is None or other.role == "admin" or not other.is_active:
        return actor
    return other.actor(
        actor.proof, door=actor.door, ip=actor.ip, request_id=actor.request_id, viewer=actor
    )


def refuse_change(actor: Actor) -> None:
    """Refuse what is more than looking. Raises Refused."""
    if actor.viewer is not None and request.endpoint != STOP:
        raise Refused(f"You are viewing as {actor.username}: nothing can be changed meanwhile.")
