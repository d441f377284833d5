"""Flask's context of the current request, read directly from its context variables.

`flask.request`, `g` and `current_app` look there too, for each attribute, at a multiple of the cost.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Request
from flask.globals import _cv_app, _cv_request

INTERFACES = {"api": "api", "admin": "admin"}
"""Interfaces by the first part of a path; all other paths are pages of the site."""


def current_request() -> Request:
    """The request itself, like `flask.request`."""
    return _cv_request.get().request


def current_globals() -> Any:
    """The storage of this request, like `flask.g`."""
    return _cv_app.get().g


def current_application() -> Flask:
    """The application, like `flask.current_app`."""
    return _cv_app.get().app


def current_config() -> Mapping[str, Any]:
    """Its settings."""
    return current_application().config


def current_circumstances() -> dict[str, Any]:
    """What the audit log stores of the request: its interface, the client's address, its id."""
    request = current_request()
    first = request.path.split("/", 2)[1]
    return {
        "door": INTERFACES.get(first, "site"),
        "ip": request.remote_addr,
        "request_id": current_globals().get("request_id"),
    }
