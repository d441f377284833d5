"""Encrypts and decrypts files with a passphrase in the format age v1, which the program `age` can read.

The content is split into chunks of 64 KiB, each encrypted by ChaCha20-Poly1305 with its number and whether it is
the last: nothing can be changed, reordered or truncated. Any chunk can be read alone.

https://c2sp.org/age
"""

import hmac
import io
import os
import re
import secrets
from base64 import b64decode, b64encode
from typing import IO, Any

from quire.security.ciphers import (
    Cipher,
    chacha20_poly1305,
    decrypt,
    derive_key,
    derive_slowly,
)
from quire.store.files.checked_zip import ArchiveRefused

INTRO = b"age-encryption.org/v1\n"
WORK = 17
"""The cost of the key: 2^17, which is 128 MB and half a second."""
MAX_WORK = 20
"""The highest cost that a file may require, which is 1 GB."""
CHUNK, TAG, NONCE, FILE_KEY, SALT = 64 * 1024, 16, 16, 16, 16
LONGEST_HEADER = 4096
_HEADER = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
)


class WrongPassphrase(ArchiveRefused):
    """The passphrase is wrong."""


def _wrapping_key(passphrase: str, salt: bytes, work: int) -> Cipher:
    key = derive_slowly(passphrase, b"age-encryption.org/v1/scrypt" + salt, 2**work)
    return chacha20_poly1305(key)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _text(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    return b64decode(text + b"=" * (-len(text) % 4))


def is_encrypted(file: IO[bytes]) -> bool:
    """Return whether a file begins like an encrypted one; leave its position unchanged."""
    begin = file.read(len(INTRO))
    file.seek(0)
    return begin == INTRO


class EncryptedWriter(io.RawIOBase):
    """Encrypts what is written to `out`; `close` writes the end and leaves `out` open."""

    def __init__(self, out: IO[bytes], passphrase: str):
        file_key, salt, nonce = (secrets.token_bytes(size) for size in (FILE_KEY, SALT, NONCE))
        wrapped = _wrapping_key(passphrase, salt, WORK).encrypt(bytes(12), file_key, None)
        head = INTRO + b"-> scrypt %b %d\n%b\n---" % (_text(salt), WORK, _text(wrapped))
        mac = hmac.digest(derive_key(file_key, None, b"header"), head, "sha256")
        out.write(head + b" " + _text(mac) + b"\n" + nonce)
        self._cipher = chacha20_poly1305(derive_key(file_key, nonce, b"payload"))
        self._out, self._number, self._buffer = out, 0, bytearray()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Encrypt and write all complete chunks except the last."""
        self._buffer += data
        while len(self._buffer) > CHUNK:
            self._write_chunk(last=False)
        return len(data)

    def _write_chunk(self, last: bool) -> None:
        chunk = bytes(self._buffer[:CHUNK])
        self._out.write(self._cipher.encrypt(_nonce(self._number, last), chunk, None))
        self._number += 1
        del self._buffer[:CHUNK]

    def close(self) -> None:
        """Write the last chunk."""
        if not self.closed:
            self._write_chunk(last=True)
        super().close()


class EncryptedReader(io.RawIOBase):
    """The decrypted content of a file; seekable. Raises WrongPassphrase, ArchiveRefused."""

    def __init__(self, file: IO[bytes], passphrase: str):
        match = _HEADER.match(file.read(LONGEST_HEADER))
        if match is None or int(match[2]) > MAX_WORK:
            raise ArchiveRefused(
                "is encrypted in another way than by a passphrase for Quire or age"
            )
        salt, wrapped, mac = (_bytes(match[number]) for number in (1, 3, 4))
        key = decrypt(_wrapping_key(passphrase, salt, int(match[2])), bytes(12), wrapped, None)
        if key is None:
            raise WrongPassphrase("is encrypted with another passphrase")
        head = match[0][: match.start(4) - 1]
        if not hmac.compare_digest(
            hmac.digest(derive_key(key, None, b"header"), head, "sha256"), mac
        ):
            raise _damage_error()
        file.seek(match.end())
        nonce = file.read(NONCE)
        self._file, self._begin, self._at = file, match.end() + NONCE, 0
        self._cipher = chacha20_poly1305(derive_key(key, nonce, b"payload"))
        self._measure()

    def _measure(self) -> None:
        """Find out the size; the last chunk proves that nothing is missing."""
        payload = self._file.seek(0, os.SEEK_END) - self._begin
        self._count = max(-(-payload // (CHUNK + TAG)), 1)
        self._size = payload - self._count * TAG
        self._number, self._chunk = -1, b""
        self._load(self._count - 1)

    def _load(self, number: int) -> None:
        if number != self._number:
            self._file.seek(self._begin + number * (CHUNK + TAG))
            sealed, nonce = self._file.read(CHUNK + TAG), _nonce(number, number == self._count - 1)
            chunk = decrypt(self._cipher, nonce, sealed, None)
            if chunk is None:
                raise _damage_error()
            self._number, self._chunk = number, chunk

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("there is nothing before the beginning")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read up to the end of the current chunk."""
        if self._at >= self._size:
            return 0
        number, offset = divmod(self._at, CHUNK)
        self._load(number)
        data = self._chunk[offset : offset + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _damage_error() -> ArchiveRefused:
    return ArchiveRefused("is damaged or was cut off")
