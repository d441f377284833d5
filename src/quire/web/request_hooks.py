"""What happens before and after each request: Flask calls one hook of ours, which hands the request to all others."""

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
        """The first answer that a hook has; None where the request goes on."""
        request = current_request()
        for hook in self.before:
            answer = hook(request)
            if answer is not None:
                return answer
        return None

    def run_after(self, response: Response) -> Response:
        """`response` as the hooks complete it, those added last first."""
        request = current_request()
        for hook in reversed(self.after):
            response = hook(request, response)
        return response


def before_request(app: Flask, hook: Before) -> None:
    """Call `hook(request)` before each request of `app`; what it returns is the answer, unless it is None."""
    _hooks_of(app).before.append(hook)


def after_request(app: Flask, hook: After) -> None:
    """Let `hook(request, response)` complete each answer of `app`, before those that were added earlier."""
    _hooks_of(app).after.append(hook)


def _hooks_of(app: Flask) -> RequestHooks:
    hooks: RequestHooks | None = app.extensions.get(_HOOKS)
    if hooks is None:
        hooks = app.extensions[_HOOKS] = RequestHooks()
        app.before_request(hooks.run_before)
        app.after_request(hooks.run_after)
    return hooks
