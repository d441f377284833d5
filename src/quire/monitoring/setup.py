"""What an application needs to be watched: its requests are counted, for all of its processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def bounded_result(name: str, call: Callable[[], Any], seconds: float | None) -> Any:
    """What `call()`, which may take long, returns in a context of this application of its own.

    Raises TimeoutError after `seconds` (None: never), CancelledError if the call fails.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001
    calls: BoundedCalls = app.extensions[_CALLS]

    def run() -> Any:
        with app.app_context():
            return call()

    return calls.result(name, run, seconds)
