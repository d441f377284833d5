"""The services that serve.py runs beside its own server, for applications that run under another WSGI server."""

import atexit
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from quire.config.validation import StartupError
from quire.jobs.worker import is_working, running_workers
from quire.monitoring import logs
from quire.monitoring.outage_log import log_outage
from quire.store.migrations import prepare_database
from quire.web.error_body import error_body

logger = logging.getLogger("quire.server")


def init_app(app: Flask) -> None:
    """Create the database and start the jobs on the first request, unless that has been done."""
    if not app.testing:
        app.wsgi_app = FirstRequest(app)  # type: ignore[method-assign]


class FirstRequest:
    """A WSGI application that prepares `app` once and then passes requests on.

    It does so on the first request, not on creation: gunicorn with `--preload` forks after creating the
    application, and threads do not survive a fork.
    """

    def __init__(self, app: Flask):
        self.app, self.inner = app, app.wsgi_app
        self.lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request, with 503 as long as the database does not match the code."""
        refused = self._prepare()
        if refused is None:
            return self.inner(environ, start_response)
        log_outage(logger, "Quire cannot start.", refused)
        headers = [("Content-Type", "application/json"), ("Retry-After", "60")]
        start_response("503 Service Unavailable", headers)
        return [error_body(503, "Quire cannot start; its log says why.", secrets.token_hex(8))]

    def _prepare(self) -> StartupError | None:
        """Return why this application cannot start, or None if it is ready."""
        try:
            with self.lock:
                self._prepare_once()
        except StartupError as unfit:
            return unfit
        return None

    def _prepare_once(self) -> None:
        if self.app.wsgi_app is not self:
            return
        logs.configure_once(self.app.config)
        if not is_working(self.app):
            with self.app.app_context():
                prepare_database()
            start_background(self.app)
        self.app.wsgi_app = self.inner  # type: ignore[method-assign]


def start_background(app: Flask) -> None:
    """Run jobs beside a server that does not, until its process ends."""
    jobs = running_workers(app)
    jobs.__enter__()
    atexit.register(jobs.__exit__, None, None, None)
