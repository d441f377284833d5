"""Settings of glibc for a server: one memory pool, and the return of free memory."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from quire.serving import memory_pool
from quire.serving import server as server_module
from tests import running_server
from tests.waiting import wait_until

BLOCKS = 400
BLOCK_BYTES = 60_000


@pytest.mark.parametrize("c_library", ["glibc", "musl"])
def test_all_threads_share_one_memory_pool(monkeypatch, c_library):
    asked = []
    functions = {"mallopt": lambda *given: asked.append(given)} if c_library == "glibc" else {}
    monkeypatch.setattr(memory_pool.sys, "platform", "linux")
    monkeypatch.setattr(memory_pool.ctypes, "CDLL", lambda name: SimpleNamespace(**functions))
    memory_pool.share_memory_pool()
    assert asked == ([(-8, 1)] if c_library == "glibc" else [])


@pytest.mark.skipif(memory_pool._trim is None, reason="only glibc keeps what is free")
def test_free_memory_between_used_blocks_is_returned():
    memory_pool.return_free_memory()
    blocks = [b"%d" % i * (BLOCK_BYTES // len(str(i))) for i in range(BLOCKS)]
    in_use = blocks[::50]
    full = resident_bytes()
    del blocks
    memory_pool.return_free_memory()
    assert full - resident_bytes() > BLOCKS * BLOCK_BYTES / 2
    assert len(in_use) == BLOCKS / 50


def test_server_returns_free_memory_repeatedly(monkeypatch):
    calls = []
    monkeypatch.setattr(server_module, "return_free_memory", lambda: calls.append(1))
    monkeypatch.setattr(server_module, "MEMORY_SECONDS", 0)
    with running_server.running(lambda environ, start_response: []):
        wait_until(lambda: len(calls) > 1)


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory_pool, "_trim", None)
    memory_pool.return_free_memory()


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
