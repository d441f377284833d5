"""The settings that are edited in the panel, for rules, hooks and pages that depend on them."""

from typing import Any

from quire.actor import SYSTEM
from quire.declare.record import REGISTRY
from quire.store.read import get_record

ONLY_ROW = 1


def site_settings() -> dict[str, Any]:
    """All of them, as the API shows them."""
    return get_record(REGISTRY["settings"], SYSTEM, ONLY_ROW)


def site_appearance() -> dict[str, Any]:
    """How the site looks, as the API shows it."""
    return get_record(REGISTRY["appearance"], SYSTEM, ONLY_ROW)
