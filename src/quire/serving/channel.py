"""One connection: a client has limited time to send, and occupies no thread while it does not read."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from waitress.buffers import OverflowableBuffer, ReadOnlyFileBasedBuffer
from waitress.channel import HTTPChannel
from waitress.utilities import Error

from quire.serving import request_admission
from quire.serving.http_parser import JsonErrorTask, StrictParser
from quire.serving.sockets import unacknowledged_bytes
from quire.serving.wsgi_task import WsgiTask

HEADER_SECONDS = 15
"""The time limit for a request's headers."""
BODY_SECONDS = 30
"""The time limit for the body, extended as SLOWEST_BODY allows."""
SLOWEST_BODY = 1024
"""Bytes per second below which a request is aborted."""
LINGER_SECONDS = 5
"""How long a refused client may go on sending, so that it can read the response."""
STALLED_SECONDS = 15
"""How long a client may take to read what is buffered for it, or at least SLOWEST_READER of it."""
BUFFER_BYTES = 4 * 2**20
"""Bytes of a response after which waitress starts another buffer: it only frees whole buffers."""
SLOWEST_READER = 1024
"""Bytes per second below which a client with data to read is disconnected."""


class Channel(HTTPChannel):
    """One connection, whose client may be slow at sending and at reading without occupying a thread.

    A thread writes a response without ever waiting: what the client does not read immediately is buffered in memory
    for at most a second, then on disk. The next request of a connection starts when all earlier responses have been
    read.
    """

    task_class = WsgiTask
    error_task_class = JsonErrorTask
    close_when_flushed = False
    started_at = 0.0
    linger = False
    lingers_until = 0.0
    paused = False
    current_outbuf_count: int
    written = bytes_taken = 0
    sending = False
    header = b""

    def __init__(self, *arguments: Any, **keywords: Any):
        super().__init__(*arguments, **keywords)
        self.taken_at = self.creation_time
        self.body_network: str | None = None

    def parser_class(self, adj: Any) -> StrictParser:
        """Return the parser of the next request."""
        self.body_network = None
        return StrictParser(adj, self._admit)

    def _admit(self, request: StrictParser) -> Error | None:
        """Return why the body that `request` announces is refused, or None if it is accepted."""
        if not request_admission.is_large(request):
            return None
        sender = self._network_of(request)
        refusal = request_admission.refuse(request, sender, self.server.senders())
        if refusal is None:
            self.body_network = sender
        return refusal

    def network(self) -> str:
        """Return the network that the next request comes from."""
        return self._network_of(self.requests[0])

    def _network_of(self, request: StrictParser) -> str:
        return request_admission.network(request, self.addr[0], self.server.trusted_proxy)

    def received(self, data: bytes) -> bool:
        """Process what the client has sent."""
        before = self.request
        done = super().received(data)
        if self.request is not before:
            self.started_at = time.time()
        return done

    def on_last_request(self) -> bool:
        """Return whether no other request is queued behind the one being answered."""
        return len(self.requests) == 1 and self.request is None

    def overdue(self, now: float) -> bool:
        """Return whether the client takes too long to send its request or to close the connection."""
        if self.lingers_until:
            return now > self.lingers_until
        request = self.request
        if request is None:
            return False
        if not request.headers_finished:
            return now - self.started_at > HEADER_SECONDS
        return now - self.started_at > BODY_SECONDS + request.body_bytes_received / SLOWEST_BODY

    @contextmanager
    def long_wait(self) -> Iterator[None]:
        """Let another thread replace this one, and let the loop ignore the connection.

        Nothing is read or written on it meanwhile, but the loop would check it in each iteration: 200 waiting
        connections would cost a fifth of a list.
        """
        with self.server.task_dispatcher.blocking():
            self._map.pop(self._fileno, None)
            try:
                yield
            finally:
                self._map[self._fileno] = self

    def client_gone(self) -> bool:
        """Return whether the client has closed the connection, or its direction, while it is being answered."""
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def idle(self) -> bool:
        """Return whether nothing is being received, processed or sent."""
        closing: Any = self.close_when_flushed or self.lingers_until
        return not (self.requests or self.request or self.total_outbufs_len or closing)

    def begins_with_preflight(self) -> bool:
        """Return whether the next request is a preflight request of a permitted origin."""
        request = self.requests[0]
        if request.error:
            return False
        names_method = "ACCESS_CONTROL_REQUEST_METHOD" in request.headers
        is_listed = request.headers.get("ORIGIN") in self.adj.cors_origins
        return bool(request.command == "OPTIONS" and names_method and is_listed)

    def note_progress(self, now: float, seconds: float) -> bool:
        """Set `taken_at` to `now` if the client reads fast enough; return whether it has anything to read.

        Fast enough is SLOWEST_READER for `seconds`, or everything there is.
        """
        waiting = self.total_outbufs_len
        if not waiting:
            self.taken_at = now
            return False
        received = self.written - waiting - unacknowledged_bytes(self.socket)
        if received >= self.bytes_taken + SLOWEST_READER * seconds:
            self.bytes_taken, self.taken_at = received, now
        return True

    def buffered_bytes(self) -> int:
        """Return the number of bytes buffered for the client, apart from files that exist anyway."""
        with self.outbuf_lock:
            files = (one for one in self.outbufs if isinstance(one, ReadOnlyFileBasedBuffer))
            return int(self.total_outbufs_len) - sum(map(len, files))

    def spill(self) -> None:
        """Move what is buffered for the client from memory to disk."""
        with self.outbuf_lock:
            for buffer in self.outbufs:
                if isinstance(buffer, OverflowableBuffer) and buffer.buf and not buffer.overflowed:
                    buffer._set_large_buffer()  # noqa: SLF001 - what it does itself beyond a size

    def write_soon(self, data: Any) -> int:
        """Send `data`, or buffer what the client does not read immediately; return its length in bytes.

        A stream that is far ahead of its reader waits, while another thread replaces this one. Raises
        ClientDisconnected.
        """
        if self.total_outbufs_len > self.adj.outbuf_high_watermark:
            with self.server.task_dispatcher.blocking():
                super()._flush_outbufs_below_high_watermark()
        if self.current_outbuf_count > BUFFER_BYTES:
            self.current_outbuf_count = self.adj.outbuf_high_watermark
        if self.header:
            data, self.header = self.header + data, b""
        with self._sending():
            length: int = super().write_soon(data)
        self.written += length
        return length

    @contextmanager
    def _sending(self) -> Iterator[None]:
        """Make the loop leave sending to this thread.

        Otherwise the loop would find the socket ready and the buffer locked, again and again, for as long as this
        thread waits for the GIL after a system call.
        """
        self.sending = True
        try:
            yield
        finally:
            self.sending = False
            if super().writable():
                self.server.pull_trigger()

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Do nothing here: a client could block the thread for as long as it likes."""

    def writable(self) -> bool:
        """Return whether there is something to send, to start or to close."""
        return self.paused or bool(not self.sending and super().writable())

    def _resume(self) -> None:
        """Start the next request if all earlier responses have been read."""
        if self.paused and not self.total_outbufs_len:
            self.paused = False
            self.server.add_task(self)

    def readable(self) -> bool:
        """Return whether input is expected."""
        return bool(self.lingers_until) or super().readable()

    def handle_read(self) -> None:
        """Read; discard anything that follows a refusal."""
        if self.lingers_until:
            self.recv(self.adj.recv_bytes)
        else:
            super().handle_read()

    def handle_write(self) -> None:
        """Send; after a refusal, close only our direction.

        Closing with unread input would reset the connection, and the client, still busy sending its large body,
        would never read the response.
        """
        if not (self.linger and self.close_when_flushed):
            super().handle_write()
            self._resume()
            return
        self._flush_exception(self._flush_some)
        if self.connected and not self.total_outbufs_len and not self.will_close:
            self.close_when_flushed = False
            self.lingers_until = time.time() + LINGER_SECONDS
            with suppress(OSError):  # A closed connection is noticed when reading.
                self.socket.shutdown(socket.SHUT_WR)
