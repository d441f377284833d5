"""Passwords as they are stored: bcrypt over a digest, so that no length is cut off.

Hashing takes long, on purpose. It is done by few threads, so that many who sign in at once do not
take the processors away from all others; who asks for it waits, and so many may wait at most.
"""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from flask import current_app, has_request_context, request
from flask_bcrypt import Bcrypt

from quire.errors import Unavailable
from quire.processor import ROAMING, STAND_IN, give_way

bcrypt = Bcrypt()
MOST_WAITING = 50
_COST = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_NOBODY = "$2b${:02}$" + "." * 21 + "e" + "." * 31
"""A hash that belongs to nobody: checking it takes as long as any of that cost."""


def hash_password(password: str) -> str:
    """The hash to store. Raises Unavailable when too many wait for one."""
    rounds = _rounds()
    return str(_hashes().run(lambda: _hash(password, rounds)))


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


class Hashes:
    """The threads that hash."""

    def __init__(self, at_once: int):
        self.threads = ThreadPoolExecutor(at_once, f"{ROAMING}-hash", give_way)
        self.room = threading.BoundedSemaphore(at_once + MOST_WAITING)

    def run(self, work: Callable[[], Any]) -> Any:
        """What `work()` returns, when its turn has come. Raises Unavailable."""
        if not self.room.acquire(blocking=False):
            message = "Too many people sign in at this moment. Try again in a few seconds."
            raise Unavailable(message, headers={"Retry-After": "5"})
        try:
            with _stand_in():
                return self.threads.submit(work).result()
        finally:
            self.room.release()


@cache
def _of(at_once: int) -> Hashes:
    return Hashes(at_once)


def _hashes() -> Hashes:
    return _of(int(current_app.config["PASSWORD_HASHES_AT_ONCE"]))


def _stand_in() -> AbstractContextManager[Any]:
    offered = request.environ.get(STAND_IN) if has_request_context() else None
    made: AbstractContextManager[Any] = offered() if offered else nullcontext()
    return made
