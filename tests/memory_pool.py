"""Gives the system back what a test process has freed, as it runs for minutes beside others."""

import ctypes
import sys

from quire.serving.main import M_ARENA_MAX

M_MMAP_THRESHOLD = -3
"""The parameter of glibc's `mallopt` that says from how many bytes on memory is a mapping of its own (malloc.h)."""


def return_large_blocks():
    """Take large blocks from the system one by one: glibc would keep up to 32 MB of them between others."""
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, 128 * 1024)


def return_freed_memory():
    """Give back what is free now, which glibc keeps for later."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name):
    """A function of glibc, None where another library is used: musl has none of these."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
