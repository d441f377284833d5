"""Forms of ours: known by the token in them, even when they come after their session is over."""

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.errors import Unauthenticated

SALT = "wtf-csrf-token"
"""What Flask-WTF signs its tokens with, beside the secret."""


def init_app(app: Flask) -> None:
    """Have `app` refuse changes by a browser's cookies that lack the token of its session."""
    CSRFProtect(app)  # one for each application: it remembers the blueprints that it exempts


def has_signed_csrf_token() -> bool:
    """Whether this request was made by a page of ours, in this session or in one that is over.

    It proves nothing about the person, and only decides how somebody is asked to sign in.
    """
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token", "")
    try:
        URLSafeTimedSerializer(str(current_app.secret_key), salt=SALT).loads(token)
    except BadData:
        return False
    return True


def refuse_expired_form() -> None:
    """Ask for a sign-in in the place of a form that came too late. Raises Unauthenticated."""
    if request.method == "POST" and has_signed_csrf_token():
        raise Unauthenticated("You have been signed out. Sign in and try again.")
