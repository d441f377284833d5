"""The sender of the current request: the owner of a token, key or session, or nobody. Invalid credentials are an
error."""

from flask import Request, current_app
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from quire.actor import ANONYMOUS, Actor
from quire.auth import api_keys, impersonation, jwt, sessions
from quire.errors import PermissionDenied, Problem
from quire.security.tokens import KEY_START
from quire.web.caching import has_session
from quire.web.current import current_circumstances, current_globals, current_request
from quire.web.safe_requests import only_reads

PROGRAM_PREFIXES = ("/api/v1/", "/api/compat/")
"""Paths below which API keys and access tokens are accepted."""


def current_actor() -> Actor:
    """Return the actor of this request, cached. Raises Unauthenticated for an invalid credential."""
    g = current_globals()
    actor: Actor | None = g.get("actor")
    if actor is None:
        actor = g.actor = _authenticate(current_request())
    return actor


def chosen_language() -> str:
    """Return the language that the signed-in user has chosen for pages; `auto` for everyone else."""
    try:
        return current_actor().language if has_session(current_request()) else ANONYMOUS.language
    except Problem:  # the response will say what is wrong with the credential
        return ANONYMOUS.language


def anonymous_actor() -> Actor:
    """Return an anonymous actor for this request, also if the request body contains credentials."""
    return Actor(ANONYMOUS.role, **current_circumstances())


def _authenticate(request: Request) -> Actor:
    authorization = request.environ.get("HTTP_AUTHORIZATION")
    key = request.environ.get("HTTP_X_API_KEY")
    if authorization is not None or key is not None:
        _require_program_path(request)
        secret = _bearer(authorization) if authorization is not None else str(key)
        return _actor_of_secret(secret, request)
    user = sessions.current() if has_session(request) else None
    if user is not None:
        context = current_circumstances()
        themselves = user.account.actor("session", session_id=user.session_id, **context)
        return impersonation.effective_actor(themselves)
    return anonymous_actor()


def _require_program_path(request: Request) -> None:
    """Refuse a key or token outside these paths, before checking whether it is valid."""
    if not request.path.startswith(PROGRAM_PREFIXES):
        raise jwt.invalid_token(
            f"API keys and access tokens only work below {PROGRAM_PREFIXES[0]}."
        )


def _actor_of_secret(secret: str, request: Request) -> Actor:
    if secret.startswith(KEY_START) or "HTTP_AUTHORIZATION" not in request.environ:
        key = api_keys.authenticate(secret)
        context = current_circumstances()
        return key.account.actor("key", scopes=key.scopes, api_key_id=key.id, **context)
    session = jwt.authenticate(secret)
    return session.account.actor("token", session_id=session.id, **current_circumstances())


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise jwt.invalid_token("Send the token as Authorization: Bearer.")
    return token.strip()


def block_writes_when_impersonating(request: Request) -> None:
    """Refuse changes by an administrator who views the site as another user."""
    if not only_reads(request) and has_session(request):
        impersonation.refuse_write(current_actor())


def check_csrf(actor: Actor) -> None:
    """Refuse a change in a session without a valid CSRF token.

    Any site can make a browser send a cookie, but not a header or a form field with the token.
    """
    if actor.proof != "session":
        return
    request = current_request()
    if only_reads(request):
        return
    if not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token")
    try:
        validate_csrf(token)
    except (CSRFError, ValidationError):
        raise PermissionDenied(
            "The CSRF token is missing or wrong. Get one from /api/v1/csrf-token."
        ) from None
