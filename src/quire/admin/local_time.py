"""Times for people in the panel: relative in lists, exact in their own time zone."""

from datetime import datetime, timedelta, tzinfo

from babel.dates import format_date
from markupsafe import Markup

from quire.declare.clock import now, rfc3339
from quire.web.dates import distance_in_words, zone_abbreviation
from quire.web.language import is_english, locale
from quire.web.time_zone import local, time_zone

RECENT = timedelta(days=30)
"""How far from now a time may be to be shown relative to it."""


def short_date(moment: datetime) -> str:
    """`22 Nov 2026`."""
    if is_english():
        return f"{moment.day} {moment:%b %Y}"
    return format_date(moment, "medium", locale=locale())


def exact(value: str) -> str:
    """A time (RFC 3339) as `22 Nov 2026, 15:34:07 CET`."""
    moment = local(datetime.fromisoformat(value))
    return f"{short_date(moment)}, {moment:%H:%M:%S} {zone_abbreviation(moment)}"


def format_moment(value: str) -> Markup:
    """A time (RFC 3339) as `22 Nov 2026, 15:34` in the person's zone, with the exact time as its title."""
    moment = local(datetime.fromisoformat(value))
    return _time_element(value, f"{short_date(moment)}, {moment:%H:%M}")


def format_relative(value: str) -> Markup:
    """A time (RFC 3339) as `5 minutes ago`, or as a date if it is long ago, with the exact time as its title."""
    moment = datetime.fromisoformat(value)
    away = abs(now() - moment)
    if away >= RECENT:
        return _time_element(value, short_date(local(moment)))
    return _time_element(value, distance_in_words((moment - now()).total_seconds()))


def _time_element(value: str, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}" class="nowrap">{}</time>').format(
        value, exact(value), text
    )


def local_text_in_words(text: str) -> str:
    """The time in an input's text, in words; any other text as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{short_date(moment)}, {moment:%H:%M}"


def to_utc_text(text: str) -> str:
    """A time typed in the person's own zone, as RFC 3339; anything else as it is."""
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
    """The time as an input shows it, in `zone` or the person's zone, without the zone's name."""
    try:
        return local(datetime.fromisoformat(value), zone).replace(tzinfo=None).isoformat()
    except ValueError:
        return value
