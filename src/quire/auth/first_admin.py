"""The one-time link that creates the first administrator, printed on the console."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from quire.records import USERS
from quire.store.db import read_connection

_users = USERS.model.__table__


def is_needed() -> bool:
    """Return whether this installation has no administrator yet."""
    active = (_users.c.role == "admin") & _users.c.is_active
    with read_connection() as connection:
        return connection.execute(select(_users.c.id).where(active).limit(1)).first() is None


def create_token() -> str:
    """Create a token for the link; earlier ones become invalid."""
    token = secrets.token_urlsafe(32)
    path = _path()
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(_hash(token))
    return token


def is_valid(token: str) -> bool:
    """Return whether `token` is the latest one and has not been used."""
    try:
        stored = _path().read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return hmac.compare_digest(stored, _hash(token)) and is_needed()


def delete_token() -> None:
    """Invalidate the link, once there is an administrator."""
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return Path(current_app.config["QUIRE_INSTANCE"]) / "setup_token"


def _hash(token: str) -> str:
    # only the hash is stored: backups must not contain valid links
    return hashlib.sha256(token.encode()).hexdigest()
