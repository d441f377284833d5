"""One process, one processor: threads that share Python's lock hand it on faster there."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

ROAMING = "roaming"
"""How the names of threads begin that may run anywhere: they work without Python's lock."""
STAND_IN = "quire.stand_in"
"""Where a server gives the application a context manager for threads that wait: another one takes
their place. (PEP 3333 leaves such names in the environment to servers.)"""
STAY_SECONDS = 5.0
_PLACE = 36
"""Where /proc/self/stat, behind the name, says on which processor this ran last (proc(5))."""


_GIVEN: set[int] = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
"""The processors that this process was started on."""


def set_free() -> None:
    """Let the calling thread run on all of them: it has inherited the one of who started it."""
    if _GIVEN:
        os.sched_setaffinity(0, _GIVEN)


class Settler:
    """Keeps the threads of this process together, on the processor where the kernel has room.

    A thread that waits for Python's lock on another processor has to be woken there, which costs
    more than most of what is done under the lock. `turn` is called often, by one thread: every few
    seconds it sets that thread free, and the next time moves all others to where it was put.
    Linux only; elsewhere, and on a single processor, nothing happens.
    """

    def __init__(self) -> None:
        known = hasattr(os, "sched_getaffinity")
        self.allowed: set[int] = os.sched_getaffinity(0) if known else set()
        self.due = 0.0
        self.free = False

    def turn(self) -> None:
        """Settle, or get ready to, when it is time."""
        if len(self.allowed) < 2:
            return
        if self.free:
            self._settle()
        elif time.monotonic() >= self.due:
            os.sched_setaffinity(0, self.allowed)
            self.free = True

    def _settle(self) -> None:
        here = {_processor()}
        for thread in threading.enumerate():
            if thread.native_id and not thread.name.startswith(ROAMING):
                with suppress(ProcessLookupError):  # it has ended since
                    os.sched_setaffinity(thread.native_id, here)
        self.due, self.free = time.monotonic() + STAY_SECONDS, False


def _processor() -> int:
    """The processor that this thread runs on."""
    stat = Path("/proc/thread-self/stat").read_text(encoding="ascii", errors="replace")
    return int(stat.rpartition(")")[2].split()[_PLACE])
