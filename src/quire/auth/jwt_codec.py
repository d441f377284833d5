"""Signs claims as JSON Web Tokens and verifies them, with PyJWT."""

from functools import lru_cache
from typing import Any

import jwt

ALGORITHM = "HS256"
AUDIENCE = "quire"
LEEWAY = 10
"""Allowed clock skew in seconds."""
REQUIRED = ["sub", "sid", "typ", "aud", "exp", "iat", "jti"]
EXPIRED = jwt.ExpiredSignatureError
INVALID = (jwt.InvalidTokenError, ValueError, RecursionError)
"""What `decode` raises for a token that is broken, forged or of another audience."""


def encode(claims: dict[str, Any], secret: str) -> str:
    """A token that says `claims`, for our audience."""
    return jwt.encode({**claims, "aud": AUDIENCE}, secret, ALGORITHM)


@lru_cache(1024)
def decode(token: str, secret: str) -> dict[str, Any]:
    """The claims of a token with a valid signature; cached, since only its expiry can change.

    Raises EXPIRED or INVALID.
    """
    claims: dict[str, Any] = jwt.decode(
        token,
        secret,
        [ALGORITHM],
        audience=AUDIENCE,
        leeway=LEEWAY,
        options={"require": REQUIRED},
    )
    return claims


def is_expired(claims: dict[str, Any], moment: float) -> bool:
    """Whether claims that were valid once are no longer, at a moment in seconds since 1970."""
    return bool(claims["exp"] + LEEWAY <= moment)
