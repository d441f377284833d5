"""Impersonation: an administrator sees what another user sees, without being able to change anything.

The user's id is in the signed cookie, bound to the administrator's session. The permissions of both are checked on each
request.
"""

from flask import request, session

from quire.actor import Actor
from quire.auth.accounts import Account, by_id
from quire.errors import Conflict, PermissionDenied
from quire.store.audit import record_event
from quire.translations.messages import Message

KEY = "viewing"
STOP = "site.stop_viewing"
"""The only change allowed meanwhile."""


def start(viewer: Actor, other: Account) -> None:
    """View everything as `other` from now on. Raises PermissionDenied, Conflict."""
    if viewer.role != "admin" or viewer.proof != "session":
        raise PermissionDenied("Only administrators who are signed in with a browser can do this.")
    if other.role == "admin":
        raise PermissionDenied("You cannot view as another administrator.")
    if not other.is_active:
        raise Conflict("You cannot view as this user: the account cannot sign in.")
    session[KEY] = [other.id, viewer.session_id]
    record_event(viewer, "view_as", "users", other.id)


def stop(actor: Actor) -> int | None:
    """Stop viewing as someone else; return the id of that user."""
    session.pop(KEY, None)
    if actor.impersonator is None:
        return None
    record_event(actor.impersonator, "stop_viewing", "users", actor.user_id)
    return actor.user_id


def effective_actor(actor: Actor) -> Actor:
    """Return the impersonated actor, or without impersonation the actor themselves."""
    if actor.role != "admin" or KEY not in session:
        return actor
    id, begun_in = session[KEY]
    other = by_id(id) if begun_in == actor.session_id else None
    if other is None or other.role == "admin" or not other.is_active:
        return actor
    return other.actor(
        actor.proof,
        door=actor.door,
        ip=actor.ip,
        request_id=actor.request_id,
        impersonator=actor,
    )


def refuse_write(actor: Actor) -> None:
    """Refuse any change. Raises PermissionDenied."""
    if actor.impersonator is not None and request.endpoint != STOP:
        raise PermissionDenied(
            Message(
                "You are viewing as %(username)s. Stop viewing before you change anything.",
                username=actor.username,
            )
        )
