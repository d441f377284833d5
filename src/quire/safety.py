"""What keeps Quire from running, in words for operators, and who may reach it."""

from collections.abc import Mapping
from typing import Any

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Unfit(Exception):
    """Quire cannot run as things are; the text is one line that says what to mend."""


class Unsafe(Unfit):
    """A setting is wrong or dangerous."""


def refuse_open_bind(config: Mapping[str, Any], host: str) -> None:
    """Raise Unsafe where other machines could reach a server that is not told its name."""
    missing = [key for key in ("PUBLIC_URL", "TRUSTED_HOSTS") if not config[key]]
    if missing and host not in LOOPBACK:
        raise Unsafe(f"Set {' and '.join(missing)} to serve on {host}, or use --host 127.0.0.1.")
