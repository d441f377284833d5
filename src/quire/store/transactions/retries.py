"""Retries changes that PostgreSQL rolled back because of others: deadlocks, serialization failures."""

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
"""The maximum pause before the second attempt; it doubles with each attempt, and is randomised so that two writers differ."""

Params = ParamSpec("Params")
Value = TypeVar("Value")
_is_retrying: ContextVar[bool] = ContextVar("is_retrying", default=False)


def retry_conflicts(function: Callable[Params, Value]) -> Callable[Params, Value]:
    """Decorate `function` to be retried after a conflict, provided that it works in transactions of its own.

    Inside an open transaction it runs once, because the owner of that transaction retries all of it.
    """

    @wraps(function)
    def retrying(*args: Params.args, **kwargs: Params.kwargs) -> Value:
        return run_again(partial(function, *args, **kwargs))

    return retrying


def run_again(call: Callable[[], Value]) -> Value:
    """Return `call()`, retried up to ATTEMPTS times. Raises TransactionConflict after the last."""
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
