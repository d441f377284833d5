"""The settings that are edited in the panel, for rules and hooks that depend on them."""

from typing import Any

from quire.actor import SYSTEM
from quire.declare.record import REGISTRY
from quire.store.read import one

ONLY_ROW = 1


def site_settings() -> dict[str, Any]:
    """All of them, as the API shows them."""
    return one(REGISTRY["settings"], SYSTEM, ONLY_ROW)
