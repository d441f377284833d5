"""The deprecation of a record type, a field or an action: since when, until when, what to use instead."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

DOCUMENTS = "/api/v1/docs"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class Deprecation:
    """States that something still works but will be removed.

    `since` is the day from which it should no longer be used, `sunset` the day from which it may be removed, both
    at midnight UTC; `replacement` is a sentence that says what to use instead; `link` the URL of a page about it.
    Raises ValueError if the removal precedes the deprecation.
    """

    since: date
    sunset: date | None = None
    replacement: str = ""
    link: str = DOCUMENTS

    def __post_init__(self) -> None:
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("sunset is before since")

    @property
    def headers(self) -> dict[str, str]:
        """`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link`."""
        headers = {"Deprecation": f"@{_midnight(self.since).timestamp():.0f}"}
        if self.sunset is not None:
            headers["Sunset"] = format_datetime(_midnight(self.sunset), usegmt=True)
        return {**headers, "Link": f'<{self.link}>; rel="deprecation"; type="text/html"'}

    @property
    def description(self) -> str:
        """The same in words: `Deprecated since 2026-03-01. Use cover instead.`"""
        until = f", to be removed on {self.sunset}" if self.sunset else ""
        return f"Deprecated since {self.since}{until}. {self.replacement}".strip()
