"""Threads beside those that answer requests: their names, and how others replace them while they wait."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import has_request_context, request

UNPINNED = "roaming"
"""The prefix of the names of threads that may run on any CPU: they work without Python's lock."""
BLOCKING_KEY = "quire.blocking"
"""The key under which a server provides a context manager for threads that wait: meanwhile another thread
takes their place. (PEP 3333 leaves such names in the environment to servers.)"""
LONG_WAIT_KEY = "quire.long_wait"
"""The same for requests that wait for an event; the resources that they hold are not needed by others."""
CLIENT_GONE_KEY = "quire.client_gone"
"""The key under which a server provides a function that tells whether the client has disconnected."""
STOPPING_KEY = "quire.stopping"
"""The key under which a server provides a function that tells whether it is stopping."""
NICE = 5
"""The niceness of low-priority threads; on Linux each thread has its own."""

START_CPUS: set[int] = os.sched_getaffinity(0) if sys.platform == "linux" else set()
"""The CPUs that this process could use when it started."""


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
