"""Waits for other threads and processes, as long as a busy machine may need."""

import socket
import time


def wait_until(condition, seconds=30):
    """Return as soon as `condition()` is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def wait_for_port(port, process, output=None):
    """Return when the port accepts connections; fail with `output`, a file, if `process` ends before that."""
    wait_until(lambda: process.poll() is not None or _is_open(port))
    assert process.poll() is None, output and output.read_text(encoding="utf-8")


def _is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
