"""waitress with our limits, errors in JSON, and a stop that answers all accepted requests."""

import logging
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from quire.monitoring.outage_log import log_outage
from quire.serving import channel
from quire.serving.channel import Channel
from quire.serving.cpu_affinity import CpuPinner
from quire.serving.http_parser import with_larger_bodies
from quire.serving.memory_pool import return_free_memory
from quire.serving.sockets import drop_new_connections, max_connections
from quire.serving.task_dispatcher import ElasticDispatcher

logger = logging.getLogger("quire.server")
# It warns about every single request that has to wait.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

QUIET_SECONDS = 1.0
"""How long a stopping server waits for another request on an open connection."""
DRAIN_SECONDS = 30
"""How long a stopping server works on accepted requests."""
RETIRE_SECONDS = 300
"""The same after another process has taken over, so that nobody waits for this one."""
HANDSHAKE_SECONDS = 0.05
"""How long the handshake of a new connection may take until it is in the backlog."""
TOTAL_OUTPUT = 2**30
"""Bytes that may be buffered on disk for all clients of a process."""
SLOW_READERS = "Connections of clients that did not read their responses were closed."
PAUSE_SECONDS = 0.001
"""How long a process leaves new connections to others after accepting one; otherwise one process would accept all
connections of a client that opens many.
"""
MEMORY_SECONDS = 5
"""How often free memory is returned to the system."""
STOPPING_STALLED_SECONDS = 5
"""STALLED_SECONDS while the server stops."""


