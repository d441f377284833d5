"""The threads that answer requests: as many as configured, and one more for each that is blocked."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from waitress.task import ThreadedTaskDispatcher


class FairQueue:
    """A queue that takes one task of each client network in turn.

    Many expensive requests of one network therefore do not delay others. `network_of(task)` names the network.
    """

    def __init__(self, network_of: Callable[[Any], str]):
        self._network_of = network_of
        self._tasks: OrderedDict[str, deque[Any]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, task: Any) -> None:
        """Add a task behind the others of its network."""
        self._tasks.setdefault(self._network_of(task), deque()).append(task)
        self._length += 1

    def popleft(self) -> Any:
        """Return the oldest task of the network whose turn it is."""
        network, tasks = next(iter(self._tasks.items()))
        self._length -= 1
        task = tasks.popleft()
        if tasks:
            self._tasks.move_to_end(network)
        else:
            del self._tasks[network]
        return task


class ElasticDispatcher(ThreadedTaskDispatcher):
    """`count` threads that work.

    A thread that waits for something slow, such as a password hash, does no work: inside `blocking()` another
    thread replaces it, and ends afterwards. So any number of blocked threads delay nobody else. Requests wait for a
    thread in a FairQueue of client networks.
    """

    def __init__(self, count: int, network_of: Callable[[Any], str]):
        super().__init__()
        self.queue = FairQueue(network_of)
        self.count, self.waiting, self.stopped = count, 0, False
        self.change = threading.Lock()
        self.set_thread_count(count)

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Let another thread replace this one."""
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
        """End all threads; return whether requests were dropped."""
        with self.change:
            self.stopped = True
        return bool(super().shutdown(cancel_pending, timeout))
