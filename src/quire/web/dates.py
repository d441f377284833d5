"""Dates and times in words, in the language of the page."""

from datetime import datetime, timedelta

from babel.dates import format_date, format_skeleton, format_timedelta, get_timezone_name

from quire.declare.clock import now
from quire.web.language import gettext, is_english, locale
from quire.web.time_zone import local

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_STEPS = (
    ("year", 31_536_000),
    ("month", 2_592_000),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
)
RECENT_DAYS = 7
Moment = str | datetime
"""A date in the form of the API (RFC 3339), or an aware datetime."""


def _to_datetime(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)


def day(moment: Moment) -> str:
    """`31 January 2026`."""
    when = _to_datetime(moment)
    if is_english():
        return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"
    return format_date(when, "long", locale=locale())


def clock(moment: Moment) -> str:
    """`31 January 2026, 14:05 UTC`."""
    return f"{day(moment)}, {_to_datetime(moment):%H:%M} UTC"


def local_day(moment: Moment) -> str:
    """The day of a time in the person's time zone."""
    return day(local(_to_datetime(moment)))


def local_clock(moment: Moment) -> str:
    """`31 January 2026, 15:05 CET`, in the person's time zone."""
    there = local(_to_datetime(moment))
    return f"{day(there)}, {there:%H:%M} {zone_abbreviation(there)}"


def zone_abbreviation(moment: datetime) -> str:
    """`CET`: the abbreviated time zone in the language of the page; in German `MEZ`."""
    name = "" if is_english() else get_timezone_name(moment, width="short", locale=locale())
    return name if name.isalpha() else f"{moment:%Z}"


def month_name(month: int, year: int) -> str:
    """`January 2026`."""
    if is_english():
        return f"{_MONTHS[month - 1]} {year}"
    first = datetime(year, month, 1)  # noqa: DTZ001 - a month, no moment
    return format_skeleton("yMMMM", first, locale=locale())


def timeago(moment: Moment) -> str:
    """`3 days ago`, `in 2 hours`, `just now`."""
    return distance_in_words((_to_datetime(moment) - now()).total_seconds())


def distance_in_words(seconds: float) -> str:
    """`in 2 hours` for a time that many seconds ahead, `2 hours ago` for one in the past."""
    if abs(seconds) < _STEPS[-1][1]:
        return gettext("just now")
    if not is_english():
        return format_timedelta(
            timedelta(seconds=seconds), add_direction=True, threshold=1, locale=locale()
        )
    unit, length = next(one for one in _STEPS if abs(seconds) >= one[1])
    number = int(abs(seconds) // length)
    words = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def recent_time(moment: Moment) -> str:
    """`3 days ago`; the date if that is more than a week ago."""
    distance = abs(_to_datetime(moment) - now())
    return timeago(moment) if distance < timedelta(days=RECENT_DAYS) else day(moment)


FILTERS = {
    "day": day,
    "clock": clock,
    "local_day": local_day,
    "local_clock": local_clock,
    "month_name": month_name,
    "timeago": timeago,
    "lately": recent_time,
}
