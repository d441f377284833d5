"""The time zone of the person who sent a request: its cookie, and that of a submitted form."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import has_request_context, request

COOKIE = "time_zone"
"""The cookie with the name of the browser's time zone, set by scripts of the panel and of account pages."""

INPUT = "_time_zone"
"""The input with the zone in which a form was shown; its times are in that zone, whatever the cookie says now."""


def time_zone() -> tzinfo:
    """The time zone of the person who sent this request, UTC if it is unknown."""
    return zone_named(request.cookies.get(COOKIE, "")) if has_request_context() else UTC


def form_zone() -> tzinfo:
    """The zone of the submitted form, or of the person if none was submitted."""
    name = request.form.get(INPUT, "") if has_request_context() else ""
    return zone_named(name) if name else time_zone()


@lru_cache(500)
def zone_named(name: str) -> tzinfo:
    """The time zone with this IANA name, UTC if there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC


def zone_name(zone: tzinfo) -> str:
    """The name of a zone, such as Europe/Berlin."""
    return str(getattr(zone, "key", "UTC"))


def local(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """The time in `zone`, or the person's zone; unchanged if it would leave the calendar there."""
    try:
        return moment.astimezone(zone or time_zone())
    except OverflowError:
        return moment
