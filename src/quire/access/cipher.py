"""The cipher of sealed secrets; loaded when one is needed, for it takes megabytes."""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES, TAG_BYTES = 12, 16
"""How long are what AES-GCM starts from, and what shows that nothing was changed (NIST SP 800-38D)."""


@lru_cache(8)
def _made_from(secret: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=b"quire: sealed secrets")
    return AESGCM(derived.derive(secret.encode()))


def encrypt(secret: str, nonce: bytes, text: bytes, bound_to: bytes) -> bytes:
    """`text` encrypted with a key made from `secret`."""
    return _made_from(secret).encrypt(nonce, text, bound_to)


def decrypt(secret: str, raw: bytes, bound_to: bytes) -> bytes | None:
    """What nonce and encrypted text were made from; None when by another secret, or for another."""
    if len(raw) < NONCE_BYTES + TAG_BYTES:
        return None
    try:
        return _made_from(secret).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to)
    except InvalidTag:
        return None
