"""Collects the garbage of a run, which takes minutes while other runs are going on.

An application that a test has created is a reference cycle of 40,000 objects, 5 to 10 MB. A collection scans all
objects that are not frozen, so objects that survive one are frozen; otherwise hundreds of thousands would be scanned
again and again.
"""

import gc
import sys
from functools import cache
from weakref import WeakSet

from quire.serving.memory_pool import return_free_memory

YOUNG_GROWTH = 30_000
"""By so many blocks of memory a process may grow until what was made since then is collected: half an application."""
GROWTH = 100_000
"""By so many, until all its garbage is."""
LARGE = 100
"""Entries of a cache that is worth emptying."""
DESCRIPTION = "quire.api.openapi."
"""The modules whose caches hold few values, but large ones."""
engines = WeakSet()
"""Those of the applications that tests share: each holds up to 300 compiled statements, of 80 KB each."""
_blocks = {"all": 0, "young": 0}
"""The numbers of blocks from which growth is counted."""


def collect_if_grown():
    """Collect garbage if the process has grown since the last collection.

    Growth is measured in blocks, not in bytes of the process: free memory within it would hide the garbage.
    """
    if sys.getallocatedblocks() < _blocks["young"] + YOUNG_GROWTH:
        return
    gc.collect()  # does not scan frozen objects
    gc.freeze()
    if sys.getallocatedblocks() > _blocks["all"] + GROWTH:
        freeze()
    return_free_memory()
    _blocks["young"] = sys.getallocatedblocks()


def freeze():
    """Collect garbage, including the content of caches, and freeze all objects that are in use."""
    for cached in _cached_functions():
        cached.cache_clear()
    for engine in engines:
        engine.clear_compiled_cache()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return_free_memory()
    _blocks["all"] = _blocks["young"] = sys.getallocatedblocks()


def _cached_functions():
    """Return our functions with large caches, above all of statements, which are created again when needed.

    Otherwise they would keep those of applications that no longer exist.
    """
    modules = [(name, one) for name, one in sys.modules.items() if name.startswith("quire.")]
    functions = ((name, value) for name, module in modules for value in vars(module).values())
    cached = ((name, one) for name, one in functions if isinstance(one, type(cache(len))))
    return [one for name, one in cached if name.startswith(DESCRIPTION) or _is_large(one)]


def _is_large(cached):
    return (cached.cache_info().maxsize or 0) >= LARGE