class Server(TcpWSGIServer):
    """The server of one process on a bound socket; `run` returns after `stop` has been called."""

    channel_class = Channel
    draining = False
    stopping = False
    retiring = False
    next_look_at_readers = 0.0
    next_return_of_memory = 0.0

    def __init__(
        self,
        application: Callable[..., Any],
        sock: socket.socket,
        one_processor: bool = False,
        shares_socket: bool = False,
        max_upload: int | None = None,
        cors_origins: Sequence[str] = (),
        trusted_proxy: str | None = None,
        **options: Any,
    ):
        self.cpu_pinner = CpuPinner() if one_processor else None
        self.shares_socket, self.leaves_connections = shares_socket, False
        self.trusted_proxy = trusted_proxy
        limits = {**LIMITS, "connection_limit": max_connections(), **options}
        adj = Adjustments(**limits)
        adj.cors_origins = cors_origins
        adj.for_uploads = with_larger_bodies(adj, max_upload)
        info = (sock.family, sock.type, sock.proto, sock.getsockname())
        more = {"adj": adj, "sockinfo": info, "bind_socket": False}
        threads = ElasticDispatcher(adj.threads, Channel.network)
        super().__init__(application, {}, True, sock, dispatcher=threads, **more)
        # answered by a thread of their own, since all others may be waiting for the database
        self.preflights = ElasticDispatcher(1, Channel.network) if cors_origins else None

    def set_reuse_addr(self) -> None:
        """Do nothing: the socket is bound, and on Windows others could then take over the port."""

    def readable(self) -> bool:
        """Return whether to wait for new connections: not right after accepting one, if other processes wait for
        them too."""
        return bool(super().readable()) and not self.leaves_connections

    def handle_accept(self) -> None:
        """Accept one connection, and leave the next to other processes."""
        super().handle_accept()
        self.leaves_connections = self.shares_socket

    def maintenance(self, now: float) -> None:
        """Mark connections for closing that have been idle for long or are overdue.

        None is closed here: this is called while the sockets to wait for are collected, and on Windows the server
        would fail if one of them were closed then.
        """
        super().maintenance(now)
        for one in self.active_channels.values():
            if one.overdue(now):
                one.will_close = True

    def add_task(self, task: Any) -> None:
        """Queue a connection's next request, as soon as its client has received all earlier responses."""
        if task.total_outbufs_len:
            task.paused = True
        elif self.preflights is not None and task.begins_with_preflight():
            self.preflights.add_task(task)
        else:
            super().add_task(task)

    def senders(self) -> Iterator[str | None]:
        """Return the network of each client that is sending a large body."""
        return (one.body_network for one in self.active_channels.values() if one.request)

    def _close_slow_readers(self, now: float) -> None:
        """Close connections that have stalled, and the slowest ones while too much is buffered; move the rest to
        disk.
        """
        patience = STOPPING_STALLED_SECONDS if self.draining else channel.STALLED_SECONDS
        readers = [c for c in self.active_channels.values() if c.note_progress(now, patience)]
        excess = sum(reader.buffered_bytes() for reader in readers) - TOTAL_OUTPUT
        closed = []
        for reader in sorted(readers, key=lambda one: one.taken_at):
            if excess > 0 or now - reader.taken_at > patience:
                excess -= reader.buffered_bytes()
                closed.append(str(reader.addr[0]))
                reader.handle_close()  # will_close would wait until the client reads something
            else:
                reader.spill()
        if closed:
            addresses = ", ".join(sorted(set(closed))[:5])
            log_outage(logger, SLOW_READERS, f"{len(closed)} now, from {addresses}")

    def retire(self) -> None:
        """Ask `run` to finish without haste, while other processes accept the new connections.

        Idle connections stay open as long as usual, and are closed after their next response.
        """
        self.retiring = not self.stopping
        self._begin_to_stop()

    def stop(self) -> None:
        """Ask `run` to finish; safe to call from a signal handler and from other threads."""
        self.retiring = False
        self._begin_to_stop()

    def _begin_to_stop(self) -> None:
        if not self.stopping:
            self.stopping = True
            self.pull_trigger()

    def run(self) -> bool:
        """Serve until `stop`; return whether every accepted request was answered."""
        while not self.stopping:
            self._poll(0.5)
            if self.cpu_pinner is not None:
                self.cpu_pinner.tick()
        if self.retiring:
            self.draining = True
            wasyncore.dispatcher.close(
                self
            )  # the other processes accept what is waiting in the backlog
        else:
            self._stop_accepting()
        finished = self._drain()
        for dispatcher in filter(None, (self.task_dispatcher, self.preflights)):
            dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)
        if self.cpu_pinner is not None:
            self.cpu_pinner.leave()
        return finished

    def _poll(self, seconds: float) -> None:
        pause = self.leaves_connections
        wasyncore.loop(min(seconds, PAUSE_SECONDS) if pause else seconds, True, self._map, 1)
        if pause:
            self.leaves_connections = False
        now = time.time()
        if now >= self.next_look_at_readers:
            self.next_look_at_readers = now + self.adj.cleanup_interval
            self._close_slow_readers(now)
        if now >= self.next_return_of_memory:
            self.next_return_of_memory = now + MEMORY_SECONDS
            return_free_memory()

    def _stop_accepting(self) -> None:
        """Accept everything in the kernel's backlog before closing the socket would reset it."""
        self.draining = True
        end = time.monotonic() + HANDSHAKE_SECONDS
        while drop_new_connections(self.socket) and time.monotonic() < end:
            self._poll(0.01)
        for _ in range(self.adj.backlog * 2):
            if not select.select([self.socket], [], [], 0)[0]:
                break
            self.handle_accept()
        wasyncore.dispatcher.close(self)  # Only the socket: workers still need the trigger.

    def _drain(self) -> bool:
        started, retiring = time.monotonic(), self.retiring
        while self.active_channels:
            if retiring and not self.retiring:  # told to stop in the meantime
                started, retiring = time.monotonic(), False
            if time.monotonic() - started > (RETIRE_SECONDS if retiring else DRAIN_SECONDS):
                logger.error("%d requests were not completed in time", len(self.active_channels))
                return False
            self._poll(0.05)
            self.maintenance(time.time())
            if not retiring:
                self._close_quiet(started)
        return True

    def _close_quiet(self, started: float) -> None:
        if time.monotonic() - started < QUIET_SECONDS:
            return
        for one in list(self.active_channels.values()):
            if one.idle() and time.time() - one.last_activity > QUIET_SECONDS:
                one.handle_close()


LIMITS = {
    "ident": None,
    "asyncore_use_poll": True,
    "backlog": 1024,
    "channel_timeout": 30,
    "cleanup_interval": 1,
    "outbuf_high_watermark": 64 * 2**20,
}
