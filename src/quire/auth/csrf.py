"""CSRF protection of forms, which recognises our own forms even after their session has ended."""

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.errors import Unauthenticated

SALT = "wtf-csrf-token"
"""The salt of Flask-WTF's tokens."""


def init_app(app: Flask) -> None:
    """Have `app` refuse cookie-authenticated changes without the CSRF token of the session."""
    CSRFProtect(app)  # one for each application: it remembers the blueprints that it exempts


def has_signed_csrf_token() -> bool:
    """Whether this request comes from one of our own forms, of this session or an expired one.

    It proves nothing about the user, and only decides how they are asked to sign in.
    """
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token", "")
    try:
        URLSafeTimedSerializer(str(current_app.secret_key), salt=SALT).loads(token)
    except BadData:
        return False
    return True


def refuse_expired_form() -> None:
    """Ask the user to sign in again instead of accepting a form from an expired session. Raises
    Unauthenticated."""
    if request.method == "POST" and has_signed_csrf_token():
        raise Unauthenticated("You have been signed out. Sign in and try again.")
