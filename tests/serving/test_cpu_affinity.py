"""The threads of a server process stay together; those that work without the GIL do not."""

import os
import threading

import pytest

from quire.serving.cpu_affinity import CpuPinner
from quire.web.threads import UNPINNED

many = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two processors",
)


@pytest.fixture
def threads():
    """A thread of the server and one that may run anywhere, both waiting."""
    done = threading.Event()
    both = [threading.Thread(target=done.wait, name=name) for name in ("worker", f"{UNPINNED}-1")]
    for thread in both:
        thread.start()
    allowed = os.sched_getaffinity(0)
    yield both
    for thread in threading.enumerate():
        os.sched_setaffinity(thread.native_id, allowed)
    done.set()
    for thread in both:
        thread.join()


@many
def test_threads_follow_the_first_to_its_cpu(threads):
    worker, roaming = threads
    pinner = CpuPinner()
    pinner.tick()  # unpins this thread
    assert os.sched_getaffinity(worker.native_id) == pinner.allowed
    pinner.tick()
    here = os.sched_getaffinity(0)
    assert len(here) == 1 and here < pinner.allowed
    assert os.sched_getaffinity(worker.native_id) == here
    assert os.sched_getaffinity(roaming.native_id) == pinner.allowed
    pinner.tick()  # stays pinned for a while
    assert os.sched_getaffinity(0) == here
    pinner.due = 0
    pinner.tick()
    assert os.sched_getaffinity(0) == pinner.allowed
    pinner.leave()
    assert os.sched_getaffinity(worker.native_id) == pinner.allowed


def test_single_cpu_is_left_alone():
    pinner = CpuPinner()
    pinner.allowed = {0}
    pinner.tick()
    pinner.leave()
    assert not pinner.free
