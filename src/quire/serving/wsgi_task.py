"""One request in a thread: calls the application and sends the response."""

import logging
from typing import Any

from waitress.channel import ClientDisconnected
from waitress.task import WSGITask
from waitress.utilities import Error

from quire.errors import Unavailable
from quire.web.threads import BLOCKING_KEY, CLIENT_GONE_KEY, LONG_WAIT_KEY, STOPPING_KEY

logger = logging.getLogger("quire.server")


class ServiceUnavailable(Error):
    """The body of a response cannot be produced at the moment."""

    code = 503
    reason = "Service Unavailable"


class WsgiTask(WSGITask):
    """Tells clients of a stopping server that this connection accepts no further requests."""

    close_on_finish: bool
    wrote_header: bool

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        server = self.channel.server
        environ[BLOCKING_KEY] = server.task_dispatcher.blocking
        environ[LONG_WAIT_KEY] = self.channel.long_wait
        environ[CLIENT_GONE_KEY] = self.channel.client_gone
        environ[STOPPING_KEY] = lambda: server.stopping
        return environ

    def execute(self) -> None:
        """Respond; if the body cannot be produced, send an error, or close the connection if it has begun."""
        try:
            super().execute()
        except Unavailable as problem:
            if self.wrote_header:
                logger.warning(
                    "The response to %s was cut off: %s", self.request.path, problem.message
                )
                raise ClientDisconnected from problem
            self.request.error = ServiceUnavailable(problem.message)
            self.channel.error_task_class(self.channel, self.request).execute()
            self.wrote_header = self.close_on_finish = True

    def write(self, data: bytes) -> None:
        """Send `data`; the headers go with the first bytes, not in a packet of their own."""
        if (
            self.complete
            and not self.wrote_header
            and data
            and self.has_body
            and self.content_length != 0
        ):
            self.channel.header = self.build_response_header()
            self.wrote_header = True
        super().write(data)

    def build_response_header(self) -> bytes:
        """Return the status line and the headers."""
        if self.channel.server.draining and self.channel.on_last_request():
            self.set_close_on_finish()
        if self.has_body or self.close_on_finish or self._is_last():
            return super().build_response_header()
        # waitress closes a connection after a response without a length, which one without a body does not need
        self.close_on_finish = True
        header = super().build_response_header()
        self.close_on_finish = False
        return header

    def _is_last(self) -> bool:
        """Return whether the client wants no further response on this connection."""
        return (
            self.version == "1.0" or self.request.headers.get("CONNECTION", "").lower() == "close"
        )
