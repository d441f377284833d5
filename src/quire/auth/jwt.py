"""Tokens for programs: JSON Web Tokens (RFC 7519, RFC 8725) for access, opaque tokens to refresh them.

A pair of tokens belongs to a session in the database. The access token identifies the user but contains no permissions:
role and state are read with the session at each request. The refresh token is replaced at each use; using a replaced
one ends the session (RFC 9700 section 4.14.2).
"""

import base64
import hashlib
import hmac
import time
from functools import lru_cache
from typing import Any, Literal

from flask import current_app
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from pydantic import BaseModel, ConfigDict, Field

from quire.actor import Actor
from quire.auth import session_store
from quire.auth.accounts import Account
from quire.auth.session_store import ActiveSession
from quire.errors import Unauthenticated
from quire.records.accounts.revocation import end_session
from quire.security.tokens import new_secret
from quire.store.audit import record_event
from quire.store.db import transaction

KIND = "token"
REFRESH_START = "qr_"
MAX_CACHED = 1000
HEADER = base64_encode(b'{"alg":"HS256","typ":"JWT"}')
"""The header of all our tokens, and the only one accepted: tokens cannot choose an algorithm or a key (RFC 8725)."""
LEEWAY = 10
"""Allowed clock skew in seconds."""


class Claims(BaseModel):
    """The claims of an access token. A token with missing, additional or different claims is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")

    sub: str
    sid: int = Field(gt=0, lt=2**31)
    typ: Literal["access"]
    aud: Literal["quire"]
    iat: int
    exp: int
    jti: str
    role: str


def issue(owner: Account) -> dict[str, Any]:
    """Create a session and its tokens, in the form of RFC 6749 section 5.1."""
    secret = new_secret()
    seconds = current_app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    id = session_store.create_session(owner, KIND, secret, seconds)
    return _token_pair(owner, id, secret)


def refresh(token: str, asker: Actor) -> dict[str, Any]:
    """Return the next pair of tokens. Raises Unauthenticated; a replaced token also ends its session.

    The new token is derived from the old one, so that parallel requests get the same one.
    """
    id, secret = _parse_refresh_token(token)
    session = session_store.by_secret(secret, KIND)
    if session is not None and session.id == id:
        successor = _successor(secret)
        if (
            session.former
            or session_store.rotate(id, secret, successor)
            or session_store.by_secret(secret, KIND)
        ):
            return _token_pair(session.account, id, successor)
    revoked = session_store.by_id(id, KIND)
    if revoked is not None:
        by = revoked.account.actor(KIND, door=asker.door, ip=asker.ip, request_id=asker.request_id)
        with transaction():
            end_session(id)
            record_event(by, "token_reused", "sessions", id)
    raise invalid_token("The token is not valid.")


def revoke(token: str) -> None:
    """End the session of a refresh token; an invalid token is ignored (RFC 7009)."""
    try:
        id, secret = _parse_refresh_token(token)
    except Unauthenticated:
        return
    session = session_store.by_secret(secret, KIND)
    if session is not None and session.id == id:
        end_session(id)


def _token_pair(owner: Account, session_id: int, secret: str) -> dict[str, Any]:
    return {
        "access_token": _access_token(owner, session_id),
        "refresh_token": f"{REFRESH_START}{session_id}.{secret}.{_checksum(session_id, secret)}",
        "token_type": "Bearer",
        "expires_in": current_app.config["JWT_ACCESS_TOKEN_EXPIRES"],
    }


def _mac(purpose: str, text: str) -> bytes:
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).digest()


def _successor(secret: str) -> str:
    return base64.urlsafe_b64encode(_mac("refresh", secret)).decode().rstrip("=")


def _checksum(session_id: int, secret: str) -> str:
    """Return a checksum that tells our own replaced tokens from invented ones."""
    return _mac("mark", f"{session_id}.{secret}").hex()[:24]


def _parse_refresh_token(token: str) -> tuple[int, str]:
    parts = token.removeprefix(REFRESH_START).split(".")
    if len(parts) == 3 and parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 10:
        id = int(parts[0])
        if hmac.compare_digest(_checksum(id, parts[1]).encode(), parts[2].encode()):
            return id, parts[1]
    raise invalid_token("The token is not valid.")


def _access_token(owner: Account, session_id: int) -> str:
    present = int(time.time())
    claims = Claims(
        sub=str(owner.id),
        sid=session_id,
        typ="access",
        aud="quire",
        iat=present,
        exp=present + current_app.config["JWT_ACCESS_TOKEN_EXPIRES"],
        jti=new_secret()[:16],
        role=owner.role,
    )
    content = HEADER + b"." + base64_encode(claims.model_dump_json())
    return _signer(current_app.config["SECRET_KEY"]).sign(content).decode()


def _signer(secret: str) -> Signer:
    """Return a signer for HS256 (RFC 7515)."""
    return Signer(secret, sep=".", key_derivation="none", digest_method=hashlib.sha256)


@lru_cache(1024)
def _verify_access_token(token: str, secret: str) -> Claims:
    """Return the claims of a token with a valid signature; cached, since only its expiry can change.

    Raises BadData, ValueError.
    """
    header, _, text = _signer(secret).unsign(token).partition(b".")
    claims = Claims.model_validate_json(base64_decode(text))
    if header != HEADER or claims.iat > time.time() + LEEWAY:
        raise ValueError
    return claims


def authenticate(token: str) -> ActiveSession:
    """Return the session of an access token. Raises Unauthenticated if the token is expired, forged or ended."""
    try:
        claims = _verify_access_token(token, current_app.config["SECRET_KEY"])
    except (BadData, ValueError):
        raise invalid_token("The token is not valid.") from None
    if claims.exp + LEEWAY <= time.time():
        raise invalid_token("The token has expired.", "token_expired")
    session = _session(claims)
    if session is None:
        raise invalid_token("The token is not valid.")
    return session


_cache: dict[tuple[int, str], tuple[float, ActiveSession]] = {}


def _session(claims: Claims) -> ActiveSession | None:
    """Return the session of the claims, cached for a few seconds if that is configured."""
    id = claims.sid
    seconds = current_app.config["JWT_CACHE_SECONDS"]
    until, session = _cache.get((id, current_app.config["SECRET_KEY"]), (0.0, None))
    if not seconds or until < time.monotonic():
        session = session_store.by_id(id, KIND)
        _store_in_cache(id, session, seconds)
    return session if session is not None and str(session.account.id) == claims.sub else None


def _store_in_cache(id: int, session: ActiveSession | None, seconds: int) -> None:
    if seconds and session is not None:
        if len(_cache) >= MAX_CACHED:
            _cache.clear()
        _cache[id, current_app.config["SECRET_KEY"]] = time.monotonic() + seconds, session


def invalid_token(message: str, code: str = "invalid_token") -> Unauthenticated:
    """Return the 401 error for an invalid credential (RFC 6750 section 3.1)."""
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return Unauthenticated(message, code=code, headers={"WWW-Authenticate": challenge})
