"""Several server processes on one socket; the parent passes the stop on and replaces the dead."""

import logging
import multiprocessing
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from quire.serving.server import DRAIN_SECONDS, Server

Build = Callable[[], tuple[Callable[..., Any], dict[str, Any], AbstractContextManager[None]]]
"""Makes, inside the new process, the application, the server's options, what works beside it."""

logger = logging.getLogger("quire.server")

READY, UNFINISHED = "ready", 3
_spawn = multiprocessing.get_context("spawn")


class ServerProcess:
    """One server process as its parent sees it."""

    def __init__(self, build: Build, sock: socket.socket):
        self.pipe, other = _spawn.Pipe()
        self.process: BaseProcess = _spawn.Process(target=serve_in_child, args=(build, sock, other))
        self.process.start()
        other.close()
        self.ready = False

    def listen(self) -> None:
        """Take in that the process is ready."""
        with suppress(EOFError):  # When it died; its sentinel says so too.
            self.ready = self.pipe.recv() == READY

    def stop(self) -> None:
        """Tell the process to finish. It takes the end of the pipe for the same message."""
        self.pipe.close()

    def join(self, seconds: float) -> bool:
        """Wait for the end, force it after `seconds`; whether all requests were answered."""
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode == 0


def serve_in_child(build: Build, sock: socket.socket, pipe: Connection) -> None:
    """What one process does: build the application, serve, stop when the parent says so or dies."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
        if hasattr(signal, name):
            # A terminal and a service manager signal the whole group: the parent's word counts.
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    application, options, beside = build()
    server = Server(application, sock, **options)
    threading.Thread(target=_wait_for_stop, args=(server, pipe), daemon=True).start()
    with suppress(OSError):  # The parent may have gone by now, or stopped waiting.
        pipe.send(READY)
    with beside:
        finished = server.run()
    sys.exit(0 if finished else UNFINISHED)


def _wait_for_stop(server: Server, pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        pipe.recv()
    server.stop()


class Supervisor:
    """`count` processes that serve `sock`; `run` returns the exit status."""

    def __init__(self, build: Build, sock: socket.socket, count: int):
        self.build, self.sock = build, sock
        self.stopping = self.broken = False
        self.members = [ServerProcess(build, sock) for _ in range(count)]

    def stop(self) -> None:
        """Ask `run` to finish; safe to call from a signal handler."""
        self.stopping = True

    def run(self, announce: Callable[[], None]) -> int:
        """Call `announce` when all processes are ready, then watch over them until `stop`."""
        announced = False
        while not self.stopping:
            self._turn()
            if not announced and all(member.ready for member in self.members):
                announced = True
                announce()
        return self._finish()

    def _turn(self) -> None:
        pipes: dict[Any, ServerProcess] = {
            member.pipe: member for member in self.members if not member.ready
        }
        ends: dict[Any, ServerProcess] = {
            member.process.sentinel: member for member in self.members
        }
        for thing in wait([*pipes, *ends], timeout=0.25):
            if thing in pipes:
                pipes[thing].listen()
            elif not self.stopping:
                self._replace(ends[thing])

    def _replace(self, dead: ServerProcess) -> None:
        dead.process.join()
        dead.stop()
        self.members.remove(dead)
        what = f"Server process {dead.process.pid} ended with status {dead.process.exitcode}"
        if not dead.ready:
            logger.error("%s before it was ready; stopping.", what)
            self.broken = self.stopping = True
            return
        logger.error("%s; starting another one.", what)
        self.members.append(ServerProcess(self.build, self.sock))

    def _finish(self) -> int:
        self.sock.close()
        for member in self.members:
            member.stop()
        finished = [member.join(DRAIN_SECONDS + 5) for member in self.members]
        return 1 if self.broken or not all(finished) else 0
