"""Times in forms: shown and typed in the person's time zone, sent to the store in UTC."""

from datetime import UTC, datetime
from typing import Any

from quire.admin.local_time import short_date, to_local_text
from quire.declare.clock import rfc3339
from quire.translations.messages import Message
from quire.web.dates import zone_abbreviation
from quire.web.language import gettext
from quire.web.time_zone import form_zone, zone_name


def moment_text(value: Any) -> str:
    """A time (RFC 3339) as the form shows it."""
    return to_local_text(str(value), form_zone()) if value else ""


def _local_moment(text: str) -> datetime | None:
    """The time typed without a zone, in the zone of the form; None for any other text."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return None
        return datetime.combine(moment.date(), moment.time(), form_zone())
    except (OverflowError, ValueError):
        return None


def _movable_moment(text: str) -> datetime | None:
    """The same, unless it could leave the calendar in another zone."""
    moment = _local_moment(text)
    return moment if moment is not None and 1 < moment.year < 9999 else None


def _words_about(moment: datetime) -> dict[str, str]:
    """The details of a time in the zone of the form for messages about clock changes."""
    return {
        "time": f"{moment:%H:%M}",
        "day": short_date(moment),
        "zone": zone_name(form_zone()),
    }


def utc_text(text: str) -> str:
    """What was typed, as RFC 3339; text that is not a time stays as it is, and the store refuses it."""
    moment = _local_moment(text)
    try:
        return text if moment is None else rfc3339(moment)
    except OverflowError:
        return text


def gap_problem(text: str) -> Message | None:
    """Why a time does not exist: clocks were put forward over it. None if it exists."""
    moment = _movable_moment(text)
    if moment is None:
        return None
    there = moment.astimezone(UTC).astimezone(moment.tzinfo)
    if there.replace(tzinfo=None) == moment.replace(tzinfo=None):
        return None
    return Message(
        "There is no %(time)s on %(day)s in %(zone)s: the clocks go forward then. Enter another time, such as %(later)s.",
        **_words_about(moment),
        later=f"{there:%H:%M}",
    )


def overlap_note(text: str) -> str | None:
    """Which of two times is meant, after clocks were put back. None if there is only one."""
    moment = _movable_moment(text)
    if moment is None or gap_problem(text):
        return None
    later = moment.replace(fold=1)
    if moment.utcoffset() == later.utcoffset():
        return None
    return gettext(
        "%(time)s on %(day)s occurs twice in %(zone)s, as the clocks go back then. The first is used (%(first)s, %(utc)s UTC).",
        **_words_about(moment),
        first=f"{moment:%H:%M} {zone_abbreviation(moment)}",
        utc=f"{moment.astimezone(UTC):%H:%M}",
    )
