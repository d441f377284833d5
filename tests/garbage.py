"""Collects the garbage of a run, which takes minutes beside others.

An application that a test has made is a circle of 40,000 objects, 5 to 10 MB. A collection looks through all that is not
frozen, so what has survived one is frozen: hundreds of thousands of objects would be looked through again and again.
"""

import gc
import os
import sys
from functools import cache
from pathlib import Path

from quire.serving.memory_pool import return_free_memory

GROWTH = 30_000_000
"""By so many bytes a process may grow until all its garbage is collected."""
YOUNG_GROWTH = 5_000_000
"""By so many, until what has been made since then is."""
STATM = Path("/proc/self/statm")
LARGE = 100
"""Entries of a cache that is worth emptying."""
_sizes = {"all": 0, "young": 0}
"""The sizes in bytes from which growth is counted."""


def collect_if_grown():
    """Free what nobody uses if the process has grown since that was done last; where its size can be read."""
    if not STATM.exists():
        return
    size = _size()
    _sizes["all"] = min(_sizes["all"], size)
    if size > _sizes["all"] + GROWTH:
        freeze()
        _sizes["all"] = _sizes["young"] = _size()
    elif size > _sizes["young"] + YOUNG_GROWTH:
        gc.collect()  # it looks through nothing that is frozen
        return_free_memory()
        _sizes["young"] = _size()


def freeze():
    """Free what nobody uses and what caches hold, and keep the collector from what is used."""
    for cached in _cached_functions():
        cached.cache_clear()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return_free_memory()


def _cached_functions():
    """The functions of ours with a cache for many: of statements above all, which are made again when they are asked for.

    They would hold those of applications that are gone.
    """
    modules = [one for name, one in sys.modules.items() if name.startswith("quire.")]
    functions = (value for module in modules for value in vars(module).values())
    cached = (one for one in functions if isinstance(one, type(cache(len))))
    return [one for one in cached if (one.cache_info().maxsize or 0) >= LARGE]


def _size():
    return int(STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
