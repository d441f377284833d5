"""Normalized text: NFC everywhere, no invisible characters in names, keys that ignore case."""

import re
import unicodedata
from typing import Any

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_MAX_DEPTH = 32

IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
)
"""Default_Ignorable_Code_Point up to U+FFFF: https://www.unicode.org/reports/tr44/#DerivedCoreProperties.txt"""
_SHAPERS = "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Joiners and variation selectors, which change how the preceding character looks."""
_SHAPED = rf"(?![{IGNORABLE}])[\u0590-\U000dffff]|[\u00a9\u00ae]|[#*0-9](?=\ufe0f\u20e3)"
"""Characters that they can change: scripts from Hebrew on, symbols, emoji, the digits of keycaps."""
_MARKS = "\u061c\u200e\u200f"
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_REGION = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
"""The flag of a region such as Scotland is encoded with tags after a black flag."""
_INVISIBLE = re.compile(
    rf"({_REGION}|(?:{_SHAPED})[{_SHAPERS}]+)"
    rf"|([{_MARKS}])|[{IGNORABLE}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def normalize(value: Any) -> Any:
    """Return `value` with every text in Normalization Form C (Unicode Standard Annex #15)."""
    return _normalize(value, _MAX_DEPTH)


def _normalize(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list) and depth:
        return [_normalize(one, depth - 1) for one in value]
    if isinstance(value, dict) and depth:
        return {name: _normalize(one, depth - 1) for name, one in value.items()}
    return value


def strip_invisible(text: str) -> str:
    """Return `text` without invisible characters, such as zero-width spaces and bidi controls.

    Joiners stay if a script or an emoji needs them, direction marks in text with right-to-left letters.
    """
    if text.isascii():
        return text
    marks = r"\2" if _RIGHT_TO_LEFT.search(text) else ""
    return _INVISIBLE.sub(rf"\1{marks}", text)


def is_blank(text: str) -> bool:
    """Whether nothing in `text` is visible: it contains only spaces and invisible characters, if any."""
    return not strip_invisible(text).strip()


def case_fold(text: str) -> str:
    """Return a key that is the same for names that differ only in case (Unicode Standard, D145)."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", strip_invisible(text)).casefold()
    return unicodedata.normalize("NFC", folded)


class CaseFolded(TypeDecorator[str]):
    """Text without differences of case: values are folded when they are written and compared."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else case_fold(value)
