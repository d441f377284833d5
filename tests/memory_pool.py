"""Makes a test process allocate large blocks one by one, since it runs for minutes next to others."""

from quire.serving.memory_pool import glibc_function, share_memory_pool

M_MMAP_THRESHOLD = -3
"""The parameter of glibc's `mallopt` that says from how many bytes on memory is a mapping of its own (malloc.h)."""


def return_large_blocks():
    """Allocate large blocks from the system one by one: glibc would keep up to 32 MB of them."""
    share_memory_pool()
    mallopt = glibc_function("mallopt")
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 128 * 1024)
