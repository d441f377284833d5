"""Cursors of the change feed: signed places, bound to the feed's epoch and the reader's permissions."""

import hashlib
from datetime import timedelta
from functools import lru_cache
from typing import Any

from flask import current_app

from quire.actor import Actor
from quire.declare.clock import now
from quire.errors import CursorExpired, invalid_parameter
from quire.store.events.change_feed import Place
from quire.store.events.feed_position import FeedPosition
from quire.store.lists.cursor import seal, unseal
from quire.web.current import current_config

START = "start"
"""The cursor that starts with everything there is, followed by changes."""
_PARTS = 5


def after_list(actor: Actor, feed: FeedPosition) -> str:
    """The cursor for changes after a list was read."""
    return encode(actor, feed.epoch, Place(feed.last))


def encode(actor: Actor, epoch: str, place: Place) -> str:
    """Encode a place as text."""
    created = int(now().timestamp())
    reader = _reader(actor.role, actor.scopes)
    secret = current_config()["SECRET_KEY"]
    return _seal(secret, epoch, created, reader, place.position, place.walk)


@lru_cache(100)
def _seal(_secret: str, *parts: Any) -> str:
    """Seal `parts` with the application's secret; cached, as lists read in the same second share a cursor."""
    return seal(parts)


def decode(actor: Actor, feed: FeedPosition, text: str | None) -> Place | None:
    """Decode the cursor that a client sent; None without one. Raises BadRequest and CursorExpired."""
    if text is None:
        return None
    if text == START:
        return Place(feed.last, ("", 0))
    parts = unseal(text)
    if parts is None or len(parts) != _PARTS:
        raise invalid_parameter("since", "since must be a cursor of this feed, or “start”.")
    epoch, created, reader, position, walk = parts
    if epoch != feed.epoch or _is_old(created):
        raise CursorExpired("This cursor is too old. Start again with since=start.")
    if reader != _reader(actor.role, actor.scopes):
        raise CursorExpired(
            "This cursor was given when you could see something else. Start again with since=start."
        )
    return Place(position, tuple(walk) if walk else None)


def _is_old(created: int) -> bool:
    days: int = current_app.config["CHANGES_DAYS"]
    return created < (now() - timedelta(days=days)).timestamp()


@lru_cache(1000)
def _reader(role: str, scopes: frozenset[str] | None) -> str:
    """A hash shared by all readers with the same permissions."""
    scope_names: Any = None if scopes is None else sorted(scopes)
    return hashlib.sha256(repr((role, scope_names)).encode()).hexdigest()[:12]
