"""Storage for rate limit counters: Redis while it answers, otherwise memory, so that limits always apply."""

import logging
import threading
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage

from quire.monitoring.outage_log import log_outage

logger = logging.getLogger("quire.throttle")

RETRY_SECONDS = 2.0
"""How long to avoid a Redis that did not answer, or answered late."""
TIMEOUT_SECONDS = 0.05
"""How long a request waits for Redis."""
SLOW_SECONDS = 0.015
SLOW_ANSWERS = 3
"""How many slow answers in a row make us avoid Redis; one busy moment is no reason, since the two counts are not
added up.
"""
AWAY = "Redis does not answer, so each process counts rate limits for itself. Check REDIS_URL, and its server."
SLOW = "Redis answers late, so each process counts rate limits for itself. Check the load of its server."
ROUNDING_SECONDS = 0.5
PREFIX = "quire"
SCHEME = "quire+"
"""The URL prefix by which Flask-Limiter selects the storage below."""


def _no_retry() -> Any:
    """Return the setting that disables retries; imported on demand, since that takes 0.2 s."""
    backoff = import_module("redis.backoff").NoBackoff()
    return import_module("redis.retry").Retry(backoff, 0)


class FallbackStorage(Storage):
    """Counts in Redis, or in this process while Redis is unavailable."""

    STORAGE_SCHEME = [SCHEME + "redis", SCHEME + "rediss", SCHEME + "redis+unix"]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any):
        super().__init__(uri, wrap_exceptions)
        self.redis = RedisStorage(
            uri.removeprefix(SCHEME),
            key_prefix=PREFIX,
            wrap_exceptions=True,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=_no_retry(),
        )
        self.memory = MemoryStorage()
        self._is_away, self._slow_answers, self._asked_at = False, 0, 0.0
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors that its methods may raise."""
        return StorageError

    def _ask(self, name: str, *arguments: Any) -> Any:
        if self._is_away:
            self._ask_in_time()
        else:
            try:
                return self._ask_redis(name, *arguments)
            except StorageError as error:
                self._leave(AWAY, error)
        return getattr(self.memory, name)(*arguments)

    def _ask_redis(self, name: str, *arguments: Any) -> Any:
        began = time.monotonic()
        answer = getattr(self.redis, name)(*arguments)
        seconds = time.monotonic() - began
        self._slow_answers = self._slow_answers + 1 if seconds > SLOW_SECONDS else 0
        if self._slow_answers >= SLOW_ANSWERS:
            self._leave(SLOW, f"{seconds * 1000:.0f} ms")
        return answer

    def _leave(self, cause: str, reason: object) -> None:
        self._is_away, self._asked_at = True, time.monotonic()
        log_outage(logger, cause, reason)

    def _ask_in_time(self) -> None:
        """Try Redis again from time to time, in a thread so that no request waits for it."""
        with self._lock:
            if time.monotonic() - self._asked_at < RETRY_SECONDS:
                return
            self._asked_at = time.monotonic()
        threading.Thread(target=self._ask_again, name="redis", daemon=True).start()

    def _ask_again(self) -> None:
        with suppress(StorageError):
            self.redis.get(PREFIX)  # including the time to open a connection
            began = time.monotonic()
            self.redis.get(PREFIX)
            self._is_away = time.monotonic() - began > SLOW_SECONDS

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that lasts `expiry` seconds from its first use; returns its new value."""
        return int(self._ask("incr", key, expiry, amount))

    def get(self, key: str) -> int:
        """The value of a counter."""
        return int(self._ask("get", key))

    def get_expiry(self, key: str) -> float:
        """When a counter expires at the latest, since Redis rounds to whole seconds."""
        return float(self._ask("get_expiry", key)) + ROUNDING_SECONDS

    def clear(self, key: str) -> None:
        """Delete a counter."""
        self._ask("clear", key)

    def check(self) -> bool:
        """Whether Redis answers."""
        return self.redis.check()

    def reset(self) -> int | None:
        """Delete all counters."""
        count: int | None = self._ask("reset")
        return count


def storage_uri(redis_url: str) -> str:
    """Return the storage URI of an installation for `limits`; memory if there is no Redis."""
    return SCHEME + redis_url if redis_url else "memory://"
