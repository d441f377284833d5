"""The chart of the home page: bars of posts, comments and new users per day, drawn as SVG on the server."""

from dataclasses import dataclass
from datetime import date
from typing import Any

WIDTH, HEIGHT = 640, 210
LEFT, TOP, BOTTOM = 34, 10, 24
TICK_EVERY = 7
"""Days between two dates under the chart."""


@dataclass(frozen=True)
class Day:
    """What was written on one day."""

    date: date
    posts: int
    comments: int
    users: int = 0

    @property
    def label(self) -> str:
        """`22 Nov`."""
        return f"{self.date.day} {self.date:%b}"


def _step(most: int) -> int:
    """A round distance between grid lines, at most four of them."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if size * factor * 4 >= most:
                return size * factor
        size *= 10


def _lines(most: int, step: int, height: float) -> list[dict[str, Any]]:
    return [
        {"y": round(TOP + height - height * value / most, 1), "label": value}
        for value in range(0, most + 1, step)
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


def _bars(days: list[Day], scale: float, floor: float) -> list[dict[str, Any]]:
    slot = (WIDTH - LEFT) / len(days)
    bar = slot * 0.25
    bars = []
    for number, one in enumerate(days):
        x = LEFT + slot * number + slot * 0.12
        bars.append(_bar("posts", x, bar, one.posts, scale, floor))
        bars.append(_bar("comments", x + bar + 1, bar, one.comments, scale, floor))
        bars.append(_bar("users", x + 2 * (bar + 1), bar, one.users, scale, floor))
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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _summary(days: list[Day]) -> str:
    posts, comments = sum(d.posts for d in days), sum(d.comments for d in days)
    users = sum(d.users for d in days)
    return (
        f"From {days[0].label} to {days[-1].label}: {_count(posts, 'post')}, "
        f"{_count(comments, 'comment')}, {_count(users, 'new user')}. "
        "The numbers of each day stand in the table below."
    )


def chart(days: list[Day]) -> dict[str, Any]:
    """Positions of everything in the chart, in units of its view box; `days` are oldest first."""
    step = _step(max(1, *(max(one.posts, one.comments, one.users) for one in days)))
    top_value = step * 4
    height = HEIGHT - TOP - BOTTOM
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "days": days,
        "lines": _lines(top_value, step, height),
        "bars": _bars(days, height / top_value, TOP + height),
        "ticks": _ticks(days),
        "description": _summary(days),
    }
