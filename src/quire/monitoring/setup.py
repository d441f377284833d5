"""What an application needs to be watched: its requests are counted, for all of its processes."""

from pathlib import Path

from flask import Flask, current_app

from quire.monitoring.bounded_calls import BoundedCalls
from quire.monitoring.counters import counters
from quire.monitoring.requests import RequestRecorder
from quire.monitoring.shared_counters import SharedCounters

FOLDER = "metrics"
"""The folder in the instance folder where processes leave their counters."""
_COUNTERS, _CALLS = "quire_shared_counters", "quire_bounded_calls"


def init_app(app: Flask) -> None:
    """Count the requests of `app`."""
    app.wsgi_app = RequestRecorder(app.wsgi_app)  # type: ignore[method-assign]
    folder = Path(app.config["QUIRE_INSTANCE"]) / FOLDER
    app.extensions[_COUNTERS] = SharedCounters(folder, counters)
    app.extensions[_CALLS] = BoundedCalls()


def shared_counters() -> SharedCounters:
    """The counters of all processes of this application."""
    shared: SharedCounters = current_app.extensions[_COUNTERS]
    return shared


def bounded_calls() -> BoundedCalls:
    """Calls for this application that may take long."""
    calls: BoundedCalls = current_app.extensions[_CALLS]
    return calls
