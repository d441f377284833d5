"""The settings of connections to PostgreSQL: the pool of each process, and an external pooler."""

from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings

from quire.config.types import DatabaseUrl

LONGEST_LIFETIME = 100 * 366 * 86_400
"""Seconds of a hundred years."""


def setting(default: Any, sentence: str, **rules: Any) -> Any:
    """Declare a field of Settings; docs/settings.md shows its description."""
    return Field(default, description=sentence, **rules)


def seconds(default: int, sentence: str, **rules: Any) -> Any:
    """Declare a field of Settings for a lifetime, limited by the last year of the calendar."""
    return setting(default, sentence, le=LONGEST_LIFETIME, **rules)


class PoolSettings(BaseSettings):
    """The settings of connections to PostgreSQL."""

    DATABASE_REPLICA_URL: DatabaseUrl = setting(
        "",
        "URL of a PostgreSQL replica of the database in `DATABASE_URL`. Requests read from it if it "
        "is up to date; everything else uses `DATABASE_URL`.",
        repr=False,
    )
    DATABASE_POOL_SIZE: int = setting(
        0,
        "Connections to PostgreSQL that each process keeps open. With 0: one for each thread of `THREADS` "
        "and `JOB_THREADS`, and one more.",
        ge=0,
        le=1000,
    )
    DATABASE_POOL_OVERFLOW: int = setting(
        10,
        "Further connections to PostgreSQL that a process opens while all others are in use.",
        ge=0,
        le=1000,
    )
    DATABASE_POOL_TIMEOUT: int = setting(
        3,
        "Seconds that a request waits for a connection to PostgreSQL before it is rejected (503).",
        ge=1,
        le=30,
    )
    DATABASE_POOL_RECYCLE: int = seconds(
        1800,
        "Seconds after which a connection to PostgreSQL is replaced by a new one. A firewall or proxy "
        "between them must not close connections earlier.",
        ge=10,
    )
    DATABASE_PGBOUNCER: bool = setting(
        False,
        "Whether `DATABASE_URL` points to PgBouncer or another pooler in transaction mode. The limits of "
        "PostgreSQL are then those of its role: see docs/operators.md.",
    )
