"""Records denied requests and invalid credentials in the audit.

Each process records only a limited number per minute, per actor or network and in total, so that a thousand denials do
not fill the audit. Expired tokens and anonymous requests are not recorded.
"""

import logging
from urllib.parse import quote

from flask import Flask, Request, Response, current_app, g
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from quire.actor import Actor
from quire.auth.current_actor import anonymous_actor, current_actor
from quire.declare.record import REGISTRY
from quire.errors import Problem, Unauthenticated
from quire.security.client_network import client_network
from quire.security.login_throttle import attempts_throttled
from quire.store.late_audit import record_event_soon
from quire.web.current import current_globals
from quire.web.request_hooks import after_request

logger = logging.getLogger("quire.audit")

ACTION = "denied"
EACH, ALL = parse("10/minute"), parse("300/minute")
EXTENSION = "denials"
PARTLY = "partly_denied"
"""Key in `g` for requests that were denied in part, though their response has another status."""
LONGEST, LONGEST_WORD = 200, 64
BROKEN_PROOF = 'error="invalid_token"'
EXPIRED = "expired"


def _denied_actor(response: Response) -> Actor | None:
    """Return the actor of a denial that is worth recording."""
    if response.status_code == 403 or g.get(PARTLY):
        try:
            actor = current_actor()
        except Unauthenticated:  # refused before the credentials were checked
            return anonymous_actor()
        return None if actor.is_anonymous else actor.impersonator or actor
    challenge = response.headers.get("WWW-Authenticate", "")
    return anonymous_actor() if BROKEN_PROOF in challenge and EXPIRED not in challenge else None


def _has_room(actor: Actor) -> bool:
    limiter: FixedWindowRateLimiter = current_app.extensions[EXTENSION]
    who = str(actor.user_id) if actor.user_id is not None else client_network(actor.ip)
    return limiter.hit(EACH, who) and limiter.hit(ALL)


def _target(request: Request) -> tuple[str, int | None]:
    """Return the type and id of the request's target, if its URL contains them."""
    parts = [part for part in request.path.split("/") if part]
    target = next((part for part in parts if part in REGISTRY), parts[0] if parts else "site")
    id = (request.view_args or {}).get("id")
    return quote(target)[:LONGEST_WORD], id if isinstance(id, int) else None


def note_partial_denial() -> None:
    """Record this request as denied because some of its operations were denied."""
    g.setdefault(PARTLY, True)


def _note(request: Request, response: Response) -> Response:
    if response.status_code not in (401, 403) and not current_globals().get(PARTLY):
        return response
    try:
        actor = _denied_actor(response)
        if actor is not None and _has_room(actor):
            request_line = f"{request.method} {quote(request.path)}"
            record_event_soon(actor, ACTION, *_target(request), request_line[:LONGEST])
    except Problem as problem:  # the response matters more than this record
        logger.warning("A refusal could not be noted: %s", problem.message)
    return response


@attempts_throttled.connect
def _note_throttled(actor: Actor, id: int | None, kind: str) -> None:
    """Record that attempts are being slowed down."""
    record_event_soon(actor, "sign_in_throttled", "users", id, kind)


def init_app(app: Flask) -> None:
    """Record denials by this application."""
    app.extensions[EXTENSION] = FixedWindowRateLimiter(MemoryStorage())
    after_request(app, _note)
