"""The ciphers and derived keys of Quire, by the library cryptography, which is loaded on first use.

It takes 9 MB, and most servers have no secret that must be read again, and backups as they are.
"""

from importlib import import_module
from typing import Any, Protocol

KEY_BYTES = 32


class Cipher(Protocol):
    """Encrypts with a key of its own; whoever changes a bit of the result makes it worthless (AEAD)."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """`data` encrypted, with a tag of 16 bytes at its end. No nonce may be used twice."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The way back. Raises what `decrypt` of this module catches."""


def _library(module: str) -> Any:
    return import_module(f"cryptography.{module}")


def aes_gcm(key: bytes) -> Cipher:
    """AES-GCM (NIST SP 800-38D)."""
    cipher: Cipher = _library("hazmat.primitives.ciphers.aead").AESGCM(key)
    return cipher


def chacha20_poly1305(key: bytes) -> Cipher:
    """ChaCha20-Poly1305 (RFC 8439)."""
    cipher: Cipher = _library("hazmat.primitives.ciphers.aead").ChaCha20Poly1305(key)
    return cipher


def decrypt(cipher: Cipher, nonce: bytes, data: bytes, bound_to: bytes | None) -> bytes | None:
    """What was encrypted; None if another key or `bound_to` encrypted it, or it was changed."""
    try:
        return cipher.decrypt(nonce, data, bound_to)
    except _library("exceptions").InvalidTag:
        return None


def derive_key(secret: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    """A key for one `purpose` of a secret that cannot be guessed (HKDF with SHA-256, RFC 5869)."""
    primitives = "hazmat.primitives"
    sha256 = _library(f"{primitives}.hashes").SHA256()
    hkdf = _library(f"{primitives}.kdf.hkdf").HKDF(sha256, KEY_BYTES, salt=salt, info=purpose)
    key: bytes = hkdf.derive(secret)
    return key


def derive_slowly(passphrase: str, salt: bytes, cost: int) -> bytes:
    """A key from what a person has chosen (scrypt, RFC 7914); `cost` is a power of two."""
    scrypt = _library("hazmat.primitives.kdf.scrypt").Scrypt(salt, KEY_BYTES, n=cost, r=8, p=1)
    key: bytes = scrypt.derive(passphrase.encode())
    return key
