"""Times as the person at the panel reads them: relative in lists, exact in their own time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import has_request_context, request
from markupsafe import Markup

from quire.declare.clock import now, rfc3339
from quire.web.dates import distance_in_words
from quire.web.language import is_english, locale

COOKIE = "time_zone"
"""The cookie with the name of the browser's time zone; the panel's script sets it."""

RECENT = timedelta(days=30)
"""How far from now a moment is told in days."""


def time_zone() -> tzinfo:
    """The time zone of the person who sent this request, UTC where it is not known."""
    return zone_named(request.cookies.get(COOKIE, "")) if has_request_context() else UTC


@lru_cache(500)
def zone_named(name: str) -> tzinfo:
    """The time zone with this IANA name, UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC


def _local(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment in `zone`, else the person's; as it is where it would leave the calendar there."""
    try:
        return moment.astimezone(zone or time_zone())
    except OverflowError:
        return moment


def short_date(moment: datetime) -> str:
    """`22 Nov 2026`."""
    if is_english():
        return f"{moment.day} {moment:%b %Y}"
    return format_date(moment, "medium", locale=locale())


def exact(value: str) -> str:
    """A moment (RFC 3339) as `22 Nov 2026, 15:34:07 CET`."""
    moment = _local(datetime.fromisoformat(value))
    return f"{short_date(moment)}, {moment:%H:%M:%S %Z}"


def format_moment(value: str) -> Markup:
    """A moment (RFC 3339) as `22 Nov 2026, 15:34` in the person's zone, exact in its title."""
    moment = _local(datetime.fromisoformat(value))
    return _time_element(value, f"{short_date(moment)}, {moment:%H:%M}")


def format_relative(value: str) -> Markup:
    """A moment (RFC 3339) as `5 minutes ago`, as a date where it is long ago; exact in its title."""
    moment = datetime.fromisoformat(value)
    away = abs(now() - moment)
    if away >= RECENT:
        local = _local(moment)
        return _time_element(value, short_date(local))
    return _time_element(value, distance_in_words((moment - now()).total_seconds()))


def _time_element(value: str, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}" class="nowrap">{}</time>').format(
        value, exact(value), text
    )


def local_text_in_words(text: str) -> str:
    """A moment as an input has it, in words; any other text as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{short_date(moment)}, {moment:%H:%M}"


def to_utc_text(text: str) -> str:
    """A moment that somebody typed in their own zone, as RFC 3339; anything else stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        return text
    try:
        return rfc3339(moment.replace(tzinfo=time_zone()))
    except OverflowError:
        return text


def to_local_text(value: str, zone: tzinfo | None = None) -> str:
    """The same moment as an input shows it, in `zone`, else the person's, and without its name."""
    try:
        return _local(datetime.fromisoformat(value), zone).replace(tzinfo=None).isoformat()
    except ValueError:
        return value
