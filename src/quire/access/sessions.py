"""Browser sessions: Flask-Login, bound to the account's epoch."""

from typing import Any
from urllib.parse import urlencode

from flask import Flask, Request, redirect, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, login_user, logout_user

from quire.access.accounts import Account, account


class SessionUser(UserMixin):
    """An account as Flask-Login holds it."""

    def __init__(self, owner: Account):
        self.account = owner

    def get_id(self) -> str:
        """What the cookie says: id and epoch, so that a new password ends older sessions."""
        return f"{self.account.id}.{self.account.epoch}"


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookies, without making a signer for each request that has none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the cookie; an empty one where there is no cookie."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


manager = LoginManager()


@manager.user_loader
def _load(name: str) -> SessionUser | None:
    id, _, epoch = name.partition(".")
    found = account(int(id), int(epoch)) if id.isdigit() and epoch.isdigit() else None
    return None if found is None else SessionUser(found)


@manager.unauthorized_handler
def to_sign_in() -> Any:
    """Send a person to the sign-in page, and back here afterwards."""
    path = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return redirect("/auth/login?" + urlencode({"next": path}, safe="/"))


def begin(owner: Account, remember: bool = False) -> None:
    """Sign in: nothing that the browser held before is kept."""
    session.clear()
    login_user(SessionUser(owner), remember=remember)


def end() -> None:
    """Sign out."""
    logout_user()
    session.clear()


def init_app(app: Flask) -> None:
    """Connect Flask-Login."""
    app.session_interface = CookieSessions()
    manager.init_app(app)
    manager.session_protection = None
