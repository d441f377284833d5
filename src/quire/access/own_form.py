"""Forms of ours: known by the token in them, even when they come after their session is over."""

from flask import current_app, request
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.errors import Unproven

csrf = CSRFProtect()
"""Refuses changes by a browser's cookies that lack the token of its session."""
SALT = "wtf-csrf-token"
"""What Flask-WTF signs its tokens with, beside the secret."""


def is_own_form() -> bool:
    """Whether this request was made by a page of ours, in this session or in one that is over.

    It proves nothing about the person, and only decides how somebody is asked to sign in.
    """
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token", "")
    try:
        URLSafeTimedSerializer(str(current_app.secret_key), salt=SALT).loads(token)
    except BadData:
        return False
    return True


def refuse_late_form() -> None:
    """Ask for a sign-in in the place of a form that came too late. Raises Unproven."""
    if request.method == "POST" and is_own_form():
        raise Unproven("You have been signed out. Sign in to send this.")
