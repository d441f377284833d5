"""What a server asks of glibc: one memory pool for all threads, and to return to the system what is free in it."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

M_ARENA_MAX = -8
"""The parameter of glibc's `mallopt` that says how many memory pools there may be (malloc.h)."""


def glibc_function(name: str) -> Callable[..., Any] | None:
    """A function of the C library; None where that is not glibc, as musl has none of those used here."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


_trim = glibc_function("malloc_trim")


def share_memory_pool() -> None:
    """Give all threads one memory pool where the C library is glibc, which gives each its own and empties none."""
    mallopt = glibc_function("mallopt")
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def return_free_memory() -> None:
    """Return to the system what is free between blocks in use: glibc itself returns only what is behind the last one.

    Takes 0.1 to 0.5 ms for the heap of a server.
    """
    if _trim is not None:
        _trim(0)
