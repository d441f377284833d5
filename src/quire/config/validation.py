"""Errors that keep Quire from starting, and the settings a public server needs."""

from collections.abc import Mapping
from typing import Any

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class StartupError(Exception):
    """Quire cannot start; the message is one line that says what to fix."""


class UnsafeConfig(StartupError):
    """A setting is wrong or dangerous."""


def refuse_contradictions(config: Mapping[str, Any]) -> None:
    """Raise UnsafeConfig if settings of the database do not fit each other."""
    is_postgresql = config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql")
    if config["DATABASE_PGBOUNCER"] and not is_postgresql:
        raise UnsafeConfig("DATABASE_PGBOUNCER needs a DATABASE_URL of PostgreSQL.")
    replica = config["DATABASE_REPLICA_URL"]
    if replica and not (is_postgresql and replica.startswith("postgres")):
        raise UnsafeConfig("DATABASE_REPLICA_URL needs PostgreSQL, there and as DATABASE_URL.")
    if replica and replica == config["DATABASE_URL"]:
        raise UnsafeConfig("DATABASE_REPLICA_URL and DATABASE_URL are the same. Remove the former.")
    size, overflow = config["DATABASE_POOL_SIZE"], config["DATABASE_POOL_OVERFLOW"]
    threads = config["THREADS"] + config["JOB_THREADS"]
    if size and size + overflow < threads:
        raise UnsafeConfig(
            f"DATABASE_POOL_SIZE and DATABASE_POOL_OVERFLOW allow {size + overflow} connections, but "
            f"THREADS and JOB_THREADS are {threads} threads. Allow one for each."
        )


def require_public_url(config: Mapping[str, Any], host: str) -> None:
    """Raise UnsafeConfig if other machines could reach a server without a configured address."""
    missing = [key for key in ("PUBLIC_URL", "TRUSTED_HOSTS") if not config[key]]
    if missing and host not in LOOPBACK:
        raise UnsafeConfig(
            f"Set {' and '.join(missing)} to serve on {host}, or use --host 127.0.0.1."
        )
