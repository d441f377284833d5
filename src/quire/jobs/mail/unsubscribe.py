"""Links that end mail of a kind for a user: signed, without expiry, and valid for nothing else."""

from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.store.read import find_id
from quire.store.write import update

KINDS: dict[str, dict[str, Any]] = {
    "comments": {"comment_mail": False},
    "digest": {"digest": "never"},
}
"""Kinds of mail that can be ended, and the value that the profile then has."""


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="unsubscribe")


def create_token(user_id: int, kind: str) -> str:
    """Create the token in the link."""
    return str(_signer().dumps([user_id, kind]))


def unsubscribe_headers(url: str) -> dict[str, str]:
    """Return headers for the mail program's unsubscribe button, if mail of this kind can be ended (RFC 8058)."""
    if not url:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def parse_token(text: str) -> tuple[int, str] | None:
    """Return the user and the kind of mail in a token; None if we did not issue it."""
    try:
        user_id, kind = _signer().loads(text)
    except BadData:
        return None
    return user_id, kind


def unsubscribe_user(user_id: int, kind: str, by: Actor) -> None:
    """End mail of this kind for a user who still exists."""
    profiles = REGISTRY["profiles"]
    profile = find_id(profiles, by.as_system(), user_id=user_id)
    if profile is not None:
        update(profiles, by.as_system(), profile, KINDS[kind])
