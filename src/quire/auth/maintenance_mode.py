"""Refuses requests during maintenance, except those of administrators and what they need to sign in."""

from contextlib import suppress

from flask import Flask, Request, g

from quire.auth import sessions
from quire.auth.current_actor import current_actor
from quire.errors import Unauthenticated, UnderMaintenance
from quire.store.maintenance_mode import Maintenance, maintenance_of_request
from quire.web.caching import has_program_credential, has_session
from quire.web.current import current_globals, current_request
from quire.web.request_hooks import before_request

MONITORING_PATHS = ("/healthz", "/readyz", "/metrics")
OPEN_ENDPOINTS = frozenset(
    {
        *(
            f"site.{name}"
            for name in (
                "static theme theme_css custom_file login second_step login_with_passkey "
                "passkey_login_options logout create_first_admin"
            ).split()
        ),
        "admin.static",
        "admin.bundle",
        "api.tokenpaircreate",
        "api.tokenrefresh",
        "api.tokenrevoke",
    }
)
"""Assets, and the ways to sign in and out."""


def refuse_during_maintenance(request: Request) -> None:
    """Refuse this request during maintenance, unless it is exempt. Raises UnderMaintenance."""
    if request.path in MONITORING_PATHS or request.endpoint in OPEN_ENDPOINTS:
        return
    if has_program_credential(request):
        with suppress(
            Unauthenticated
        ):  # the connection that looks up the credential reports maintenance too
            current_actor()
    maintenance = maintenance_of_request(request.environ)
    current_globals().maintenance = maintenance
    if maintenance is not None and not is_administrator():
        raise UnderMaintenance(maintenance.message)


def seen_maintenance() -> Maintenance | None:
    """Return the maintenance during which this request was admitted; None if there is none."""
    maintenance: Maintenance | None = g.get("maintenance")
    return maintenance


def is_administrator() -> bool:
    """Return whether an administrator sent this request, even one who views the site as someone else."""
    try:
        if current_actor().at_least("admin"):
            return True
    except Unauthenticated:  # an expired token will be renewed after the maintenance
        return False
    user = sessions.current() if has_session(current_request()) else None
    return user is not None and user.account.role == "admin"


def init_app(app: Flask) -> None:
    """Check each request of `app`."""
    before_request(app, refuse_during_maintenance)
