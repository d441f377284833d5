"""Hooks before and after each request: Flask calls one function, which calls all hooks with the request."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response

from quire.web.current import current_request

Before = Callable[[Request], Any]
After = Callable[[Request, Response], Response]
_HOOKS = "quire.request_hooks"


class RequestHooks:
    """The hooks of an application, in the order in which they were added."""

    def __init__(self) -> None:
        self.before: list[Before] = []
        self.after: list[After] = []

    def run_before(self) -> Any:
        """Return the first response of a hook; None if the request continues."""
        request = current_request()
        for hook in self.before:
            answer = hook(request)
            if answer is not None:
                return answer
        return None

    def run_after(self, response: Response) -> Response:
        """Return `response`, completed by the hooks in reverse order."""
        request = current_request()
        for hook in reversed(self.after):
            response = hook(request, response)
        return response


def before_request(app: Flask, hook: Before) -> None:
    """Call `hook(request)` before each request of `app`; its result is the response, unless it is None."""
    _hooks_of(app).before.append(hook)


def after_request(app: Flask, hook: After) -> None:
    """Let `hook(request, response)` complete each response of `app`, before hooks that were added earlier."""
    _hooks_of(app).after.append(hook)


def _hooks_of(app: Flask) -> RequestHooks:
    hooks: RequestHooks | None = app.extensions.get(_HOOKS)
    if hooks is None:
        hooks = app.extensions[_HOOKS] = RequestHooks()
        app.before_request(hooks.run_before)
        app.after_request(hooks.run_after)
    return hooks
