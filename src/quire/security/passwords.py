"""Hashes and compares passwords, and recognizes those that attackers try first.

The hash is bcrypt over a digest, so that long passwords are not truncated. It is slow on purpose: a few threads
compute it, so that many simultaneous sign-ins leave CPU time for other requests; at most MAX_WAITING callers wait
for them.
"""

import re
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from flask import current_app
from flask_bcrypt import Bcrypt

from quire.errors import Unavailable
from quire.web.threads import UNPINNED, blocking, lower_priority

bcrypt = Bcrypt()
MAX_WAITING = 50
MAX_PERIOD = 4
"""A password that only repeats this many characters, or fewer, counts as common."""
_COST = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_NOBODY = "$2b${:02}$" + "." * 21 + "e" + "." * 31
"""A hash that belongs to nobody: checking it takes as long as any of that cost."""


def normal_password(password: str) -> str:
    """A password in one Unicode form, however it was typed; every kind of space becomes U+0020.

    RFC 8265, profile OpaqueString.
    """
    spaces = ("\x20" if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", "".join(spaces))


def hash_password(password: str) -> str:
    """Return the hash to store. Raises Unavailable if too many callers are waiting."""
    rounds = _rounds()
    return str(_hashing_pool().run(lambda: _hash(normal_password(password), rounds)))


def password_matches(stored: str | None, password: str) -> bool:
    """Whether `password` has the stored hash; takes as long if there is none.

    Raises Unavailable if too many callers are waiting.
    """
    rounds = _rounds()
    return bool(_hashing_pool().run(lambda: _matches(stored, password, rounds)))


def is_weak(stored: str) -> bool:
    """Whether a hash has a lower cost than is configured now."""
    return _cost(stored) < _rounds()


def is_hash(stored: str) -> bool:
    """Whether this is a hash of the kind that `hash_password` returns."""
    return bool(_cost(stored))


def _rounds() -> int:
    return int(current_app.config["BCRYPT_LOG_ROUNDS"])


def _hash(password: str, rounds: int) -> str:
    return str(bcrypt.generate_password_hash(password, rounds).decode("ascii"))


def _cost(stored: str | None) -> int:
    """Return the cost of a hash, or 0 for anything else."""
    match = _COST.fullmatch(stored or "")
    return int(match[1]) if match else 0


def _matches(stored: str | None, password: str, rounds: int) -> bool:
    """Compare in normalized form and as typed, from which older hashes were made."""
    forms = dict.fromkeys((normal_password(password), password))
    return any(_form_matches(stored, form, rounds) for form in forms)


def _form_matches(stored: str | None, password: str, rounds: int) -> bool:
    """Compare, and spend the time that an older, cheaper hash would save.

    Each step doubles the time, so cost 10 followed by 10 and 11 takes as long as cost 12.
    """
    cost = _cost(stored)
    matches = bool(cost) and _compare(str(stored), password)
    for missing in range(cost, rounds) if cost else [rounds]:
        if not matches:
            _compare(_NOBODY.format(missing), password)
    return matches


def _compare(stored: str, password: str) -> bool:
    return bool(bcrypt.check_password_hash(stored, password))


class HashingPool:
    """A bounded queue of hashing threads."""

    def __init__(self, at_once: int):
        self.threads = ThreadPoolExecutor(at_once, f"{UNPINNED}-hash", lower_priority)
        self.slots = threading.BoundedSemaphore(at_once + MAX_WAITING)

    def run(self, work: Callable[[], Any]) -> Any:
        """Run `work()` when it is its turn; return its result. Raises Unavailable."""
        if not self.slots.acquire(blocking=False):
            message = "Too many people are signing in at the moment. Try again in a few seconds."
            raise Unavailable(message, headers={"Retry-After": "5"})
        try:
            with blocking():
                return self.threads.submit(work).result()
        finally:
            self.slots.release()


@cache
def _pool(at_once: int) -> HashingPool:
    return HashingPool(at_once)


def _hashing_pool() -> HashingPool:
    return _pool(int(current_app.config["PASSWORD_HASHES_AT_ONCE"]))


@cache
def _common() -> frozenset[str]:
    """Return the passwords of 8 characters and more among the 30,000 most common ones that zxcvbn ships
    (https://github.com/dropbox/zxcvbn, MIT), and some more.
    """
    text = files("quire.security").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def is_common(password: str) -> bool:
    """Whether `password`, ignoring case, is in the list, a sequence such as `0123456789` or `hgfedcba`, or a few
    repeated characters.
    """
    folded = password.strip().lower()
    return folded in _common() or _is_sequence(folded) or _is_repetition(folded)


def _is_sequence(password: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    # 9 is followed by 0, and 0 preceded by 9
    return steps <= {1, -9} or steps <= {-1, 9}


def _is_repetition(password: str) -> bool:
    return any(
        password == (password[:period] * len(password))[: len(password)]
        for period in range(1, MAX_PERIOD + 1)
    )
