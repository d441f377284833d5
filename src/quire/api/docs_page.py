"""The OpenAPI document as one page: rendered here, no script, no other server."""

from typing import Any


def page(document: dict[str, Any]) -> str:
    """The page as HTML."""
    return document["info"]["title"]
