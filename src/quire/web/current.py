"""What Flask knows of the request that is being answered, read from its context variables.

`flask.request`, `g` and `current_app` look there too, for each of their attributes, at a multiple of the cost.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Request
from flask.globals import _cv_app, _cv_request

INTERFACES = {"api": "api", "admin": "admin"}
"""By the first part of a path; all others are pages of the site."""


def current_request() -> Request:
    """The request itself, as `flask.request` stands for it."""
    return _cv_request.get().request


def current_globals() -> Any:
    """What is kept for this request alone, as `flask.g` stands for it."""
    return _cv_app.get().g


def current_application() -> Flask:
    """The application, as `flask.current_app` stands for it."""
    return _cv_app.get().app


def current_config() -> Mapping[str, Any]:
    """Its settings."""
    return current_application().config


def current_circumstances() -> dict[str, Any]:
    """What the audit log keeps of the request: its interface, the address of its client, its id."""
    request = current_request()
    first = request.path.split("/", 2)[1]
    return {
        "door": INTERFACES.get(first, "site"),
        "ip": request.remote_addr,
        "request_id": current_globals().get("request_id"),
    }
