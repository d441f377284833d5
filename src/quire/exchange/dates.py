"""Parses dates in the many formats that people and programs use, into UTC, the default time zone."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]*\.?"
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2,
    "eet": 2, "eest": 3, "msk": 3, "jst": 9, "aest": 10, "aedt": 11, "est": -5, "edt": -4,
    "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip

_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})", re.IGNORECASE)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+{_MONTH},?[\s-]+(\d{{4}})", re.IGNORECASE
)
_YEAR_AT_END = re.compile(
    rf"\b{_MONTH}\s+(\d{{1,2}})(?=\s+\d{{1,2}}:\d\d.*?(?<![+\d-])(\d{{4}})\s*$)", re.IGNORECASE
)
_LONGEST = 80
_COARSE = re.compile(r"^(\d{4})(?:-(\d{1,2}))?$")
_EPOCH = re.compile(r"^(\d{9,10})(\d{3})?$")
_TIME = re.compile(
    r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([ap])?\.?(?:m\b\.?)?", re.IGNORECASE
)
_OFFSET = re.compile(r"([+-])(\d{2}|\d(?=:)):?(\d{2})?(?!\d)")
_ZONE_NAME = re.compile(r"[a-z]+", re.IGNORECASE)


def parse_datetime(value: object, order: str = "") -> datetime | None:
    """`value` (datetime, date, number of seconds or text) in UTC; None if it is not a date.

    `order` ("day" or "month") is the one that comes first in ambiguous dates.
    """
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return _read_text(str(value).strip()[:_LONGEST], order)
    except (ValueError, OverflowError):
        return None


def _utc(value: datetime) -> datetime | None:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return None


def _read_text(text: str, order: str) -> datetime | None:
    if epoch := _EPOCH.match(text):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    if compact := _COMPACT.match(text):
        return _read_compact(compact, text[compact.end() :])
    if coarse := _COARSE.match(text):
        return datetime(int(coarse[1]), int(coarse[2] or 1), 1, tzinfo=UTC)
    match = _find_day(text, order)
    if match is None:
        return None
    day, rest = match
    return _utc(_with_time(day, rest))


def _read_compact(match: re.Match[str], rest: str) -> datetime | None:
    numbers = [int(part) for part in match.groups() if part]
    return _utc(datetime(*numbers, tzinfo=_zone(rest.removeprefix("."))))  # type: ignore[misc, arg-type]


def _find_day(text: str, order: str) -> tuple[datetime, str] | None:
    """The date in `text`, and the text without it."""
    for pattern, numbers in _PATTERNS:
        if match := pattern.search(text):
            day = datetime(*numbers(match, order))  # noqa: DTZ001  the zone is in the rest
            return day, text[: match.start()] + " " + text[match.end() :]
    return None


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _year_last(match: re.Match[str], order: str) -> tuple[int, int, int]:
    """The month comes first with slashes, otherwise the day, unless `order` differs; above 12 is a day."""
    first, second = int(match[1]), int(match[3])
    usual = "month" if match[2] == "/" else "day"
    is_month_first = (order if order in ("day", "month") else usual) == "month"
    if second > 12 or (is_month_first and first <= 12):
        return int(match[4]), first, second
    return int(match[4]), second, first


_PATTERNS = (
    (_YEAR_FIRST, lambda m, order: (int(m[1]), int(m[3]), int(m[4]))),
    (_MONTH_FIRST, lambda m, order: (int(m[3]), _month(m[1]), int(m[2]))),
    (_YEAR_AT_END, lambda m, order: (int(m[3]), _month(m[1]), int(m[2]))),
    (_DAY_FIRST, lambda m, order: (int(m[3]), _month(m[2]), int(m[1]))),
    (_YEAR_LAST, _year_last),
)


def _with_time(day: datetime, rest: str) -> datetime:
    match = _TIME.search(rest)
    if match is None:
        return day.replace(tzinfo=_zone(rest))
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        hour = hour % 12 + (12 if match[4] in "pP" else 0)
    clock = timedelta(days=1) if hour == 24 else timedelta(hours=_hour(hour))
    moment = day + clock + timedelta(minutes=_sixtieth(minute), seconds=_sixtieth(second))
    return moment.replace(tzinfo=_zone(rest[match.end() :]))


def _hour(number: int) -> int:
    if number > 24:
        raise ValueError("no such hour")
    return number


def _sixtieth(number: int) -> int:
    if number > 60:  # a leap second is written as 60
        raise ValueError("no such minute or second")
    return number


def _zone(rest: str) -> timezone:
    """The time zone at the beginning or end of `rest`; UTC if it names no known one."""
    if offset := _OFFSET.search(rest):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(ahead if offset[1] == "+" else -ahead)
    names = (_ZONES.get(name.lower()) for name in _ZONE_NAME.findall(rest))
    return timezone(timedelta(hours=next((hours for hours in names if hours is not None), 0)))
