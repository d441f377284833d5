"""How often posts are read: counted in memory, written down by the worker, people only.

Reading never waits for this; what a process that is killed has counted in the last seconds is lost.
"""

import re
import threading
from collections import Counter
from functools import lru_cache

from flask import request

from quire.actor import Actor
from quire.declare.job_registry import periodic
from quire.errors import Unavailable
from quire.store.counters import increment_many

SECONDS = 5
"""How often the counts are written down."""
_PROGRAMS = re.compile(
    r"(?<!cu)bot|crawl|spider|slurp|preview|scan|monitor|headless|lighthouse|archive|fetch|feed"
    r"|facebookexternalhit|https?:|@|compatible; (?!msie)",
    re.IGNORECASE,
)
"""What programs say of themselves; after https://github.com/omrilotan/isbot, made shorter."""
_lock = threading.Lock()
_counted: Counter[int] = Counter()


def count_view(post: int, actor: Actor, may_edit: bool) -> None:
    """Count that somebody reads a post, unless it is a program, or somebody at work on it."""
    if request.method != "GET" or may_edit or actor.impersonator or not _is_person():
        return
    with _lock:
        _counted[post] += 1


def _is_person() -> bool:
    headers = request.headers
    ahead = headers.get("Sec-Purpose") or headers.get("Purpose") or headers.get("X-Moz") or ""
    return "prefetch" not in ahead and is_browser(headers.get("User-Agent", "")[:500])


@lru_cache(1000)
def is_browser(agent: str) -> bool:
    """Whether a `User-Agent` is that of a browser that somebody looks at."""
    return agent.startswith(("Mozilla/", "Opera/")) and not _PROGRAMS.search(agent)


@periodic(SECONDS, per_process=True)
def flush_views() -> None:
    """Add what was counted to the posts. When the database is away, later."""
    with _lock:
        counts = dict(_counted)
        _counted.clear()
    if not counts:
        return
    try:
        increment_many("posts", "views", counts)
    except Unavailable:
        with _lock:
            _counted.update(counts)
        raise
