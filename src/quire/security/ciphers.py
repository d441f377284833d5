"""Ciphers and key derivation, with the library cryptography, which is loaded on first use.

It takes 9 MB, and most servers have no encrypted secrets and no encrypted backups.
"""

from importlib import import_module
from typing import Any, Protocol

KEY_BYTES = 32


class Cipher(Protocol):
    """Encrypts and authenticates (AEAD): a changed bit makes the result invalid."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return `data` encrypted, followed by a tag of 16 bytes. A nonce must not be used twice."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Reverse `encrypt`. Raises the errors that this module's `decrypt` catches."""


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
    """Return the plain data; None if it was encrypted with another key or `bound_to`, or has been changed."""
    try:
        return cipher.decrypt(nonce, data, bound_to)
    except _library("exceptions").InvalidTag:
        return None


def derive_key(secret: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    """Derive a key for one `purpose` from a secret that cannot be guessed (HKDF with SHA-256, RFC 5869)."""
    primitives = "hazmat.primitives"
    sha256 = _library(f"{primitives}.hashes").SHA256()
    hkdf = _library(f"{primitives}.kdf.hkdf").HKDF(sha256, KEY_BYTES, salt=salt, info=purpose)
    key: bytes = hkdf.derive(secret)
    return key


def derive_slowly(passphrase: str, salt: bytes, cost: int) -> bytes:
    """Derive a key from a passphrase (scrypt, RFC 7914); `cost` is a power of two."""
    scrypt = _library("hazmat.primitives.kdf.scrypt").Scrypt(salt, KEY_BYTES, n=cost, r=8, p=1)
    key: bytes = scrypt.derive(passphrase.encode())
    return key
