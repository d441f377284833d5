"""waitress with limits of our own, JSON refusals, and a stop that answers all it accepted."""

import logging
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask

from quire.processor import STAND_IN, Settler
from quire.refusals import Refusal, StrictParser, with_larger_bodies
from quire.sockets import hold_newcomers, most_connections
from quire.workers import Workers

logger = logging.getLogger("quire.server")
# It warns of every single request that has to wait.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

HEADER_SECONDS = 15
"""Time in which a request's headers must be complete."""
BODY_SECONDS = 30
"""Time in which the body must be complete, and as much longer as SLOWEST_BODY allows."""
SLOWEST_BODY = 1024
"""Bytes per second below which a body is given up."""
QUIET_SECONDS = 1.0
"""How long a stopping server waits for a next request on a connection that is open."""
DRAIN_SECONDS = 30
"""How long a stopping server works on what it accepted."""
HANDSHAKE_SECONDS = 0.05
"""How long a connection that a client has begun may take to reach the backlog."""
LINGER_SECONDS = 5
"""How long a refused client may go on sending, so that it gets to read why."""


class Answer(WSGITask):
    """Tells clients of a stopping server that this connection carries no further request."""

    def get_environment(self) -> dict[str, Any]:
        """What the application is told, and given."""
        environ: dict[str, Any] = super().get_environment()
        environ[STAND_IN] = self.channel.server.task_dispatcher.stand_in
        return environ

    def build_response_header(self) -> bytes:
        """Status line and headers."""
        if self.channel.server.draining and self.channel.on_last_request():
            self.set_close_on_finish()
        return super().build_response_header()


class Channel(HTTPChannel):
    """One connection, which knows since when its client owes the rest of a request."""

    parser_class = StrictParser
    task_class = Answer
    error_task_class = Refusal
    close_when_flushed = False
    begun = 0.0
    linger = False
    lingers_until = 0.0

    def received(self, data: bytes) -> bool:
        """Take in what the client sent."""
        before = self.request
        done = super().received(data)
        if self.request is not before:
            self.begun = time.time()
        return done

    def on_last_request(self) -> bool:
        """Whether no other request waits behind the one that is being answered."""
        return len(self.requests) == 1 and self.request is None

    def overdue(self, now: float) -> bool:
        """Whether the client takes too long to send its request or to go away."""
        if self.lingers_until:
            return now > self.lingers_until
        request = self.request
        if request is None:
            return False
        if not request.headers_finished:
            return now - self.begun > HEADER_SECONDS
        return now - self.begun > BODY_SECONDS + request.body_bytes_received / SLOWEST_BODY

    def idle(self) -> bool:
        """Whether nothing is being received, answered or sent."""
        closing: Any = self.close_when_flushed or self.lingers_until
        return not (self.requests or self.request or self.total_outbufs_len or closing)

    def readable(self) -> bool:
        """Whether input is wanted."""
        return bool(self.lingers_until) or super().readable()

    def handle_read(self) -> None:
        """Read; what comes after a refusal is thrown away."""
        if self.lingers_until:
            self.recv(self.adj.recv_bytes)
        else:
            super().handle_read()

    def handle_write(self) -> None:
        """Send; after a refusal, close our direction only.

        Closing with input unread would reset the connection, and the client, still busy sending
        its too large body, would never read the answer.
        """
        if not (self.linger and self.close_when_flushed):
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.connected and not self.total_outbufs_len and not self.will_close:
            self.close_when_flushed = False
            self.lingers_until = time.time() + LINGER_SECONDS
            with suppress(OSError):  # A client that has gone is noticed when reading.
                self.socket.shutdown(socket.SHUT_WR)


class Server(TcpWSGIServer):
    """One process' server on a bound socket; `run` returns after `stop` was called."""

    channel_class = Channel
    draining = False
    stopping = False

    def __init__(
        self,
        application: Callable[..., Any],
        sock: socket.socket,
        one_processor: bool = False,
        max_upload: int | None = None,
        **options: Any,
    ):
        self.settler = Settler() if one_processor else None
        adj = Adjustments(**LIMITS, connection_limit=most_connections(), **options)
        adj.for_uploads = with_larger_bodies(adj, max_upload)
        info = (sock.family, sock.type, sock.proto, sock.getsockname())
        more = {"adj": adj, "sockinfo": info, "bind_socket": False}
        super().__init__(application, {}, True, sock, dispatcher=Workers(adj.threads), **more)

    def set_reuse_addr(self) -> None:
        """Nothing: the socket is bound, and Windows would let others take the port."""

    def maintenance(self, now: float) -> None:
        """Close connections that are idle for long or overdue."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.overdue(now):
                channel.will_close = True

    def stop(self) -> None:
        """Ask `run` to finish; safe to call from a signal handler and from other threads."""
        if not self.stopping:
            self.stopping = True
            self.pull_trigger()

    def run(self) -> bool:
        """Serve until `stop`; say whether every accepted request was answered."""
        while not self.stopping:
            self._turn(0.5)
            if self.settler is not None:
                self.settler.turn()
        self._close_door()
        finished = self._drain()
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)
        if self.settler is not None:
            self.settler.leave()
        return finished

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _close_door(self) -> None:
        """Accept all that waits in the kernel's backlog before closing the socket resets it."""
        self.draining = True
        end = time.monotonic() + HANDSHAKE_SECONDS
        while hold_newcomers(self.socket) and time.monotonic() < end:
            self._turn(0.01)
        for _ in range(self.adj.backlog * 2):
            if not select.select([self.socket], [], [], 0)[0]:
                break
            self.handle_accept()
        wasyncore.dispatcher.close(self)  # Only the socket: workers still need the trigger.

    def _drain(self) -> bool:
        begun = time.monotonic()
        while self.active_channels:
            if time.monotonic() - begun > DRAIN_SECONDS:
                logger.error("%d requests were not answered in time", len(self.active_channels))
                return False
            self._turn(0.05)
            self.maintenance(time.time())
            self._close_quiet(begun)
        return True

    def _close_quiet(self, begun: float) -> None:
        if time.monotonic() - begun < QUIET_SECONDS:
            return
        for channel in list(self.active_channels.values()):
            if channel.idle() and time.time() - channel.last_activity > QUIET_SECONDS:
                channel.handle_close()


LIMITS = {
    "ident": None,
    "asyncore_use_poll": True,
    "backlog": 1024,
    "channel_timeout": 30,
    "cleanup_interval": 1,
}
