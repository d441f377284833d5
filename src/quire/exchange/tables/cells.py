"""Rows and cells of a table, whatever file they come from."""

import re
from typing import Any

MAX_COLUMNS = 200
LONGEST_CELL = 1_000_000

Row = tuple[int, list[str]]
"""The number of a row in its spreadsheet, from 1, and the texts of its cells."""
FORMULA_QUOTE = re.compile(r"'(?=\s*[=+\-@\t\r])")
"""The quote that exports put before text that a spreadsheet would run as a formula."""
_FORMULA = re.compile(r"[\t\r]|\s*[=+\-@]")
"""The beginning of a text that a spreadsheet would run as a formula (OWASP: CSV injection)."""


def cell_text(value: Any) -> str:
    """A cell's value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def escape_formula(text: str) -> str:
    """`text`, quoted if a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
