"""CSRF protection of forms, which recognizes our own forms even after their session has ended."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Flask, Request, current_app, request
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.errors import Unauthenticated
from quire.web.request_hooks import before_request

SALT = "wtf-csrf-token"
"""The salt of Flask-WTF's tokens."""


def init_app(app: Flask) -> None:
    """Make `app` refuse changes authenticated by cookie without the CSRF token of the session."""
    # Flask-WTF's own hook would also look up the view and the blueprint of requests that only read
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # one per application, since it stores which blueprints are exempt
    protection = CSRFProtect(app)
    before_request(app, partial(_protect, app.config, protection))


def _protect(config: Mapping[str, Any], protection: CSRFProtect, request: Request) -> None:
    if request.method in config["WTF_CSRF_METHODS"] and config["WTF_CSRF_ENABLED"]:
        protection.protect(apply_exemptions=True)


def has_signed_csrf_token() -> bool:
    """Return whether this request comes from one of our own forms, from this session or an expired one.

    It proves nothing about the user, and only decides how they are asked to sign in.
    """
    token = request.headers.get("X-CSRFToken") or request.form.get("csrf_token", "")
    try:
        URLSafeTimedSerializer(str(current_app.secret_key), salt=SALT).loads(token)
    except BadData:
        return False
    return True


def refuse_expired_form() -> None:
    """Ask the user to sign in again if a form comes from an expired session. Raises Unauthenticated."""
    if request.method == "POST" and has_signed_csrf_token():
        raise Unauthenticated("You have been signed out. Sign in and try again.")
