"""Browser sessions: Flask-Login, whose cookie holds the secret of a session in the database."""

from typing import Any
from urllib.parse import urlencode

from flask import (
    Flask,
    Request,
    Response,
    current_app,
    has_request_context,
    redirect,
    request,
    session,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from quire.actor import Actor
from quire.auth import session_store
from quire.auth.accounts import Account
from quire.auth.csrf import refuse_expired_form
from quire.records.accounts.revocation import end_session, end_sessions, session_renewed
from quire.security.tokens import new_secret
from quire.store.audit import record_event
from quire.store.db import on_commit, transaction
from quire.web.caching import settle_cookies, vary_by

KIND = "browser"
LONGEST_BACK = 1000
"""The maximum length of a URL to return to."""


class SessionUser(UserMixin):
    """An account for Flask-Login, identified by the secret of its session."""

    def __init__(self, secret: str, account: Account, session_id: int, remember: bool):
        self.secret, self.account, self.session_id = secret, account, session_id
        self.remember = remember

    def get_id(self) -> str:
        """Return the value in the cookie."""
        return self.secret


class CookieSessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookies, without a signer for requests that have no cookie."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open the session in the cookie, or an empty one without a cookie."""
        if "HTTP_COOKIE" not in request.environ or (
            self.get_cookie_name(app) not in request.cookies
        ):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie last, when the response is complete, so that no cache stores it for others."""
        if session or session.modified:
            super().save_session(app, session, response)
        elif (
            session.accessed
        ):  # nearly every response: otherwise Flask would look up all cookie options
            vary_by(response, "Cookie")
        settle_cookies(response)


class SessionLoginManager(LoginManager):
    """Flask-Login, which only looks for a remembered user if the session has data."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return super()._update_remember_cookie(response) if session else response


login_manager = SessionLoginManager()


@login_manager.user_loader
def _load_user(secret: str) -> SessionUser | None:
    session = session_store.by_secret(secret, KIND)
    if session is None:
        return None
    session.touch()
    return SessionUser(secret, session.account, session.id, session.remember)


@session_renewed.connect
def _update_cookie(session_id: int, secret: str) -> None:
    """Set the new secret of the session in the browser's cookie."""
    user = current() if has_request_context() else None
    if user is None or user.session_id != session_id:
        return
    user.secret = session["_user_id"] = secret
    if user.remember:
        session["_remember"] = "set"  # Flask-Login will write its cookie again


@login_manager.unauthorized_handler
def redirect_to_login() -> Any:
    """Send a person to the sign-in page, and back here afterwards.

    If they submitted a form, the sign-in page keeps what they typed. Raises Unauthenticated.
    """
    refuse_expired_form()
    return redirect(login_url(request.full_path if request.method == "GET" else request.path))


def login_url(back: str) -> str:
    """Return the sign-in page that leads back to `back`; without its query if that is too long for a header."""
    back = back.rstrip("?") if len(back) <= LONGEST_BACK else back.partition("?")[0]
    return "/auth/login?" + urlencode({"next": back[:LONGEST_BACK]}, safe="/")


def log_in(owner: Account, remember: bool = False) -> SessionUser:
    """Create a session; its cookie is set when the current transaction has been committed."""
    secret = new_secret()
    seconds = current_app.config["REMEMBER_SECONDS" if remember else "SESSION_SECONDS"]
    with transaction():
        id = session_store.create_session(owner, KIND, secret, seconds, remember)
        user = SessionUser(secret, owner, id, remember)
        on_commit(lambda: _sign_in(user))
    return user


def _sign_in(user: SessionUser) -> None:
    """Start the session in the browser; discard the data of its former session."""
    session.clear()
    login_user(user, remember=user.remember)


def log_out(actor: Actor) -> None:
    """Sign out: the secret in the cookie becomes invalid."""
    if actor.session_id is not None:
        with transaction():
            end_session(actor.session_id)
            record_event(actor, "sign_out", "users", actor.user_id)
    clear_cookie()


def log_out_others(actor: Actor) -> None:
    """Sign the actor out on all other devices and programs."""
    with transaction():
        end_sessions(actor.user_id or 0, keep=actor.session_id)
        record_event(actor, "end_other_sessions", "users", actor.user_id)


def clear_cookie() -> None:
    """Remove the cookie of an ended session."""
    session.clear()
    logout_user()  # last, since it leaves a note in the session that removes the other cookie


def current() -> SessionUser | None:
    """Return the signed-in user of this browser."""
    return current_user if current_user and current_user.is_authenticated else None


def init_app(app: Flask) -> None:
    """Register Flask-Login."""
    app.session_interface = CookieSessionInterface()
    # not Flask-Login's variable in templates: an error page about an unreachable database would query it
    login_manager.init_app(app, add_context_processor=False)
    login_manager.session_protection = None
