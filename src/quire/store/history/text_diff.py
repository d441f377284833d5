"""Compares two texts word by word with diff-match-patch, within a time limit.

The library compares characters; each word is mapped to one, as its line mode does with lines. When the
time is up, the remainder is shown as deleted and inserted.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from diff_match_patch import diff_match_patch

SECONDS = 0.3
"""The time limit for each pair of texts; a page compares two or three."""
OPS = {-1: "delete", 0: "equal", 1: "insert"}
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


class WordDiffer(diff_match_patch):
    """Compares strings whose characters are words."""

    def __init__(self) -> None:
        super().__init__()
        self.Diff_Timeout = SECONDS

    def diff_halfMatch(self, text1: str, text2: str) -> None:  # noqa: N802 - the library's name
        """Disable this shortcut, which ignores the time limit on repetitive texts."""


def diff(before: str, after: str) -> list[dict[str, str]]:
    """The equal, deleted and inserted parts as `{"op", "text"}`, in the order of the texts."""
    chars_by_word: dict[str, str] = {}
    words: list[str] = []
    one, other = (_encode_words(text, chars_by_word, words) for text in (before, after))
    diffs = WordDiffer().diff_main(one, other, False)
    pairs = ((OPS[op], "".join(words[ord(char)] for char in text)) for op, text in diffs)
    return [{"op": op, "text": "".join(t for _, t in run)} for op, run in _runs(pairs)]


def _runs(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    return groupby((pair for pair in pairs if pair[1]), key=lambda pair: pair[0])


def _encode_words(text: str, chars_by_word: dict[str, str], words: list[str]) -> str:
    """A text with one character per word, equal for equal words."""
    chars = []
    for word in _TOKEN.findall(text):
        char = chars_by_word.get(word)
        if char is None:
            char = chars_by_word[word] = chr(len(words))
            words.append(word)
        chars.append(char)
    return "".join(chars)
