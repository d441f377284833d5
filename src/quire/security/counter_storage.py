"""Where throttles count: in Redis while it answers, else in memory; no limit is ever off for that."""

import logging
import time
from importlib import import_module
from typing import Any

from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage

logger = logging.getLogger("quire.throttle")

RETRY_SECONDS = 10
"""How long a Redis that did not answer is left alone."""
PATIENCE = 0.5
"""Seconds to wait for Redis."""
ROUNDED = 0.5
PREFIX = "quire"
SCHEME = "quire+"
"""What stands before the address of Redis, so that Flask-Limiter makes the storage below."""


def _no_retry() -> Any:
    """Redis' client, told to give up at once; it takes a fifth of a second to load, so only here."""
    never = import_module("redis.backoff").NoBackoff()
    return import_module("redis.retry").Retry(never, 0)


class FallbackStorage(Storage):
    """Counts in Redis; in this process while Redis is away."""

    STORAGE_SCHEME = [SCHEME + "redis", SCHEME + "rediss", SCHEME + "redis+unix"]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any):
        super().__init__(uri, wrap_exceptions)
        self.redis = RedisStorage(
            uri.removeprefix(SCHEME),
            key_prefix=PREFIX,
            wrap_exceptions=True,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=_no_retry(),
        )
        self.memory = MemoryStorage()
        self.away_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What its methods may raise."""
        return StorageError

    def _ask(self, name: str, *given: Any) -> Any:
        if time.monotonic() >= self.away_until:
            try:
                return getattr(self.redis, name)(*given)
            except StorageError as error:
                self.away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("Redis does not answer, throttles count in memory: %s", error)
        return getattr(self.memory, name)(*given)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that lasts `expiry` seconds from its first use; what it is now."""
        return int(self._ask("incr", key, expiry, amount))

    def get(self, key: str) -> int:
        """The value of a counter."""
        return int(self._ask("get", key))

    def get_expiry(self, key: str) -> float:
        """When a counter ends at the latest: Redis tells whole seconds, rounded."""
        return float(self._ask("get_expiry", key)) + ROUNDED

    def clear(self, key: str) -> None:
        """Forget a counter."""
        self._ask("clear", key)

    def check(self) -> bool:
        """Whether Redis answers."""
        return self.redis.check()

    def reset(self) -> int | None:
        """Forget all."""
        found: int | None = self._ask("reset")
        return found


def storage_uri(redis_url: str) -> str:
    """The storage for an installation, as `limits` names it; in memory where there is no Redis."""
    return SCHEME + redis_url if redis_url else "memory://"
