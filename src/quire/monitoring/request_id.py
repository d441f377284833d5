"""The id of the request being answered, also for the log and the jobs that follow from the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

set_request_id = _request_id.set


@contextmanager
def following(request_id: str | None) -> Iterator[None]:
    """Attribute what the block does to that request."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def current_request_id() -> str | None:
    """Return the id of the request that this thread answers or follows up; None outside of both."""
    return _request_id.get()
