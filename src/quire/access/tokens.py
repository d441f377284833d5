"""JSON Web Tokens (RFC 7519, RFC 8725): short access tokens, longer refresh tokens.

A token proves who somebody is and never what he may do: role and activity are read from the
account at each request, and a token of an older epoch is worth nothing.
"""

import secrets
import time
from functools import lru_cache
from typing import Any

import jwt
from flask import current_app

from quire.access.accounts import Account, account
from quire.errors import Unproven

ALGORITHM = "HS256"
AUDIENCE = "quire"
LEEWAY = 10
"""Seconds by which clocks may differ."""
ACCESS, REFRESH = "access", "refresh"
_LIFETIMES = {ACCESS: "JWT_ACCESS_TOKEN_EXPIRES", REFRESH: "JWT_REFRESH_TOKEN_EXPIRES"}


def issue(owner: Account) -> dict[str, Any]:
    """A new pair for `owner`, in the form of RFC 6749 section 5.1."""
    return {
        "access_token": _signed(owner, ACCESS),
        "refresh_token": _signed(owner, REFRESH),
        "token_type": "Bearer",
        "expires_in": current_app.config[_LIFETIMES[ACCESS]],
    }


def _signed(owner: Account, typ: str) -> str:
    present = int(time.time())
    claims = {
        "sub": str(owner.id),
        "typ": typ,
        "aud": AUDIENCE,
        "iat": present,
        "exp": present + current_app.config[_LIFETIMES[typ]],
        "jti": secrets.token_urlsafe(12),
        "epoch": owner.epoch,
        "role": owner.role,
    }
    return jwt.encode(claims, current_app.config["SECRET_KEY"], ALGORITHM)


def holder(token: str, typ: str = ACCESS) -> Account:
    """The account that a token proves. Raises Unproven: expired, forged, outdated, of another type."""
    try:
        claims = _claims(token, current_app.config["SECRET_KEY"])
        expired = claims["exp"] + LEEWAY <= time.time()
    except jwt.ExpiredSignatureError:
        expired = True
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise broken("The token is not valid.") from None
    if expired:
        raise broken("The token has expired.", "token_expired")
    found = _account(claims) if claims["typ"] == typ else None
    if found is None:
        raise broken("The token is not valid.")
    return found


@lru_cache(1024)
def _claims(token: str, secret: str) -> dict[str, Any]:
    """What a token says, once its signature has been checked: that cannot change, time can."""
    claims: dict[str, Any] = jwt.decode(
        token,
        secret,
        [ALGORITHM],
        audience=AUDIENCE,
        leeway=LEEWAY,
        options={"require": ["sub", "typ", "aud", "exp", "iat", "jti", "epoch"]},
    )
    return claims


def _account(claims: dict[str, Any]) -> Account | None:
    sub, epoch = claims["sub"], claims["epoch"]
    well_formed = isinstance(sub, str) and sub.isascii() and sub.isdigit() and len(sub) < 10
    return account(int(sub), epoch) if well_formed and type(epoch) is int else None


def broken(message: str, code: str = "invalid_token") -> Unproven:
    """401 for a proof that proves nothing (RFC 6750 section 3.1)."""
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return Unproven(message, code=code, headers={"WWW-Authenticate": challenge})
