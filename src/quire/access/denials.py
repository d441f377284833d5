"""Refusals go to the audit: what somebody was not allowed to do, and proofs that prove nothing.

A process keeps some of them each minute, from each actor or network and in all: whoever is refused
a thousand times leaves no thousand rows. Expired tokens and strangers without a proof are no news.
"""

import logging
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from quire.access.request import asker, current_actor
from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.errors import Problem
from quire.store.audit import note
from quire.store.networks import client_network

logger = logging.getLogger("quire.audit")

ACTION = "denied"
EACH, ALL = parse("10/minute"), parse("300/minute")
KEPT = "denials"
LONGEST, LONGEST_WORD = 200, 64
BROKEN_PROOF = 'error="invalid_token"'
EXPIRED = "expired"


def _denied(response: Response) -> Actor | None:
    """Who was denied something that is worth a note."""
    if response.status_code == 403:
        found = current_actor()
        return None if found.is_anonymous else found.viewer or found
    said = response.headers.get("WWW-Authenticate", "")
    return asker() if BROKEN_PROOF in said and EXPIRED not in said else None


def _has_room(actor: Actor) -> bool:
    kept: FixedWindowRateLimiter = current_app.extensions[KEPT]
    who = str(actor.user_id) if actor.user_id is not None else client_network(actor.ip)
    return kept.hit(EACH, who) and kept.hit(ALL)


def _what() -> tuple[str, int | None]:
    """The type and id that the request was about, as far as its address says so."""
    parts = [part for part in request.path.split("/") if part]
    found = next((part for part in parts if part in REGISTRY), parts[0] if parts else "site")
    id = (request.view_args or {}).get("id")
    return quote(found)[:LONGEST_WORD], id if isinstance(id, int) else None


def _note(response: Response) -> Response:
    if response.status_code not in (401, 403):
        return response
    try:
        actor = _denied(response)
        if actor is not None and _has_room(actor):
            asked = f"{request.method} {quote(request.path)}"
            note(actor, ACTION, *_what(), asked[:LONGEST])
    except Problem as problem:  # the answer is worth more than the note about it
        logger.warning("A refusal could not be noted: %s", problem.message)
    return response


def init_app(app: Flask) -> None:
    """Note what this application refuses."""
    app.extensions[KEPT] = FixedWindowRateLimiter(MemoryStorage())
    app.after_request(_note)
