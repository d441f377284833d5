"""Two texts compared word by word with diff-match-patch, in a time that has a limit.

The library compares characters; here each word stands for one, as its own line mode does with lines.
Where the time is over, what is left is shown as taken out and put in.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from diff_match_patch import diff_match_patch

SECONDS = 0.3
"""For each text; a page shows the differences of two or three."""
OPS = {-1: "delete", 0: "equal", 1: "insert"}
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


class WordDiffer(diff_match_patch):
    """Compares strings whose characters are words."""

    def __init__(self) -> None:
        super().__init__()
        self.Diff_Timeout = SECONDS

    def diff_halfMatch(self, text1: str, text2: str) -> None:  # noqa: N802 - the library's name
        """No short cut: on texts that repeat themselves it knows no limit of time."""


def diff(before: str, after: str) -> list[dict[str, str]]:
    """What is equal, deleted and inserted, as `{"op", "text"}`, in the order of the texts."""
    known: dict[str, str] = {}
    words: list[str] = []
    one, other = (_encoded(text, known, words) for text in (before, after))
    compared = WordDiffer().diff_main(one, other, False)
    pairs = ((OPS[op], "".join(words[ord(char)] for char in text)) for op, text in compared)
    return [{"op": op, "text": "".join(t for _, t in run)} for op, run in _runs(pairs)]


def _runs(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    return groupby((pair for pair in pairs if pair[1]), key=lambda pair: pair[0])


def _encoded(text: str, known: dict[str, str], words: list[str]) -> str:
    """A character for each word, the same for the same word."""
    found = []
    for word in _TOKEN.findall(text):
        char = known.get(word)
        if char is None:
            char = known[word] = chr(len(words))
            words.append(word)
        found.append(char)
    return "".join(found)
