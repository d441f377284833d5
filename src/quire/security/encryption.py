"""Encrypts secrets that must be read again, unlike passwords: AES-GCM with a key derived from SECRET_KEY."""

import base64
import secrets
from functools import lru_cache

from flask import current_app

from quire.security.ciphers import Cipher, aes_gcm, decrypt, derive_key

NONCE_BYTES, TAG_BYTES = 12, 16
"""The lengths of the nonce and of the authentication tag of AES-GCM (NIST SP 800-38D)."""


def seal(text: str, bound_to: str) -> str:
    """Encrypt `text`; it can only be decrypted with the same `bound_to`, such as the id of its owner."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = _cipher(_secret()).encrypt(nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(nonce + ciphertext).decode("ascii")


def unseal(sealed: str, bound_to: str) -> str | None:
    """Return the text in `sealed`; None if it was encrypted with another SECRET_KEY or `bound_to`, or is invalid."""
    try:
        raw = base64.b64decode(sealed.encode(), b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) < NONCE_BYTES + TAG_BYTES:
        return None
    nonce, ciphertext = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
    plaintext = decrypt(_cipher(_secret()), nonce, ciphertext, bound_to.encode())
    return None if plaintext is None else plaintext.decode()


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


@lru_cache(8)
def _cipher(secret: str) -> Cipher:
    return aes_gcm(derive_key(secret.encode(), None, b"quire: sealed secrets"))
