"""Several server processes on one socket; the parent forwards the stop and replaces processes that die.

On request it restarts: new processes start with the present code and settings, and when all are ready, the old ones
finish the requests they have accepted. So no connection is refused meanwhile.
"""

import logging
import multiprocessing
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from quire.config.startup_errors import one_line
from quire.config.validation import StartupError
from quire.errors import Problem
from quire.serving.server import DRAIN_SECONDS, Server

Build = Callable[[], tuple[Callable[..., Any], dict[str, Any], AbstractContextManager[None]]]
"""Creates, in the new process, the application, the server's options and its services."""

logger = logging.getLogger("quire.server")

READY, RETIRE, UNFINISHED = "ready", "retire", 3
LOOK_SECONDS = 0.25
"""How often to check for a restart request."""
START_SECONDS = 120
"""How long new processes may take to be ready before a restart is aborted."""
_spawn = multiprocessing.get_context("spawn")


class RestartRequests(Protocol):
    """The interface through which others ask for a restart and learn how it ended."""

    def take_request(self) -> str | None:
        """Return the id of a requested restart."""

    def respond(self, id: str, problem: str | None) -> None:
        """Report how it ended; `problem` is None for a success."""


class ServerProcess:
    """One server process as its parent sees it."""

    def __init__(self, build: Build, sock: socket.socket):
        self.pipe, other = _spawn.Pipe()
        self.process: BaseProcess = _spawn.Process(target=serve_in_child, args=(build, sock, other))
        self.process.start()
        other.close()
        self.ready = False
        self.reason = "Its log says why."

    def listen(self) -> None:
        """Record that the process is ready, or why it will not be."""
        with suppress(EOFError):  # When it died; its sentinel says so too.
            word = self.pipe.recv()
            self.ready = word == READY
            if not self.ready:
                self.reason = word

    def retire(self) -> None:
        """Tell the process to finish the requests it has accepted, as others have taken over."""
        with suppress(OSError):  # it has ended
            self.pipe.send(RETIRE)

    def stop(self) -> None:
        """Tell the process to finish. The end of the pipe has the same effect."""
        self.pipe.close()

    def join(self, seconds: float) -> bool:
        """Wait for the end, or force it after `seconds`; return whether all requests were answered."""
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode == 0

    def __str__(self) -> str:
        return f"Server process {self.process.pid} ended with status {self.process.exitcode}"


