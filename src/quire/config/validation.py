"""Errors that keep Quire from starting, and the settings a public server needs."""

from collections.abc import Mapping
from typing import Any

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class StartupError(Exception):
    """Quire cannot start; the message is one line that says what to fix."""


class UnsafeConfig(StartupError):
    """A setting is wrong or dangerous."""


def require_public_url(config: Mapping[str, Any], host: str) -> None:
    """Raise UnsafeConfig if other machines could reach a server without a configured address."""
    missing = [key for key in ("PUBLIC_URL", "TRUSTED_HOSTS") if not config[key]]
    if missing and host not in LOOPBACK:
        raise UnsafeConfig(
            f"Set {' and '.join(missing)} to serve on {host}, or use --host 127.0.0.1."
        )
