"""Refuses requests that another site makes a browser send, whatever token they carry.

Browsers send where a request comes from (Sec-Fetch-Site, Origin), and pages cannot change these headers. If neither is
present, as with programs and some browsers, the token decides. This covers signing in too, which happens before there is
a session to steal.
"""

from urllib.parse import urlsplit

from flask import Flask, Request, current_app

from quire.config.types import PORTS
from quire.errors import PermissionDenied
from quire.web.caching import has_session
from quire.web.current import current_request
from quire.web.headers import OWN_SITES
from quire.web.request_hooks import before_request
from quire.web.safe_requests import SAFE


def origin_of(address: str) -> str:
    """Return the origin of a URL, in the form that browsers send."""
    parts = urlsplit(address.lower())
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def own_origin() -> str:
    """Return the origin of our own pages."""
    return origin_of(current_app.config["PUBLIC_URL"] or current_request().host_url)


def _is_foreign(request: Request) -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site not in OWN_SITES:
        return True
    return origin is not None and origin != own_origin()


def _needs_check(request: Request) -> bool:
    """Return whether the request may be authenticated by cookies, or asks for new ones."""
    if request.method in SAFE or not current_app.config.get("WTF_CSRF_ENABLED", True):
        return False
    if "Authorization" in request.headers or "X-API-Key" in request.headers:
        return False
    return has_session(request) or not request.path.startswith("/api/")


def refuse_cross_origin(request: Request) -> None:
    """Refuse a change that another site makes a browser send. Raises PermissionDenied."""
    if _needs_check(request) and _is_foreign(request):
        raise PermissionDenied(
            "This request comes from another site. It is only allowed from pages of this site."
        )


def init_app(app: Flask) -> None:
    """Check every request before any other check."""
    before_request(app, refuse_cross_origin)
