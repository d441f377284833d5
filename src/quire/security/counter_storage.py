"""Storage for rate limit counters: Redis while it answers, else memory, so that limits always hold."""

import logging
import time
from importlib import import_module
from typing import Any

from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage

logger = logging.getLogger("quire.throttle")

RETRY_SECONDS = 10
"""How long to wait before asking a Redis that did not answer again."""
TIMEOUT_SECONDS = 0.5
"""How long to wait for an answer of Redis."""
ROUNDING_SECONDS = 0.5
PREFIX = "quire"
SCHEME = "quire+"
"""The prefix of the URL of Redis by which Flask-Limiter finds the storage below."""


def _no_retry() -> Any:
    """The setting by which the client never retries; it takes 0.2 s to load, so only on demand."""
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
        self.away_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What its methods may raise."""
        return StorageError

    def _ask(self, name: str, *arguments: Any) -> Any:
        if time.monotonic() >= self.away_until:
            try:
                return getattr(self.redis, name)(*arguments)
            except StorageError as error:
                self.away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("Redis does not answer, throttles count in memory: %s", error)
        return getattr(self.memory, name)(*arguments)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that lasts `expiry` seconds from its first use; returns its new value."""
        return int(self._ask("incr", key, expiry, amount))

    def get(self, key: str) -> int:
        """The value of a counter."""
        return int(self._ask("get", key))

    def get_expiry(self, key: str) -> float:
        """When a counter expires at the latest: Redis rounds to whole seconds."""
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
    """The storage for an installation, as `limits` names it; in memory where there is no Redis."""
    return SCHEME + redis_url if redis_url else "memory://"
