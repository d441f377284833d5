"""Calls that may hang, such as one to an unreachable database: callers only wait a few seconds."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from flask import Flask, current_app

_EXTENSION = "quire_bounded_calls"


class BoundedCalls:
    """Runs each call in a thread of its own; a caller of one that is still running joins it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[Any]] = {}

    def result(self, name: str, call: Callable[[], Any], seconds: float | None) -> Any:
        """Return the result of `call()`. Raises TimeoutError after `seconds` (None: never), CancelledError if it
        fails.
        """
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
            future.cancel()  # has no effect if there is a result


def init_app(app: Flask) -> None:
    """Register bounded calls for `app`."""
    app.extensions[_EXTENSION] = BoundedCalls()


def bounded_result(name: str, call: Callable[[], Any], seconds: float | None) -> Any:
    """Return the result of `call()`, which may take long, in an application context of its own.

    Raises TimeoutError after `seconds` (None: never), CancelledError if the call fails.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001
    calls: BoundedCalls = app.extensions[_EXTENSION]

    def run() -> Any:
        with app.app_context():
            return call()

    return calls.result(name, run, seconds)
