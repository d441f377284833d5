"""Cursors of the feed of changes: a place, signed, bound to the feed's epoch and to what its reader may see."""

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
"""The cursor of who wants all that is there, and then what changes."""
_PARTS = 5


def after_list(actor: Actor, feed: FeedPosition) -> str:
    """The cursor for what changes behind a list."""
    return encode(actor, feed.epoch, Place(feed.last))


def encode(actor: Actor, epoch: str, place: Place) -> str:
    """The text of a place."""
    created = int(now().timestamp())
    reader = _reader(actor.role, actor.scopes)
    secret = current_config()["SECRET_KEY"]
    return _seal(secret, epoch, created, reader, place.position, place.walk)


@lru_cache(100)
def _seal(_secret: str, *parts: Any) -> str:
    """The text of these parts under the secret of the application: lists of one second share it."""
    return seal(parts)


def decode(actor: Actor, feed: FeedPosition, text: str | None) -> Place | None:
    """The place that a client names; None without one. Raises BadRequest and CursorExpired."""
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
    """What stands for all that may see the same."""
    scope_names: Any = None if scopes is None else sorted(scopes)
    return hashlib.sha256(repr((role, scope_names)).encode()).hexdigest()[:12]
