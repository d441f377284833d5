"""A signal that a test sends to its own process, which has to survive it at any time."""

import os
import signal
import threading
from contextlib import contextmanager

from tests.waiting import wait_until

NAMES = ("SIGTERM", "SIGINT", "SIGBREAK", "SIGHUP")


@contextmanager
def restored_handlers():
    """Ignore SIGTERM until the code under test handles it; restore all handlers at the end."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGTERM, _ignore)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def terminated_after(use):
    """Send SIGTERM to the code inside after `use()` in another thread, and not before it is handled."""
    is_over = threading.Event()

    def use_and_terminate():
        try:
            use()
        finally:
            wait_until(
                lambda: is_over.is_set() or signal.getsignal(signal.SIGTERM) is not _ignore, 120
            )
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=use_and_terminate)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _ignore(_number, _frame):
    pass
