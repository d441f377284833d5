"""Secrets that must be read again, unlike passwords: encrypted by AES-GCM with a key made from SECRET_KEY."""

import base64
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

NONCE_BYTES, TAG_BYTES = 12, 16
"""The lengths of the nonce and of the authentication tag of AES-GCM (NIST SP 800-38D)."""


def seal(text: str, bound_to: str) -> str:
    """`text` encrypted; it opens only together with `bound_to`, such as whose secret it is."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    hidden = _cipher(_secret()).encrypt(nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(nonce + hidden).decode("ascii")


def unseal(sealed: str, bound_to: str) -> str | None:
    """What was sealed; None when it was sealed by another SECRET_KEY, for another, or never."""
    try:
        raw = base64.b64decode(sealed.encode(), b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) < NONCE_BYTES + TAG_BYTES:
        return None
    try:
        opened = _cipher(_secret()).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode())
    except InvalidTag:
        return None
    return opened.decode()


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


@lru_cache(8)
def _cipher(secret: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=b"quire: sealed secrets")
    return AESGCM(derived.derive(secret.encode()))
