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
    """`text` encrypted; it decrypts only with the same `bound_to`, such as the id of its owner."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = _cipher(_secret()).encrypt(nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(nonce + ciphertext).decode("ascii")


def unseal(sealed: str, bound_to: str) -> str | None:
    """The text in `sealed`; None if another SECRET_KEY or `bound_to` sealed it, or nobody did."""
    try:
        raw = base64.b64decode(sealed.encode(), b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) < NONCE_BYTES + TAG_BYTES:
        return None
    try:
        plaintext = _cipher(_secret()).decrypt(
            raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode()
        )
    except InvalidTag:
        return None
    return plaintext.decode()


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


@lru_cache(8)
def _cipher(secret: str) -> AESGCM:
    derivation = HKDF(SHA256(), 32, salt=None, info=b"quire: sealed secrets")
    return AESGCM(derivation.derive(secret.encode()))
