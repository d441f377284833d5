"""Browser sessions: Flask-Login, whose cookie holds the secret of a session in the database."""

from typing import Any
from urllib.parse import urlencode

from flask import Flask, Request, current_app, redirect, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from quire.access import held
from quire.access.accounts import Account
from quire.access.own_form import refuse_late_form
from quire.actor import Actor
from quire.store.audit import note
from quire.store.credentials import end_session, end_sessions
from quire.store.db import transaction

KIND = "browser"


class SessionUser(UserMixin):
    """An account as Flask-Login holds it: known by the secret of its session."""

    def __init__(self, secret: str, account: Account, session_id: int):
        self.secret, self.account, self.session_id = secret, account, session_id

    def get_id(self) -> str:
        """What the cookie says."""
        return self.secret


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookies, without making a signer for each request that has none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the cookie; an empty one where there is no cookie."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


manager = LoginManager()


@manager.user_loader
def _load(secret: str) -> SessionUser | None:
    found = held.by_secret(secret, KIND)
    if found is None:
        return None
    found.touch()
    if found.renew and not found.former and session.get("_user_id") == secret:
        secret = _renewed(found, secret)
    return SessionUser(secret, found.account, found.id)


def _renewed(found: held.Held, secret: str) -> str:
    """Give this browser another secret, since its rights have changed."""
    successor = held.new_secret()
    if not held.rotate(found.id, secret, successor):
        return secret
    session["_user_id"] = successor
    if found.remember:
        session["_remember"] = "set"  # Flask-Login writes its cookie anew
    return successor


@manager.unauthorized_handler
def to_sign_in() -> Any:
    """Send a person to the sign-in page, and back here afterwards; for what was typed, that page
    comes here. Raises Unproven."""
    refuse_late_form()
    path = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return redirect("/auth/login?" + urlencode({"next": path}, safe="/"))


def begin(owner: Account, remember: bool = False) -> None:
    """Sign in: nothing that the browser held before is kept."""
    session.clear()
    secret = held.new_secret()
    seconds = current_app.config["REMEMBER_SECONDS" if remember else "SESSION_SECONDS"]
    id = held.open_session(owner, KIND, secret, seconds, remember)
    login_user(SessionUser(secret, owner, id), remember=remember)


def end(actor: Actor) -> None:
    """Sign out: the secret in the cookie is worth nothing from now on."""
    if actor.session_id is not None:
        end_session(actor.session_id)
        note(actor, "sign_out", "users", actor.user_id)
    forget()


def end_others(actor: Actor) -> None:
    """Sign all other devices and programs of the actor out."""
    with transaction():
        end_sessions(actor.user_id or 0, keep=actor.session_id)
        note(actor, "end_other_sessions", "users", actor.user_id)


def forget() -> None:
    """Let this browser forget a session that has ended."""
    session.clear()
    logout_user()  # last: it leaves a word in the session that takes the other cookie away


def present() -> SessionUser | None:
    """Who is signed in with this browser."""
    return current_user if current_user and current_user.is_authenticated else None


def init_app(app: Flask) -> None:
    """Connect Flask-Login."""
    app.session_interface = CookieSessions()
    manager.init_app(app)
    manager.session_protection = None
