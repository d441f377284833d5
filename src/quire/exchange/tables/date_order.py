"""Whether the dates of a column have the day or the month first: one cell that can be read in one way says."""

import re
from dataclasses import dataclass

MONTH_FIRST, DAY_FIRST, UNKNOWN, MIXED, NO_DATES = "month", "day", "unknown", "mixed", ""
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")


def order_of(text: str) -> str:
    """The order in one date: UNKNOWN where both are possible, NO_DATES where it has another form."""
    found = _YEAR_LAST.search(text[:80])
    if found is None:
        return NO_DATES
    first, second = int(found[1]), int(found[3])
    if first == second:
        return NO_DATES
    if first > 12 or second > 12:
        return DAY_FIRST if first > 12 else MONTH_FIRST
    return UNKNOWN


@dataclass(slots=True)
class DateOrder:
    """The order of a column, learned cell by cell; `name` is that of the constants here."""

    name: str = NO_DATES

    def see(self, text: str) -> None:
        """Take one more cell into account."""
        seen = order_of(text)
        if seen in (NO_DATES, self.name) or (seen == UNKNOWN and self.name != NO_DATES):
            return
        self.name = seen if self.name in (NO_DATES, UNKNOWN) else MIXED
