"""What a thread does for one request: calls the application, and sends what it answers."""

import logging
from typing import Any

from waitress.channel import ClientDisconnected
from waitress.task import WSGITask
from waitress.utilities import Error

from quire.errors import Unavailable
from quire.web.threads import BLOCKING_KEY, CLIENT_GONE_KEY, LONG_WAIT_KEY, STOPPING_KEY

logger = logging.getLogger("quire.server")


class ServiceUnavailable(Error):
    """A response that is made while it is sent cannot be made at the moment."""

    code = 503
    reason = "Service Unavailable"


class WsgiTask(WSGITask):
    """Tells clients of a stopping server that this connection carries no further request."""

    close_on_finish: bool
    wrote_header: bool

    def get_environment(self) -> dict[str, Any]:
        """What the application is told, and given."""
        environ: dict[str, Any] = super().get_environment()
        server = self.channel.server
        environ[BLOCKING_KEY] = server.task_dispatcher.blocking
        environ[LONG_WAIT_KEY] = self.channel.long_wait
        environ[CLIENT_GONE_KEY] = self.channel.client_gone
        environ[STOPPING_KEY] = lambda: server.stopping
        return environ

    def execute(self) -> None:
        """Answer; what cannot be read to its end is refused, or cut off where it has begun."""
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
        """Send `data`; the header goes along with the first bytes, not in a packet of its own."""
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
        """Status line and headers."""
        if self.channel.server.draining and self.channel.on_last_request():
            self.set_close_on_finish()
        if self.has_body or self.close_on_finish or self._is_last():
            return super().build_response_header()
        # waitress ends a connection whose answer has no length; without a body it needs none
        self.close_on_finish = True
        header = super().build_response_header()
        self.close_on_finish = False
        return header

    def _is_last(self) -> bool:
        """Whether the client wants no further answer on this connection."""
        return (
            self.version == "1.0" or self.request.headers.get("CONNECTION", "").lower() == "close"
        )
