"""Named periods, such as the last 7 days, for filtering lists."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from quire.admin.urls import Pairs
from quire.declare.clock import now, rfc3339
from quire.translations.messages import Message
from quire.web.language import is_english, translate
from quire.web.time_zone import time_zone

OPERATOR = "within"
"""The operator of the panel's own filters: `created_at__within=last_7_days`."""

PRESETS = {
    "today": Message("Today"),
    "yesterday": Message("Yesterday"),
    "last_7_days": Message("Last 7 days"),
    "last_30_days": Message("Last 30 days"),
    "this_month": Message("This month"),
    "last_month": Message("Last month"),
    "next_7_days": Message("Next 7 days"),
}


def choices() -> tuple[tuple[str, str], ...]:
    """The periods with their names."""
    return tuple((word, translate(name)) for word, name in PRESETS.items())


def name_of(word: str) -> str:
    """The name of a period inside a sentence: English uses lower case there."""
    name = translate(PRESETS.get(word, word))
    return name.lower() if is_english() else name


def span_of(word: str) -> tuple[datetime, datetime]:
    """The start of a period and the end, which is excluded, by days in the person's zone."""
    today = now().astimezone(time_zone()).replace(hour=0, minute=0, second=0)
    days = {
        "today": (0, 1),
        "yesterday": (-1, 0),
        "last_7_days": (-6, 1),
        "last_30_days": (-29, 1),
        "next_7_days": (0, 7),
    }
    if word in days:
        first, last = days[word]
        return today + timedelta(days=first), today + timedelta(days=last)
    month = today.replace(day=1)
    if word == "this_month":
        return month, (month + timedelta(days=31)).replace(day=1)
    return (month - timedelta(days=1)).replace(day=1), month


def expand(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return the parameters with each period as two comparisons of the query language."""
    expanded: Pairs = []
    for name, value in pairs:
        path, _, operator = name.rpartition("__")
        if operator == OPERATOR and value in PRESETS:
            first, after = span_of(value)
            expanded += [(f"{path}__gte", rfc3339(first)), (f"{path}__lt", rfc3339(after))]
        else:
            expanded.append((name, value))
    return expanded
