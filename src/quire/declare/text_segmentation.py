"""Splits text into words and folds them, so that search and sort order are the same on every database."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Scripts without spaces between words (Han, Kana, Thai, Lao, Khmer, Burmese), and Hangul, which attaches particles
to them.
"""

MAX_REMEMBERED = 50_000
_FIRST_VOWEL_SIGN = 0x0900
_OTHER_MARKS = re.compile("[\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe",
     "þ": "th"}
)  # fmt: skip
"""Letters that people type without their stroke or dot, and that Unicode does not decompose."""


class Word(NamedTuple):
    """A word of a text: its position, its folded form, the number of its run.

    A run is the text between two spaces: `node.js` is one of two words. An `unspaced` word is a piece of text in a
    script that does not separate words.
    """

    start: int
    end: int
    text: str
    unspaced: bool
    run: int


Value = TypeVar("Value")


class _CharacterTable(dict[int, Value]):
    """A table for `str.translate`, filled as characters occur, and no larger than common scripts."""

    def remember(self, code: int, value: Value) -> Value:
        """Store and return the translation of a character, if there is room."""
        if len(self) < MAX_REMEMBERED:
            self[code] = value
        return value


class _RemovalTable(_CharacterTable[int | None]):
    """Removes accents, vowel points and invisible characters."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        category = unicodedata.category(char)
        mark = category[0] == "M" and (code < _FIRST_VOWEL_SIGN or bool(_OTHER_MARKS.match(char)))
        is_removed = mark or category in ("Cf", "Cn") or 0xE0100 <= code < 0xE01F0
        return self.remember(code, None if is_removed else code)


class _ClassTable(_CharacterTable[str]):
    """One letter for each character, so that words keep their positions."""

    def __missing__(self, code: int) -> str:
        return self.remember(code, _class_of(chr(code)))


def _class_of(char: str) -> str:
    """Return the letter of a (w)ord or an (u)nspaced one, (s)ymbol, (x) ignored, a space, or a separator."""
    category = unicodedata.category(char)
    if category[0] in "LM" or category in ("Nd", "Nl"):
        return "u" if _UNSPACED.match(char) else "w"
    if category in ("So", "No"):
        return "s"
    if category == "Cf" or ord(char) in _SKIN_TONES:
        return "x"
    return " " if char.isspace() or category[0] in "ZC" else "."


_removals, _classes = _RemovalTable(), _ClassTable()
_WORD = re.compile(r"w[wx]*|u[ux]*|s")


def fold(text: str) -> str:
    """Return `text` without case, accents and compatibility forms (Unicode NFKD): `Café` becomes `cafe`."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(_removals)
    return unicodedata.normalize("NFC", folded.casefold().translate(_WITHOUT_DECOMPOSITION))


def words(text: str) -> Iterator[Word]:
    """Return the words of a text in order; digits and emoji are words, punctuation is not."""
    classes = text.translate(_classes)
    run, end = 0, 0
    for match in _WORD.finditer(classes):
        start, previous, end = match.start(), end, match.end()
        run += " " in classes[previous:start]
        folded = fold(text[start:end])
        if not folded.isalnum():  # a vowel sign, or the decomposition of one character
            folded = "".join(char for char in folded if _classes[ord(char)] in "wus")
        if folded:
            yield Word(start, end, folded, classes[start] == "u", run)
