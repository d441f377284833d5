"""Which names this server answers to: a request for any other host is refused (400).

A page of somebody else can make its own name lead to this machine (DNS rebinding), and caches and
mails would carry a name that a stranger chose. Checks of health ask by address, so they are let through.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, current_app
from werkzeug.sansio.utils import get_host

from quire.config.validation import LOOPBACK
from quire.errors import BadRequest
from quire.web.current import current_request
from quire.web.request_hooks import before_request

FOREIGN_HOST = "quire.foreign_host"
"""Where the WSGI environment says that the client named a host that is none of ours."""
HOST_SENT = "quire.host_sent"
"""Where the WSGI environment has the Host header as the client sent it, if it did."""
MONITORING_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Answered under any host; they show nothing that depends on it."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(\d{1,5}))?")


@lru_cache(16)
def served_hosts(trusted: tuple[str, ...], public_url: str) -> tuple[str, ...]:
    """The names that are answered to; one that begins with a dot includes all below it."""
    if trusted:
        return trusted
    public = urlsplit(public_url).hostname
    names = [public, *sorted(LOOPBACK, reverse=True)] if public else sorted(LOOPBACK, reverse=True)
    return tuple(f"[{name}]" if ":" in name else name for name in names)


@lru_cache(100)
def is_served_host(host: str, names: tuple[str, ...]) -> bool:
    """Whether `host`, a Host header, is one of `names`, whatever its port."""
    match = _HOST.fullmatch(host.lower())
    if match is None or int(match[2] or 0) > 65535:
        return False
    return any(
        f".{match[1]}".endswith(name) if name.startswith(".") else match[1] == name
        for name in names
    )


def normalize_host(environ: dict[str, Any], config: Mapping[str, Any]) -> None:
    """Let `environ` name a host of ours, so that nothing behind meets another; mark what did not.

    A request without a Host header (HTTP/1.0) is for whoever it reaches.
    """
    names = served_hosts(tuple(config["TRUSTED_HOSTS"] or ()), config["PUBLIC_URL"])
    host = environ[HOST_SENT] = environ.get("HTTP_HOST")
    if host is None or not is_served_host(host, names):
        environ[FOREIGN_HOST] = host is not None
        environ["HTTP_HOST"] = names[0].lstrip(".")


def site_root() -> str:
    """Where this site is found, such as `https://example.org`: as set, else as it was asked for."""
    root: str = current_app.config["PUBLIC_URL"]
    if root:
        return root
    environ = current_request().environ
    return f"{environ['wsgi.url_scheme']}://{host_of(environ)}"


def host_of(environ: Mapping[str, Any]) -> str:
    """The host that a request is for, without the port that its scheme has anyway."""
    return _without_default_port(environ["wsgi.url_scheme"], environ["HTTP_HOST"])


@lru_cache(100)
def _without_default_port(scheme: str, host: str) -> str:
    return get_host(scheme, host).lower()


def refuse_foreign(request: Request) -> None:
    """Refuse a request for a host that is none of ours. Raises BadRequest."""
    if request.environ.get(FOREIGN_HOST) and request.path not in MONITORING_PATHS:
        raise BadRequest(
            "This server does not answer to the host that the request names. "
            "If it should, add the name to TRUSTED_HOSTS."
        )


def init_app(app: Flask) -> None:
    """Look at the host before anything else does."""
    before_request(app, refuse_foreign)
