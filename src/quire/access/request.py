"""Who sends this request: a token, a key, a browser, or nobody; a broken proof is never nobody."""

from flask import current_app, g, request
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from quire.access import keys, sessions, tokens, viewing
from quire.actor import ANONYMOUS, Actor
from quire.errors import Refused
from quire.store.credentials import KEY_START

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DOORS = {"api": "api", "admin": "admin"}


def current_actor() -> Actor:
    """The actor of this request, found once. Raises Unproven for a broken proof."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        actor = g.actor = _proved()
    return actor


def asker() -> Actor:
    """Nobody in particular, from here: for requests that bring their proof in the body."""
    return ANONYMOUS.at(**_circumstances())


def _circumstances() -> dict[str, str | None]:
    first = request.path.split("/", 2)[1]
    return {
        "door": DOORS.get(first, "site"),
        "ip": request.remote_addr,
        "request_id": g.get("request_id"),
    }


def _proved() -> Actor:
    authorization = request.environ.get("HTTP_AUTHORIZATION")
    key = request.environ.get("HTTP_X_API_KEY")
    if authorization is not None or key is not None:
        return _by_secret(_bearer(authorization) if authorization is not None else str(key))
    user = sessions.present() if has_session() else None
    if user is not None:
        himself = user.account.actor("session", session_id=user.session_id, **_circumstances())
        return viewing.through(himself)
    return asker()


def _by_secret(secret: str) -> Actor:
    if secret.startswith(KEY_START) or "HTTP_AUTHORIZATION" not in request.environ:
        key = keys.holder(secret)
        return key.account.actor("key", scopes=key.scopes, **_circumstances())
    found = tokens.holder(secret)
    return found.account.actor("token", session_id=found.id, **_circumstances())


def has_session() -> bool:
    """Whether to look at the session at all; looking makes every answer depend on the cookie."""
    names = (current_app.config["SESSION_COOKIE_NAME"], _remember_cookie())
    return any(name in request.cookies for name in names)


def _remember_cookie() -> str:
    return str(current_app.config.get("REMEMBER_COOKIE_NAME", "remember_token"))


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise tokens.broken("Send the token as Authorization: Bearer.")
    return token.strip()


def only_looking() -> None:
    """Refuse changes by an administrator who views as somebody else, wherever he asks for them."""
    if request.method not in SAFE and has_session():
        viewing.refuse_change(current_actor())


def check_csrf(actor: Actor) -> None:
    """Refuse an unsafe request by session without the token that only our own pages know.

    A cookie is sent by any page that makes the browser ask us; a header or field is not.
    """
    if actor.proof != "session" or request.method in SAFE:
        return
    if not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token")
    try:
        validate_csrf(token)
    except (CSRFError, ValidationError):
        raise Refused(
            "The CSRF token is missing or wrong; get one from /api/v1/csrf-token."
        ) from None
