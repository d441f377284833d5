"""Passwords as they are stored: bcrypt over a digest, so that no length is cut off.

Hashing takes long, on purpose. It is done by few threads, so that many who sign in at once do not
take the processors away from all others; who asks for it waits, and so many may wait at most.
"""

import re
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from flask import current_app
from flask_bcrypt import Bcrypt

from quire.errors import Unavailable
from quire.web.threads import UNPINNED, blocking, lower_priority

bcrypt = Bcrypt()
MOST_WAITING = 50
_COST = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_NOBODY = "$2b${:02}$" + "." * 21 + "e" + "." * 31
"""A hash that belongs to nobody: checking it takes as long as any of that cost."""


def normal_password(password: str) -> str:
    """A password in one form of Unicode, however it was typed: spaces of other widths are spaces.

    RFC 8265, profile OpaqueString.
    """
    spaces = ("\x20" if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", "".join(spaces))


def hash_password(password: str) -> str:
    """The hash to store. Raises Unavailable when too many wait for one."""
    rounds = _rounds()
    return str(_hashes().run(lambda: _hash(normal_password(password), rounds)))


def password_matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one whose hash is stored; takes as long when there is none.

    Raises Unavailable when too many wait for that.
    """
    rounds = _rounds()
    return bool(_hashes().run(lambda: _matches(stored, password, rounds)))


def is_weak(stored: str) -> bool:
    """Whether a hash was made at a lower cost than is set now."""
    return _cost(stored) < _rounds()


def is_hash(stored: str) -> bool:
    """Whether this is a hash as `hash_password` makes them."""
    return bool(_cost(stored))


def _rounds() -> int:
    return int(current_app.config["BCRYPT_LOG_ROUNDS"])


def _hash(password: str, rounds: int) -> str:
    return str(bcrypt.generate_password_hash(password, rounds).decode("ascii"))


def _cost(stored: str | None) -> int:
    """The cost of a hash, 0 of what is none."""
    found = _COST.fullmatch(stored or "")
    return int(found[1]) if found else 0


def _matches(stored: str | None, password: str, rounds: int) -> bool:
    """Compare in one form of Unicode, and as it was typed: older hashes are of that."""
    forms = dict.fromkeys((normal_password(password), password))
    return any(_form_matches(stored, form, rounds) for form in forms)


def _form_matches(stored: str | None, password: str, rounds: int) -> bool:
    """Compare, and spend the time that an older, cheaper hash would save.

    One more doubles the time, so that cost 10 and then 10 and 11 take as long as cost 12.
    """
    cost = _cost(stored)
    found = bool(cost) and _compare(str(stored), password)
    for missing in range(cost, rounds) if cost else [rounds]:
        if not found:
            _compare(_NOBODY.format(missing), password)
    return found


def _compare(stored: str, password: str) -> bool:
    return bool(bcrypt.check_password_hash(stored, password))


class HashingPool:
    """The threads that hash."""

    def __init__(self, at_once: int):
        self.threads = ThreadPoolExecutor(at_once, f"{UNPINNED}-hash", lower_priority)
        self.room = threading.BoundedSemaphore(at_once + MOST_WAITING)

    def run(self, work: Callable[[], Any]) -> Any:
        """What `work()` returns, when its turn has come. Raises Unavailable."""
        if not self.room.acquire(blocking=False):
            message = "Too many people are signing in at the moment. Try again in a few seconds."
            raise Unavailable(message, headers={"Retry-After": "5"})
        try:
            with blocking():
                return self.threads.submit(work).result()
        finally:
            self.room.release()


@cache
def _pool(at_once: int) -> HashingPool:
    return HashingPool(at_once)


def _hashes() -> HashingPool:
    return _pool(int(current_app.config["PASSWORD_HASHES_AT_ONCE"]))
