"""A cache of finished responses to anonymous requests, used before Flask looks at a request.

A response is stored if it is the same for everyone (caching.py), with the versions of everything that was read for
it and the time until which they are valid. The code that runs statements records what is read, so views need not
declare dependencies. Cached responses still count towards rate limits, and side effects such as counting a view are
repeated.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from cachetools import LRUCache
from flask import Flask

from quire.monitoring.counters import RESPONSE_LOOKUPS, count
from quire.monitoring.requests import ROUTE_KEY, route_of
from quire.web.caching import is_shared, public_until
from quire.web.compression import plain_tag, sent_tag
from quire.web.headers import request_id
from quire.web.response_key import Environ, RequestKeys
from quire.web.stored_answer import Answer, Headers, State, memory_of, pack

Guard = Callable[[Environ], Headers | None]
MAX_AGE = timedelta(seconds=60)
"""How long a response is served without being recreated: data without a version, such as the number of
views or an edited template, is at most this old."""
WAIT_SECONDS = 0.5
"""How long to wait for another thread that is creating the same response."""
EACH_TIME = frozenset({
    "date", "x-request-id", "cache-control", "server-timing", "ratelimit", "ratelimit-policy",
    "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
})  # fmt: skip
"""Headers that are set anew for each response."""
NOT_MODIFIED = "304 NOT MODIFIED"
_CHECKS = "quire.response_checks"
"""The WSGI variable with functions that tell, in addition to versions, whether the response is still valid."""
_GUARDS = "quire-response-guards"
_REPEATED = "quire.repeated"
"""The WSGI variable with functions to call for each response, including cached ones."""
_NOT_OF_304 = frozenset(
    {"content-type", "content-length", "content-encoding", "accept-ranges", "etag"}
)


class Database(Protocol):
    """How the cache asks what has changed."""

    def state(self, environ: Environ) -> State | None:
        """Return the state at the beginning of a request; None if the database does not say."""

    def collect_reads(self) -> AbstractContextManager[set[str]]:
        """Collect the names of the versions of everything read in the block."""


class ResponseStart(NamedTuple):
    """The arguments of `start_response`."""

    status: str
    headers: Headers


def hold_while(environ: Environ, check: Callable[[], bool]) -> None:
    """Serve this response to later requests only while `check()` is true."""
    environ.setdefault(_CHECKS, []).append(check)


def repeat(environ: Environ, call: Callable[[Environ], object]) -> None:
    """Call `call(environ)` for each later request that gets this response."""
    environ.setdefault(_REPEATED, []).append(call)


def add_guard(app: Flask, guard: Guard) -> None:
    """Call `guard(environ)` before a cached response is served.

    It returns headers to add, or None if the request has to be processed after all.
    """
    app.extensions.setdefault(_GUARDS, []).append(guard)


class ResponseCache:
    """The responses of one process, at most `size` bytes; the least recently used go first.

    `kept_cookies` are the names of cookies that change pages. The application's guards (`add_guard`) are called for
    each cached response.
    """

    def __init__(self, app: Flask, size: int, database: Database, kept_cookies: Iterable[str]):
        self._answers: LRUCache[Any, Answer] = LRUCache(size, getsizeof=memory_of)
        self._largest = size // 8
        self._database = database
        self._keys = RequestKeys(app.config, kept_cookies)
        self._guards: list[Guard] = app.extensions.get(_GUARDS, [])
        self._lock = threading.Lock()
        self._making: dict[Any, threading.Lock] = {}

    def respond(self, environ: Environ, start_response: Any, inner: Any) -> Iterable[bytes]:
        """Answer a request from the cache, or with `inner`, a WSGI application."""
        key = self._keys.key_of(environ)
        state = None if key is None else self._database.state(environ)
        if state is None:
            return inner(environ, start_response)
        stale = self._get(key)
        answer = stale if stale is not None and stale.holds(state) else None
        if answer is None and stale is not None:
            return self._make_once(key, state, environ, start_response, inner)
        if answer is None:
            return self._make(key, state, environ, start_response, inner)
        return self._send(answer, state, environ, start_response, inner)

    def _get(self, key: Any) -> Answer | None:
        with self._lock:
            answer: Answer | None = self._answers.get(key)
        return answer

    def _make_once(
        self, key: Any, state: State, environ: Environ, start_response: Any, inner: Any
    ) -> Iterable[bytes]:
        """Recreate a response in one of the threads that need it at the same time; the others wait."""
        lock = self._making.setdefault(key, threading.Lock())
        is_first = lock.acquire(timeout=WAIT_SECONDS)
        try:
            answer = self._get(key)
            if answer is not None and answer.holds(state):
                return self._send(answer, state, environ, start_response, inner)
            return self._make(key, state, environ, start_response, inner)
        finally:
            if is_first:
                self._making.pop(key, None)
                lock.release()

    def _make(
        self, key: Any, state: State, environ: Environ, start_response: Any, inner: Any
    ) -> Iterable[bytes]:
        """Create the response, and store it if it is for everyone and complete."""
        count(RESPONSE_LOOKUPS, "miss")
        starts: list[ResponseStart] = []

        def begin(status: str, headers: Headers, *error: Any) -> None:
            starts[:] = [ResponseStart(status, headers)]

        conditions = _take_conditions(environ)
        with self._database.collect_reads() as names:
            chunks = inner(environ, begin)
        environ.update(conditions)
        status, headers = starts[-1]
        versions = state.versions_of(names)
        answer = _answer(status, headers, versions or {}, state, environ)
        if answer is None:
            start_response(status, headers)
            return chunks
        is_kept = versions is not None and answer.length <= self._largest and answer.is_shared
        if is_kept and environ["REQUEST_METHOD"] == "GET":
            body = _join(chunks)
            answer.stored = pack(body, environ)
            with self._lock:
                self._answers[key] = answer
            chunks = [body]
        if conditions and _client_has(answer, environ):
            _close(chunks)
            start_response(NOT_MODIFIED, _not_modified(headers, answer.etag, environ))
            return []
        start_response(status, headers)
        return chunks

    def _send(
        self, answer: Answer, state: State, environ: Environ, start_response: Any, inner: Any
    ) -> Iterable[bytes]:
        more: Headers = []
        for guard in self._guards:
            headers = guard(environ)
            if headers is None:
                return inner(environ, start_response)
            more += headers
        count(RESPONSE_LOOKUPS, "hit")
        environ[ROUTE_KEY] = answer.route
        for call in answer.repeated:
            call(environ)
        more += [
            ("Cache-Control", public_until(state.until)),
            ("X-Request-Id", request_id(environ)),
        ]
        if _client_has(answer, environ):
            start_response(NOT_MODIFIED, _not_modified(answer.headers, answer.etag, environ) + more)
            return []
        start_response("200 OK", answer.headers + more)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body()]


def _answer(
    status: str, headers: Headers, versions: Mapping[str, Any], state: State, environ: Environ
) -> Answer | None:
    """Return the response without its body; None unless it is a complete one of known length."""
    by_name = {name.lower(): value for name, value in headers}
    length = by_name.get("content-length", "")
    if not status.startswith("200") or not length.isdigit():
        return None
    return Answer(
        [header for header in headers if header[0].lower() not in EACH_TIME],
        b"",
        int(length),
        plain_tag(by_name.get("etag", "")),
        by_name.get("last-modified", ""),
        versions,
        route_of(environ),
        state.now,
        min(state.until, state.now + MAX_AGE),
        tuple(environ.get(_CHECKS, ())),
        tuple(environ.get(_REPEATED, ())),
        is_shared(by_name),
    )


def _take_conditions(environ: Environ) -> Environ:
    """Remove the conditions of a request, so that the whole response is created, stored and compared with them."""
    if environ["REQUEST_METHOD"] != "GET" or "HTTP_IF_NONE_MATCH" not in environ:
        return {}
    names = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
    return {name: environ.pop(name) for name in names if name in environ}


def _join(chunks: Any) -> bytes:
    try:
        # a copy, since the original has up to three times its length of unused memory behind it
        return bytes(memoryview(b"".join(chunks)))
    finally:
        _close(chunks)


def _close(chunks: Any) -> None:
    if hasattr(chunks, "close"):
        chunks.close()


def _client_has(answer: Answer, environ: Environ) -> bool:
    """Whether the client has this response (RFC 9110 section 13.2.2)."""
    sent = environ.get("HTTP_IF_NONE_MATCH")
    if sent is None:
        moment = answer.last_modified
        return bool(moment) and environ.get("HTTP_IF_MODIFIED_SINCE") == moment
    opaque = answer.etag.removeprefix("W/")
    tags = (tag.strip().removeprefix("W/") for tag in sent.split(","))
    return bool(opaque) and (sent.strip() == "*" or opaque in tags)


def _not_modified(headers: Headers, etag: str, environ: Environ) -> Headers:
    stays = [one for one in headers if one[0].lower() not in _NOT_OF_304]
    return [*stays, ("ETag", sent_tag(etag, environ))]
