"""Calls that may hang, such as one to a database that is away: whoever asks waits a few seconds only."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from flask import Flask, current_app

_EXTENSION = "quire_bounded_calls"


class BoundedCalls:
    """Runs each call in a thread of its own; who asks for one that still runs joins it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[Any]] = {}

    def result(self, name: str, call: Callable[[], Any], seconds: float | None) -> Any:
        """What `call()` returns. Raises TimeoutError after `seconds` (None: never), CancelledError if it fails."""
        with self._lock:
            future = self._running.get(name)
            if future is None:
                future = self._running[name] = Future()
                threading.Thread(
                    target=self._run, args=(name, future, call), name=name, daemon=True
                ).start()
        return future.result(seconds)

    def _run(self, name: str, future: Future[Any], call: Callable[[], Any]) -> None:
        try:
            future.set_result(call())
        finally:
            del self._running[name]
            future.cancel()  # changes nothing where there is a result


def init_app(app: Flask) -> None:
    """Let calls for `app` be bounded."""
    app.extensions[_EXTENSION] = BoundedCalls()


def bounded_result(name: str, call: Callable[[], Any], seconds: float | None) -> Any:
    """What `call()`, which may take long, returns in a context of this application of its own.

    Raises TimeoutError after `seconds` (None: never), CancelledError if the call fails.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001
    calls: BoundedCalls = app.extensions[_EXTENSION]

    def run() -> Any:
        with app.app_context():
            return call()

    return calls.result(name, run, seconds)
