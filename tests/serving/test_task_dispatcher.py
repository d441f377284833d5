"""Threads that answer requests: blocked ones delay no others."""

import threading

from quire.serving.task_dispatcher import ElasticDispatcher, FairQueue

PATIENCE = 10


class Task:
    """A task of waitress."""

    def __init__(self, work):
        self.service, self.done = self._do, threading.Event()
        self.work = work

    def _do(self):
        self.work()
        self.done.set()

    def cancel(self):
        """Do nothing."""


def dispatcher(count):
    """Return threads for tasks of one network."""
    return ElasticDispatcher(count, lambda task: "")


def test_networks_take_turns():
    queue = FairQueue(lambda task: task[0])
    for task in ("a1", "a2", "a3", "b1", "a4", "c1", "b2"):
        queue.append(task)
    taken = [queue.popleft() for _ in range(3)]
    queue.append("d1")
    taken += [queue.popleft() for _ in range(len(queue))]
    assert taken == ["a1", "b1", "c1", "a2", "b2", "d1", "a3", "a4"]
    assert not queue


def test_another_thread_replaces_a_blocked_one():
    workers, let = dispatcher(1), threading.Event()

    def wait():
        with workers.blocking():
            assert let.wait(PATIENCE)

    slow, quick = Task(wait), Task(let.set)
    workers.add_task(slow)
    workers.add_task(quick)
    assert quick.done.wait(PATIENCE) and slow.done.wait(PATIENCE)
    last = Task(lambda: None)
    workers.add_task(last)
    assert last.done.wait(PATIENCE)
    assert workers.waiting == 0
    assert len(workers.threads) - workers.stop_count == 1
    workers.shutdown()
    assert not workers.threads


def test_no_thread_is_replaced_after_the_end():
    workers = dispatcher(2)
    workers.shutdown()
    with workers.blocking():
        assert not workers.threads
