"""Threads beside those that answer requests: their names, and how others replace them while they wait."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import has_request_context, request

UNPINNED = "roaming"
"""How the names of threads begin that may run anywhere: they work without Python's lock."""
BLOCKING_KEY = "quire.blocking"
"""Where a server gives the application a context manager for threads that wait: another one takes
their place. (PEP 3333 leaves such names in the environment to servers.)"""
LONG_WAIT_KEY = "quire.long_wait"
"""The same for requests that wait for something to happen: what they hold costs others nothing."""
CLIENT_GONE_KEY = "quire.client_gone"
"""Where a server gives the application a function that says whether the client has closed its connection."""
STOPPING_KEY = "quire.stopping"
"""Where a server gives the application a function that says whether it is stopping."""
NICE = 5
"""Priority of threads that give way; Linux has one for each thread."""

START_CPUS: set[int] = os.sched_getaffinity(0) if sys.platform == "linux" else set()
"""The processors that this process was started on."""


def blocking() -> AbstractContextManager[Any]:
    """Wrap what the calling thread waits for: meanwhile another thread answers requests."""
    return _context(BLOCKING_KEY) if has_request_context() else nullcontext()


def long_wait() -> AbstractContextManager[Any]:
    """Wrap a wait of several seconds, which many requests may do at the same time."""
    return _context(LONG_WAIT_KEY)


def _context(key: str) -> AbstractContextManager[Any]:
    """Return the context manager that the server has put into this request as `key`, or one that does nothing."""
    context: AbstractContextManager[Any] = request.environ.get(key, nullcontext)()
    return context


def stopping_check() -> Callable[[], bool]:
    """Return a function that tells whether the server that received this request is stopping."""
    check: Callable[[], bool] = request.environ.get(STOPPING_KEY, lambda: False)
    return check


def client_gone_check() -> Callable[[], bool]:
    """Return a function, for any thread, that tells whether the client of this request has disconnected."""
    check: Callable[[], bool] = request.environ.get(CLIENT_GONE_KEY, lambda: False)
    return check


def lower_priority() -> None:
    """Let the calling thread run on any CPU, at a lower priority than those that answer requests.

    It has inherited the CPU affinity of the thread that started it.
    """
    if START_CPUS:
        os.sched_setaffinity(0, START_CPUS)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
