"""The charts of the home page: bars for each day, drawn as SVG on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_skeleton

from quire.translations.messages import Message
from quire.web.language import gettext, is_english, locale, translate

WIDTH, HEIGHT = 640, 210
LEFT, TOP, BOTTOM = 34, 10, 24
COUNTS = {
    "posts": Message("%(count)s post", "%(count)s posts", count=0),
    "comments": Message("%(count)s comment", "%(count)s comments", count=0),
    "users": Message("%(count)s new user", "%(count)s new users", count=0),
    "views": Message("%(count)s view", "%(count)s views", count=0),
}
TICK_EVERY = 7
"""Days between two dates under the chart."""


@dataclass(frozen=True)
class Day:
    """What was written, and how often posts were read, on one day."""

    date: date
    posts: int
    comments: int
    users: int = 0
    views: int = 0

    @property
    def label(self) -> str:
        """`22 Nov`."""
        if is_english():
            return f"{self.date.day} {self.date:%b}"
        return format_skeleton("MMMd", self.date, locale=locale())


def _step(highest: int) -> int:
    """A round distance between grid lines, of which there are at most four."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if size * factor * 4 >= highest:
                return size * factor
        size *= 10


def _lines(highest: int, step: int, height: float) -> list[dict[str, Any]]:
    return [
        {"y": round(TOP + height - height * value / highest, 1), "label": value}
        for value in range(0, highest + 1, step)
    ]


def _bar(series: str, x: float, width: float, value: int, scale: float, floor: float) -> Any:
    tall = round(max(value * scale, 1.5 if value else 0), 1)
    return {
        "series": series,
        "x": round(x, 1),
        "y": round(floor - tall, 1),
        "width": round(width, 1),
        "height": tall,
    }


def _bars(days: list[Day], series: Sequence[str], scale: float, floor: float) -> list[Any]:
    slot = (WIDTH - LEFT) / len(days)
    width = (slot * 0.75 - len(series) + 1) / len(series)
    bars = []
    for number, one in enumerate(days):
        x = LEFT + slot * number + slot * 0.12
        bars += [
            _bar(name, x + place * (width + 1), width, getattr(one, name), scale, floor)
            for place, name in enumerate(series)
        ]
    return [one for one in bars if one["height"]]


def _ticks(days: list[Day]) -> list[dict[str, Any]]:
    slot = (WIDTH - LEFT) / len(days)
    last = len(days) - 1
    return [
        {
            "x": WIDTH if n == last else round(LEFT + slot * (n + 0.5), 1),
            "label": one.label,
            "anchor": "end" if n == last else "middle",
        }
        for n, one in enumerate(days)
        if (last - n) % TICK_EVERY == 0
    ]


def _summary(days: list[Day], series: Sequence[str]) -> str:
    totals = [
        translate(COUNTS[name].with_values(count=sum(getattr(one, name) for one in days)))
        for name in series
    ]
    return gettext(
        "From %(first)s to %(last)s: %(totals)s. The table below has the numbers for each day.",
        first=days[0].label,
        last=days[-1].label,
        totals=", ".join(totals),
    )


def chart(days: list[Day], series: Sequence[str]) -> dict[str, Any]:
    """The positions of everything in the chart, in units of its view box; `days` are oldest first."""
    step = _step(max(1, *(getattr(one, name) for one in days for name in series)))
    top_value = step * 4
    height = HEIGHT - TOP - BOTTOM
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "days": days,
        "lines": _lines(top_value, step, height),
        "bars": _bars(days, series, height / top_value, TOP + height),
        "ticks": _ticks(days),
        "description": _summary(days, series),
    }
