"""The settings that are edited in the panel, for the rules, hooks and pages that depend on them."""

from typing import Any
from urllib.parse import quote

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare.query import Query
from quire.declare.record import REGISTRY
from quire.store.cache import cached_until_commit
from quire.store.read import get_record, list_records

ONLY_ROW = 1
PAGES_IN_MENU = 6
"""The number of pages in the menu of a site without a menu of its own."""


def site_settings() -> dict[str, Any]:
    """Return all settings, as in the API."""
    return get_record(REGISTRY["settings"], SYSTEM, ONLY_ROW)


def site_appearance() -> dict[str, Any]:
    """Return the appearance of the site, as in the API."""
    return get_record(REGISTRY["appearance"], SYSTEM, ONLY_ROW)


def site_name() -> str:
    """Return the name of the site; read again only after the settings have changed."""
    return str(_cached_value("settings", "site_name"))


def site_language() -> str:
    """Return the language of the site's content; read again only after it may have changed."""
    return str(_cached_value("appearance", "language"))


def _cached_value(path: str, name: str) -> Any:
    query = Query(fields=(name,))
    return cached_until_commit(
        ("field", path, name), lambda: get_record(REGISTRY[path], SYSTEM, ONLY_ROW, query)[name]
    )


def site_menu(appearance: dict[str, Any]) -> list[dict[str, str]]:
    """Return the items of the menu as `label` and `url`: those entered, or else the first public pages."""
    if appearance["menu"]:
        return appearance["menu"]
    pages = REGISTRY["pages"]
    query = Query(
        fields=("id", "title", "slug"), sort=("position",), per_page=PAGES_IN_MENU, count=False
    )
    rows = list_records(pages, ANONYMOUS, query).rows
    start = str(pages.public_path)
    return [{"label": one["title"], "url": quote(start.format_map(one))} for one in rows]
