"""Images in the panel: thumbnails in lists and pickers, a preview next to the form."""

from typing import Any

from markupsafe import Markup

from quire.store.files.detect import PICTURES
from quire.web.language import gettext, translate

SUFFIXES = tuple(f".{suffix}" for _, suffix in PICTURES.values())
UNDRAWN = ("given_up", "broken")
THUMB = 160
"""Width of the smallest variant that every image has, in pixels."""


def thumbnail_url(small: Any) -> str | None:
    """The URL of a media record's smallest variant in its current version; None if it is not an image."""
    url = small.get("url") if isinstance(small, dict) else None
    if not isinstance(url, str) or not url.startswith("/uploads/") or not url.endswith(SUFFIXES):
        return None
    return f"{url.rpartition('.')[0]}-{THUMB}.webp?current"


def thumbnail(small: Any) -> Markup:
    """The smallest variant, or a placeholder; it is next to the name, so it has no alternative text."""
    url = thumbnail_url(small)
    if url is None:
        return Markup("")
    if small.get("state") in UNDRAWN:
        words = gettext("This image could not be processed.")
        words = f"{words} {translate(small.get('fault') or '')}"
        return Markup(
            '<span class="thumb missing" role="img" aria-label="{0}" title="{0}">!</span>'
        ).format(words)
    return Markup(
        '<img class="thumb" src="{}" alt="" width="48" height="48" loading="lazy">'
    ).format(url)


def preview(state: dict[str, Any]) -> str:
    """The URL of a variant as wide as a column, or of the original."""
    variant = state["variants"].get("640")
    return str(variant["webp"] if variant else state["url"])
