"""Dates in words, in the language of the site; Babel is loaded where that is not English."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from flask import g, has_app_context

from quire.declare.clock import now, rfc3339

ENGLISH = "en"
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


def language() -> str:
    """The language of the current page."""
    return str(g.get("language", ENGLISH)) if has_app_context() else ENGLISH


def set_language(language: str) -> None:
    """Set the language of dates in this request."""
    g.language = language


def _babel() -> Any:
    return import_module("babel.dates")


def _locale() -> str:
    return language().replace("-", "_")


def _read(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)


def day(moment: Moment) -> str:
    """`31 January 2026`."""
    when = _read(moment)
    if language() != ENGLISH:
        return str(_babel().format_date(when, "long", locale=_locale()))
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def clock(moment: Moment) -> str:
    """`31 January 2026, 14:05 UTC`."""
    return f"{day(moment)}, {_read(moment):%H:%M} UTC"


def month_name(month: int, year: int) -> str:
    """`January 2026`."""
    if language() != ENGLISH:
        first = datetime(year, month, 1)  # noqa: DTZ001 - a month, no moment
        return str(_babel().format_skeleton("yMMMM", first, locale=_locale()))
    return f"{_MONTHS[month - 1]} {year}"


def timeago(moment: Moment) -> str:
    """`3 days ago`, `in 2 hours`, `just now`."""
    seconds = (_read(moment) - now()).total_seconds()
    if language() != ENGLISH:
        distance = timedelta(seconds=seconds)
        return str(_babel().format_timedelta(distance, add_direction=True, locale=_locale()))
    for unit, length in _STEPS:
        number = int(abs(seconds) // length)
        if number:
            words = f"{number} {unit}{'' if number == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "just now"


def recent_time(moment: Moment) -> str:
    """`3 days ago`; the date if that is more than a week ago."""
    distance = abs(_read(moment) - now())
    return timeago(moment) if distance < timedelta(days=RECENT_DAYS) else day(moment)


def iso8601(moment: Moment) -> str:
    """A time for the attribute `datetime`."""
    return moment if isinstance(moment, str) else rfc3339(moment)


FILTERS = {
    "day": day,
    "clock": clock,
    "month_name": month_name,
    "timeago": timeago,
    "lately": recent_time,
}
