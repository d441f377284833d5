"""Named spans of time, such as the last 7 days, by which lists are filtered."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from quire.admin.local_time import time_zone
from quire.admin.urls import Pairs
from quire.declare.clock import now, rfc3339

OPERATOR = "within"
"""The operator of the panel's own filters: `created_at__within=last_7_days`."""

PRESETS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last_7_days": "Last 7 days",
    "last_30_days": "Last 30 days",
    "this_month": "This month",
    "last_month": "Last month",
    "next_7_days": "Next 7 days",
}
CHOICES = tuple(PRESETS.items())


def span_of(word: str) -> tuple[datetime, datetime]:
    """The first moment of a span, and the first after it, by the days of the person's zone."""
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
    """The parameters with each span as two comparisons of the query language."""
    expanded: Pairs = []
    for name, value in pairs:
        path, _, operator = name.rpartition("__")
        if operator == OPERATOR and value in PRESETS:
            first, after = span_of(value)
            expanded += [(f"{path}__gte", rfc3339(first)), (f"{path}__lt", rfc3339(after))]
        else:
            expanded.append((name, value))
    return expanded
