"""The threads that answer requests: as many as are set, and one more for each that waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from waitress.task import ThreadedTaskDispatcher


class ElasticDispatcher(ThreadedTaskDispatcher):
    """`count` threads that work.

    A thread that waits for something slow, such as the hash of a password, does no work: while it
    is inside `blocking()`, another takes its place, and goes afterwards. So those who wait, however
    many, hold up nobody else.
    """

    def __init__(self, count: int):
        super().__init__()
        self.count, self.waiting, self.stopped = count, 0, False
        self.change = threading.Lock()
        self.set_thread_count(count)

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Let another thread take the place of this one."""
        self._count_waiting(1)
        try:
            yield
        finally:
            self._count_waiting(-1)

    def _count_waiting(self, number: int) -> None:
        with self.change:
            self.waiting += number
            if not self.stopped:
                self.set_thread_count(self.count + self.waiting)

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        """End all threads; whether requests were dropped."""
        with self.change:
            self.stopped = True
        return bool(super().shutdown(cancel_pending, timeout))
