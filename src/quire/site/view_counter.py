"""Counts views of posts by people in memory; the worker writes them to the database.

Requests never wait for that; a killed process loses the counts of the last seconds.
"""

import re
import threading
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from flask import request

from quire.actor import Actor
from quire.declare.job_registry import periodic
from quire.errors import Unavailable
from quire.store.counters import increment_many
from quire.store.daily_views import add_views
from quire.store.db import transaction
from quire.web.response_cache import repeat

SECONDS = 5
"""Seconds between two writes of the counts."""
_PROGRAMS = re.compile(
    r"(?<!cu)bot|crawl|spider|slurp|preview|scan|monitor|headless|lighthouse|archive|fetch|feed"
    r"|facebookexternalhit|https?:|@|compatible; (?!msie)",
    re.IGNORECASE,
)
"""Words in the User-Agent of programs; shortened from https://github.com/omrilotan/isbot."""
_lock = threading.Lock()
_counted: Counter[int] = Counter()


def count_view(post: int, actor: Actor, may_edit: bool) -> None:
    """Count a view, unless it is by a program or by an editor of the post."""
    if request.method != "GET" or may_edit or actor.impersonator:
        return
    _count(post, request.environ)
    # everyone who gets the same response from a cache views it too
    repeat(request.environ, partial(_count, post))


def _count(post: int, environ: Mapping[str, Any]) -> None:
    if environ["REQUEST_METHOD"] == "GET" and _is_person(environ):
        with _lock:
            _counted[post] += 1


def _is_person(environ: Mapping[str, Any]) -> bool:
    names = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")
    ahead = next((environ[name] for name in names if environ.get(name)), "")
    return "prefetch" not in ahead and is_browser(environ.get("HTTP_USER_AGENT", "")[:500])


@lru_cache(1000)
def is_browser(agent: str) -> bool:
    """Whether a `User-Agent` is that of a browser used by a person."""
    return agent.startswith(("Mozilla/", "Opera/")) and not _PROGRAMS.search(agent)


@periodic(SECONDS, per_process=True)
def flush_views() -> None:
    """Add the counts to the posts, and to those of the day; retry later if the database is unavailable."""
    with _lock:
        counts = Counter(_counted)
        _counted.clear()
    if not counts:
        return
    try:
        with transaction():
            increment_many("posts", "views", counts)
            add_views(counts.total())
    except Unavailable:
        with _lock:
            _counted.update(counts)
        raise
