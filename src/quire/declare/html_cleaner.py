"""Removes everything from HTML that is not on an allow-list, in linear time.

nh3 parses as browsers do, so what it lets through is what a browser sees. Two things are expensive for it, and are
replaced by other characters while it works: character references, a microsecond each, and U+0080 to U+00BF
(no-break spaces, French quotation marks), for each of which it scans the entire rest.
"""

import re
from typing import Any

import nh3

_PLANES = range(17)
_AMPERSAND, *_STAND_INS = (
    *map(chr, range(0xFDD0, 0xFDF0)),
    *(chr(plane << 16 | last) for plane in _PLANES for last in (0xFFFE, 0xFFFF)),
)
"""Code points that are not characters and do not occur in text: https://www.unicode.org/faq/private_use."""
_SLOW = "".join(map(chr, range(0x80, 0xC0)))
_SLOW_CHARACTER = re.compile(f"[{_SLOW[0]}-{_SLOW[-1]}]|&nbsp;")
_HIDE = str.maketrans(dict.fromkeys(_STAND_INS) | dict(zip(_SLOW, _STAND_INS, strict=False)))
_SHOW = str.maketrans(dict(zip(_STAND_INS, _SLOW, strict=False)))
_FEW = 500
"""The number of slow characters below which it is faster to leave them."""


class HtmlCleaner:
    """Lets through what the options allow; they are those of `nh3.Cleaner`."""

    def __init__(self, **options: Any) -> None:
        self._cleaner = nh3.Cleaner(**options)

    def clean(self, markup: str) -> str:
        """Return `markup` without disallowed elements, attributes and URLs."""
        if "&" not in markup and markup.isascii():
            return self._cleaner.clean(markup)
        lighter = markup.replace(_AMPERSAND, "").replace("&amp;", _AMPERSAND)
        has_many = len(_SLOW_CHARACTER.findall(lighter)) > _FEW
        clean = self._without_slow_characters(lighter) if has_many else self._cleaner.clean(lighter)
        return clean.replace(_AMPERSAND, "&amp;")

    def _without_slow_characters(self, markup: str) -> str:
        hidden = markup.replace("&nbsp;", "\xa0").translate(_HIDE)
        return self._cleaner.clean(hidden).translate(_SHOW).replace("\xa0", "&nbsp;")