def serve_in_child(build: Build, sock: socket.socket, pipe: Connection) -> None:
    """Run one process: build the application, serve, and stop when the parent says so or dies."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
        if hasattr(signal, name):
            # Terminals and service managers signal the whole group, but only the parent's message counts.
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        application, options, services = build()
    except (StartupError, Problem, OSError) as error:
        with suppress(OSError):
            pipe.send(one_line(error))
        sys.exit(1)
    server = Server(application, sock, shares_socket=True, **options)
    threading.Thread(target=_wait_for_stop, args=(server, pipe), daemon=True).start()
    with suppress(OSError):  # The parent may be gone by now, or no longer waiting.
        pipe.send(READY)
    with services:
        finished = server.run()
    sys.exit(0 if finished else UNFINISHED)


def _wait_for_stop(server: Server, pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        while pipe.recv() == RETIRE:
            server.retire()
    server.stop()


class Supervisor:
    """`count` processes that serve `sock`; `run` returns the exit status.

    With `own`, that server in this process is the only one until the first restart.
    """

    def __init__(
        self,
        build: Build,
        sock: socket.socket,
        count: int,
        requests: RestartRequests | None = None,
        own: Server | None = None,
    ):
        self.build, self.sock, self.count = build, sock, count
        self.requests, self.own = requests, own
        self.owns_socket = own is None
        self.stopping = self.has_failed = self.restart_requested = False
        self._wake = threading.Event()
        self.request: str | None = None
        self.restart_deadline = 0.0
        self.starting: list[ServerProcess] = []
        self.retired: list[ServerProcess] = []
        self.members = [] if own else self._start()

    def _start(self) -> list[ServerProcess]:
        return [ServerProcess(self.build, self.sock) for _ in range(self.count)]

    def stop(self) -> None:
        """Ask `run` to finish; safe to call from a signal handler."""
        self.stopping = True
        self._wake.set()
        if self.own is not None:
            self.own.stop()

    def restart(self) -> None:
        """Ask `run` for a restart; safe to call from a signal handler."""
        self.restart_requested = True

    def run(self, announce: Callable[[], None]) -> int:
        """Call `announce` when all processes are ready, then supervise them until `stop`."""
        announced = False
        while not self.stopping:
            self._await_events()
            if not announced and all(member.ready for member in self.members):
                announced = True
                announce()
            if announced:
                self._look_after_restart()
        return self._finish()

    def run_own(self, services: AbstractContextManager[None]) -> int:
        """Run the server of this process and its `services`; after a restart, supervise its successors."""
        assert self.own is not None
        statuses: list[int] = []
        watch = threading.Thread(
            target=lambda: statuses.append(self.run(lambda: None)), name="supervisor"
        )
        watch.start()
        with services:
            finished = self.own.run()
        while watch.is_alive():
            watch.join(0.5)  # with a timeout, so that Windows handles signals meanwhile
        return 0 if finished and statuses == [0] else 1

    def _await_events(self) -> None:
        every = [*self.members, *self.starting, *self.retired]
        if not every:
            self._wake.wait(LOOK_SECONDS)
            return
        pipes: dict[Any, ServerProcess] = {one.pipe: one for one in every if not one.ready}
        ends: dict[Any, ServerProcess] = {one.process.sentinel: one for one in every}
        happened = wait([*pipes, *ends], timeout=LOOK_SECONDS)
        for thing in (one for one in happened if one in pipes):
            pipes[thing].listen()
        for thing in (one for one in happened if one in ends and not self.stopping):
            self._note_end(ends[thing])

    def _note_end(self, ended: ServerProcess) -> None:
        ended.process.join()
        if ended in self.members:
            self._replace(ended)
        elif ended in self.starting:
            self._abandon_restart(f"{ended} before it was ready. {ended.reason}")
        elif ended in self.retired:
            ended.stop()
            self.retired.remove(ended)
            if ended.ready and ended.process.exitcode:
                logger.error("%s.", ended)

    def _replace(self, dead: ServerProcess) -> None:
        dead.stop()
        self.members.remove(dead)
        if not dead.ready:
            logger.error("%s before it was ready; stopping. %s", dead, dead.reason)
            self.has_failed = True
            self.stop()
            return
        logger.error("%s; starting another one.", dead)
        self.members.append(ServerProcess(self.build, self.sock))

    def _look_after_restart(self) -> None:
        if self.starting:
            if all(one.ready for one in self.starting):
                self._hand_over()
            elif time.monotonic() > self.restart_deadline:
                self._abandon_restart(f"New processes were not ready in {START_SECONDS} seconds.")
            return
        self.request = self.requests.take_request() if self.requests else None
        if self.restart_requested or self.request is not None:
            self.restart_requested = False
            self.restart_deadline = time.monotonic() + START_SECONDS
            self.starting = self._start()

    def _hand_over(self) -> None:
        """Let the new processes accept all connections from now on, and the old ones finish."""
        old, self.members, self.starting = self.members, self.starting, []
        if self.own is not None and not self.owns_socket:
            self.sock, self.owns_socket = self.sock.dup(), True  # the server closes its own socket
            self.own.retire()
        for one in old:
            one.retire()
        self.retired += old
        self._conclude(None)

    def _abandon_restart(self, problem: str) -> None:
        for one in self.starting:
            if one.ready:
                one.retire()
            else:
                one.process.kill()
        self.retired += self.starting
        self.starting = []
        self._conclude(problem)

    def _conclude(self, problem: str | None) -> None:
        if problem:
            logger.error("The restart has failed; the old processes go on. %s", problem)
        else:
            logger.warning("Restarted: new processes serve, the old ones finish their requests.")
        if self.requests and self.request is not None:
            self.requests.respond(self.request, problem)

    def _finish(self) -> int:
        every = [*self.members, *self.starting, *self.retired]
        if self.owns_socket:
            self.sock.close()
        for one in every:
            one.stop()
        finished = [one.join(DRAIN_SECONDS + 5) for one in every]
        return 1 if self.has_failed or not all(finished) else 0
