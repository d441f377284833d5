"""Runs a change again that PostgreSQL has rolled back because of others: deadlocks, serialization failures."""

import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from quire.errors import TransactionConflict
from quire.store.db import in_transaction

ATTEMPTS = 4
PAUSE_SECONDS = 0.02
"""The longest pause before the second attempt; it doubles with each, and is random, so that two differ."""

Params = ParamSpec("Params")
Value = TypeVar("Value")
_is_retrying: ContextVar[bool] = ContextVar("is_retrying", default=False)


def retry_conflicts(function: Callable[Params, Value]) -> Callable[Params, Value]:
    """Let `function` run again after a conflict, if all that it does is in transactions of its own.

    Inside an open transaction it runs once: whoever began that one runs all of it again.
    """

    @wraps(function)
    def retrying(*args: Params.args, **kwargs: Params.kwargs) -> Value:
        return run_again(partial(function, *args, **kwargs))

    return retrying


def run_again(call: Callable[[], Value]) -> Value:
    """What `call()` returns, at the latest at the last of ATTEMPTS. Raises TransactionConflict after it."""
    if in_transaction() or _is_retrying.get():
        return call()
    token = _is_retrying.set(True)
    try:
        for attempt in range(ATTEMPTS - 1):
            try:
                return call()
            except TransactionConflict:
                _pause(attempt)
        return call()
    finally:
        _is_retrying.reset(token)


def _pause(attempt: int) -> None:
    longest = PAUSE_SECONDS * 2**attempt
    time.sleep(longest * secrets.randbelow(1000) / 1000)
