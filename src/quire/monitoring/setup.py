"""Sets up the monitoring of an application, with counters shared by all its processes."""

from pathlib import Path

from flask import Flask, current_app

from quire.monitoring import bounded_calls
from quire.monitoring.counters import counters
from quire.monitoring.requests import RequestRecorder
from quire.monitoring.shared_counters import SharedCounters

FOLDER = "metrics"
"""The folder in the instance folder where processes leave their counters."""
_COUNTERS = "quire_shared_counters"


def init_monitoring(app: Flask) -> None:
    """Count the requests of `app`."""
    app.wsgi_app = RequestRecorder(app.wsgi_app)  # type: ignore[method-assign]
    folder = Path(app.config["QUIRE_INSTANCE"]) / FOLDER
    app.extensions[_COUNTERS] = SharedCounters(folder, counters)
    bounded_calls.init_app(app)


def shared_counters() -> SharedCounters:
    """Return the counters of all processes of this application."""
    shared: SharedCounters = current_app.extensions[_COUNTERS]
    return shared
