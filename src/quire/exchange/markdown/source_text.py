"""Decodes the bytes of a source file to text, whatever its encoding."""

import re

from quire.exchange.model import Unusable


def decode(content: bytes) -> tuple[str, str]:
    """The text with normalised line breaks, and a warning if it is not UTF-8.

    Raises Unusable if it is not text.
    """
    warning = ""
    try:
        decoded = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        )
    except UnicodeDecodeError:
        decoded = content.decode("cp1252", "replace")
        warning = "is not valid UTF-8, read as Windows-1252"
    if _is_binary(decoded, bool(warning)):
        raise Unusable("is not a text file")
    return decoded.replace("\r\n", "\n").replace("\r", "\n"), warning


def _is_binary(decoded: str, is_guess: bool) -> bool:
    """Whether this is not text: it has NULs or, if the encoding is a guess, many control characters."""
    if "\x00" in decoded:
        return True
    odd = len(re.findall(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\ufffd]", decoded)) if is_guess else 0
    return odd * 50 > len(decoded)
