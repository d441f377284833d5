"""The host names that this server answers to: a request for any other is refused (400).

A malicious page can make its own name resolve to this machine (DNS rebinding), and caches and mails would then
contain a name that an attacker has chosen. Health checks use addresses, so they are exempt.
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
"""The WSGI variable that tells whether the client named a host that is not ours."""
HOST_SENT = "quire.host_sent"
"""The WSGI variable with the Host header as the client sent it, or None."""
MONITORING_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered under any host; their content does not depend on it."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(\d{1,5}))?")


@lru_cache(16)
def served_hosts(trusted: tuple[str, ...], public_url: str) -> tuple[str, ...]:
    """Return the accepted names; one with a leading dot includes all its subdomains."""
    if trusted:
        return trusted
    public = urlsplit(public_url).hostname
    names = [public, *sorted(LOOPBACK, reverse=True)] if public else sorted(LOOPBACK, reverse=True)
    return tuple(f"[{name}]" if ":" in name else name for name in names)


@lru_cache(100)
def is_served_host(host: str, names: tuple[str, ...]) -> bool:
    """Whether `host`, a Host header, is one of `names`, with any port."""
    match = _HOST.fullmatch(host.lower())
    if match is None or int(match[2] or 0) > 65535:
        return False
    return any(
        f".{match[1]}".endswith(name) if name.startswith(".") else match[1] == name
        for name in names
    )


def normalize_host(environ: dict[str, Any], config: Mapping[str, Any]) -> None:
    """Set an accepted host in `environ`, so that nothing else sees another one; mark the request otherwise.

    A request without a Host header (HTTP/1.0) is accepted.
    """
    names = served_hosts(tuple(config["TRUSTED_HOSTS"] or ()), config["PUBLIC_URL"])
    host = environ[HOST_SENT] = environ.get("HTTP_HOST")
    if host is None or not is_served_host(host, names):
        environ[FOREIGN_HOST] = host is not None
        environ["HTTP_HOST"] = names[0].lstrip(".")


def site_root() -> str:
    """Return the URL of this site, such as `https://example.org`: the configured one, or else the requested one."""
    root: str = current_app.config["PUBLIC_URL"]
    if root:
        return root
    environ = current_request().environ
    return f"{environ['wsgi.url_scheme']}://{host_of(environ)}"


def host_of(environ: Mapping[str, Any]) -> str:
    """Return the host of a request, without the default port of its scheme."""
    return _without_default_port(environ["wsgi.url_scheme"], environ["HTTP_HOST"])


@lru_cache(100)
def _without_default_port(scheme: str, host: str) -> str:
    return get_host(scheme, host).lower()


def refuse_foreign(request: Request) -> None:
    """Refuse a request for a foreign host. Raises BadRequest."""
    if request.environ.get(FOREIGN_HOST) and request.path not in MONITORING_PATHS:
        raise BadRequest(
            "This server does not answer to the host that the request names. "
            "If it should, add the name to TRUSTED_HOSTS."
        )


def init_app(app: Flask) -> None:
    """Check the host before anything else."""
    before_request(app, refuse_foreign)
