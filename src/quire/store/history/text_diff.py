"""Compares two texts word by word with diff-match-patch, within a time limit.

The library compares characters; here each word becomes one, as its own line mode does with lines.
When time is up, the remainder is shown as deleted and inserted.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from diff_match_patch import diff_match_patch

SECONDS = 0.3
"""For each pair of texts; a page shows the differences of two or three."""
OPS = {-1: "delete", 0: "equal", 1: "insert"}
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


class WordDiffer(diff_match_patch):
    """Compares strings whose characters are words."""

    def __init__(self) -> None:
        super().__init__()
        self.Diff_Timeout = SECONDS

    def diff_halfMatch(self, text1: str, text2: str) -> None:  # noqa: N802 - the library's name
        """No shortcut: on repetitive texts it ignores the time limit."""


def diff(before: str, after: str) -> list[dict[str, str]]:
    """What is equal, deleted and inserted, as `{"op", "text"}`, in the order of the texts."""
    chars_by_word: dict[str, str] = {}
    words: list[str] = []
    one, other = (_encode_words(text, chars_by_word, words) for text in (before, after))
    diffs = WordDiffer().diff_main(one, other, False)
    pairs = ((OPS[op], "".join(words[ord(char)] for char in text)) for op, text in diffs)
    return [{"op": op, "text": "".join(t for _, t in run)} for op, run in _runs(pairs)]


def _runs(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    return groupby((pair for pair in pairs if pair[1]), key=lambda pair: pair[0])


def _encode_words(text: str, chars_by_word: dict[str, str], words: list[str]) -> str:
    """A character for each word, the same for the same word."""
    chars = []
    for word in _TOKEN.findall(text):
        char = chars_by_word.get(word)
        if char is None:
            char = chars_by_word[word] = chr(len(words))
            words.append(word)
        chars.append(char)
    return "".join(chars)
