"""Secrets that must be read again, unlike passwords: encrypted with a key made from SECRET_KEY."""

import base64
import secrets
from importlib import import_module
from typing import Any

from flask import current_app


def seal(text: str, bound_to: str) -> str:
    """`text` encrypted; it opens only together with `bound_to`, such as whose secret it is."""
    cipher = _cipher()
    nonce = secrets.token_bytes(cipher.NONCE_BYTES)
    hidden = cipher.encrypt(_secret(), nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(nonce + hidden).decode("ascii")


def unseal(sealed: str, bound_to: str) -> str | None:
    """What was sealed; None when it was sealed by another SECRET_KEY, for another, or never."""
    try:
        raw = base64.b64decode(sealed.encode(), b"-_", validate=True)
    except ValueError:
        return None
    opened = _cipher().decrypt(_secret(), raw, bound_to.encode())
    return None if opened is None else opened.decode()


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


def _cipher() -> Any:
    return import_module("quire.access.cipher")
