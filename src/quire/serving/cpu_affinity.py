"""Keeps each process on one CPU, where its threads hand over the GIL faster."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from quire.web.threads import START_CPUS, UNPINNED

STAY_SECONDS = 5.0
_PLACE = 36
"""The field of /proc/self/stat, after the name, with the CPU that this last ran on (proc(5))."""


class CpuPinner:
    """Keeps the threads of this process together, on a CPU where the kernel has room.

    A thread that waits for the GIL on another CPU has to be woken there, which costs more than most of the work
    done under the GIL. `tick` is called often, by one thread: every few seconds it unpins that thread, and the next
    time moves all others to the CPU where the kernel has put it. Linux only; elsewhere, and with a single CPU, it
    does nothing.
    """

    def __init__(self) -> None:
        self.allowed = START_CPUS
        self.due = 0.0
        self.free = False

    def tick(self) -> None:
        """Pin the threads, or prepare to, when it is time."""
        if len(self.allowed) < 2:
            return
        if self.free:
            self._pin()
        elif time.monotonic() >= self.due:
            os.sched_setaffinity(0, self.allowed)
            self.free = True

    def leave(self) -> None:
        """Unpin all threads, when the work they were pinned for has ended."""
        if len(self.allowed) > 1:
            self._move(self.allowed)

    def _pin(self) -> None:
        self._move({_processor()})
        self.due, self.free = time.monotonic() + STAY_SECONDS, False

    def _move(self, processors: set[int]) -> None:
        for thread in threading.enumerate():
            if thread.native_id and not thread.name.startswith(UNPINNED):
                with suppress(ProcessLookupError):  # it has ended since
                    os.sched_setaffinity(thread.native_id, processors)


def _processor() -> int:
    """Return the CPU that this thread runs on."""
    stat = Path("/proc/thread-self/stat").read_text(encoding="ascii", errors="replace")
    return int(stat.rpartition(")")[2].split()[_PLACE])
