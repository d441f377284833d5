"""Detects whether the dates in a column have the day or the month first, from an unambiguous cell."""

import re
from dataclasses import dataclass

MONTH_FIRST, DAY_FIRST, UNKNOWN, MIXED, NO_DATES = "month", "day", "unknown", "mixed", ""
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")


def order_of(text: str) -> str:
    """The order in one date: UNKNOWN if both are possible, NO_DATES if it has another form."""
    match = _YEAR_LAST.search(text[:80])
    if match is None:
        return NO_DATES
    first, second = int(match[1]), int(match[3])
    if first == second:
        return NO_DATES
    if first > 12 or second > 12:
        return DAY_FIRST if first > 12 else MONTH_FIRST
    return UNKNOWN


@dataclass(slots=True)
class DateOrder:
    """The order of a column, learned cell by cell; `name` is one of the constants here."""

    name: str = NO_DATES

    def see(self, text: str) -> None:
        """Take one more cell into account."""
        order = order_of(text)
        if order in (NO_DATES, self.name) or (order == UNKNOWN and self.name != NO_DATES):
            return
        self.name = order if self.name in (NO_DATES, UNKNOWN) else MIXED
