"""Challenges for passkeys: in the signed cookie, good for some minutes and for one purpose."""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import session

from quire.declare.clock import now

NAME = "challenge"
SECONDS = 300


@dataclass(frozen=True)
class Challenge:
    """Random bytes that a passkey has to sign, and when they were given out."""

    value: bytes
    given_at: datetime


def give(purpose: str) -> bytes:
    """A new challenge; the one before is forgotten."""
    value = secrets.token_bytes(32)
    text = base64.b64encode(value).decode("ascii")
    session[NAME] = [purpose, text, int(now().timestamp())]
    return value


def take(purpose: str) -> Challenge | None:
    """The challenge that was given for `purpose`; it is forgotten, whatever comes of it."""
    given_for, text, moment = session.pop(NAME, None) or ("", "", 0)
    if given_for != purpose or moment + SECONDS <= now().timestamp():
        return None
    return Challenge(base64.b64decode(text), datetime.fromtimestamp(moment, UTC))
