"""Recognizes the passwords that attackers try first.

The list holds those of 8 characters and more among the 30,000 most used ones that zxcvbn ships
(https://github.com/dropbox/zxcvbn, MIT), and some more.
"""

from functools import cache
from importlib.resources import files
from itertools import pairwise

MAX_PERIOD = 4
"""A password that only repeats this many characters or fewer counts as common."""


@cache
def _common() -> frozenset[str]:
    text = files("quire.security").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def is_common(password: str) -> bool:
    """Whether `password`, without regard to case, is in the list, a sequence such as `0123456789` or
    `hgfedcba`, or a few characters repeated."""
    folded = password.strip().lower()
    return folded in _common() or _is_sequence(folded) or _is_repetition(folded)


def _is_sequence(password: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    # after 9 comes 0, before 0 comes 9
    return steps <= {1, -9} or steps <= {-1, 9}


def _is_repetition(password: str) -> bool:
    return any(
        password == (password[:period] * len(password))[: len(password)]
        for period in range(1, MAX_PERIOD + 1)
    )
