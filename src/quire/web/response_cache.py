"""Finished answers to anonymous requests, found again before Flask has looked at the request.

An answer is kept if it is the same for everybody (caching.py), with the versions of all that was read for
it and the time until which they hold; what is read is noted by whoever runs the statements, so no view says
what it depends on. Rate limits count each request, and what must happen each time, such as counting
a view, happens.
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
"""How long an answer is given without being made again: what no version tells, such as the number of
views or a template that was edited, is as old as that at most."""
WAIT_SECONDS = 0.5
"""How long to wait for another thread that makes the same answer again."""
EACH_TIME = frozenset({
    "date", "x-request-id", "cache-control", "server-timing", "ratelimit", "ratelimit-policy",
    "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
})  # fmt: skip
"""Headers that belong to one answer."""
NOT_MODIFIED = "304 NOT MODIFIED"
_CHECKS = "quire.response_checks"
"""Where the environment keeps what says, beside versions, whether the answer to it still holds."""
_GUARDS = "quire-response-guards"
_REPEATED = "quire.repeated"
"""Where the environment keeps what must happen for each answer, also one that was kept."""
_NOT_OF_304 = frozenset(
    {"content-type", "content-length", "content-encoding", "accept-ranges", "etag"}
)


class Database(Protocol):
    """How the cache asks what has changed."""

    def state(self, environ: Environ) -> State | None:
        """What is known at the beginning of a request, None where the database does not say."""

    def collect_reads(self) -> AbstractContextManager[set[str]]:
        """Names of the versions of all that is read in the block."""


class ResponseStart(NamedTuple):
    """What `start_response` was called with."""

    status: str
    headers: Headers


def hold_while(environ: Environ, check: Callable[[], bool]) -> None:
    """Give the answer to this request to later ones only while `check()` is true."""
    environ.setdefault(_CHECKS, []).append(check)


def repeat(environ: Environ, call: Callable[[Environ], object]) -> None:
    """Call `call(environ)` of each later request that gets the answer to this one."""
    environ.setdefault(_REPEATED, []).append(call)


def add_guard(app: Flask, guard: Guard) -> None:
    """Ask `guard(environ)` before an answer is given that was kept.

    It returns headers to add, or None where the request must be looked at after all.
    """
    app.extensions.setdefault(_GUARDS, []).append(guard)


class ResponseCache:
    """The answers of one process, at most `size` bytes; those used least recently go first.

    `kept_cookies` are the names of those that change pages. The guards (`add_guard`) of the application
    are asked for each answer that was found.
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
        """Answer a request, by `inner`, a WSGI application, where nothing is kept for it."""
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
        """Make an answer again: of many threads that need it at once one does, and the others wait."""
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
        """Have the answer made, and keep it if it is for everybody and all of it is there at once."""
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
    """The answer without its body; None where it is not a whole one of known length."""
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
    """What the client has is compared with the whole answer, so that this is made, and kept."""
    if environ["REQUEST_METHOD"] != "GET" or "HTTP_IF_NONE_MATCH" not in environ:
        return {}
    names = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
    return {name: environ.pop(name) for name in names if name in environ}


def _join(chunks: Any) -> bytes:
    try:
        # a copy: behind its end the original has up to three times its length of unused memory
        return bytes(memoryview(b"".join(chunks)))
    finally:
        _close(chunks)


def _close(chunks: Any) -> None:
    if hasattr(chunks, "close"):
        chunks.close()


def _client_has(answer: Answer, environ: Environ) -> bool:
    """Whether the client has this answer (RFC 9110 section 13.2.2)."""
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
