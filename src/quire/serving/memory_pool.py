"""Settings of glibc for a server: one memory pool for all threads, and returning free memory to the system."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

M_ARENA_MAX = -8
"""The parameter of glibc's `mallopt` for the number of memory pools (malloc.h)."""


def glibc_function(name: str) -> Callable[..., Any] | None:
    """Return a function of the C library; None if that is not glibc (musl has none of those used here)."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


_trim = glibc_function("malloc_trim")


def share_memory_pool() -> None:
    """Let all threads share one memory pool; glibc would give each its own and empty none of them."""
    mallopt = glibc_function("mallopt")
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def return_free_memory() -> None:
    """Return free memory between blocks in use to the system; glibc itself only returns what follows the last one.

    Takes 0.1 to 0.5 ms for the heap of a server.
    """
    if _trim is not None:
        _trim(0)
