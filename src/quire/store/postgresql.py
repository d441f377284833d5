"""Options of an engine for PostgreSQL: its pool, and how long a statement, a lock or a pause may take."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, text

from quire.store.instance_locks import APPLICATION
from quire.store.outages import STATEMENT_SECONDS
from quire.store.writer_lock import BUSY_SECONDS

CONNECT_SECONDS = 3
"""How long to wait for a server that does not answer at all."""
IDLE_SECONDS = 60
"""How long a transaction may do nothing: it keeps its locks, and the server from cleaning up."""
SESSION = {
    "timezone": "UTC",
    "jit": "off",
    # random reads come from memory or an SSD; by default, PostgreSQL would rather read a whole
    # table than look up a tenth of its rows in an index
    "random_page_cost": "1.1",
}
"""What each connection is told, in the words of PostgreSQL."""
LIMITS = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{BUSY_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
}
"""What those of servers are told too: commands may take as long as they take."""


def engine_options(config: Mapping[str, Any], url: URL) -> dict[str, Any]:
    """What SQLAlchemy is to make an engine with."""
    return {
        "pool_size": config["DATABASE_POOL_SIZE"] or config["THREADS"] + config["JOB_THREADS"] + 1,
        "max_overflow": config["DATABASE_POOL_OVERFLOW"],
        "pool_timeout": config["DATABASE_POOL_TIMEOUT"],
        "pool_recycle": config["DATABASE_POOL_RECYCLE"],
        # what only reads sees what is committed, statement by statement, with or without a
        # transaction around it: BEGIN and ROLLBACK would be two more round trips
        "isolation_level": "AUTOCOMMIT",
        "connect_args": _connect_args(config, url),
    }


def missing_role_settings(connection: Connection) -> list[tuple[str, str]]:
    """What the role that connects should be set to, name and value, for sessions that are told nothing."""
    statement = text(
        "SELECT lower(name) AS name, setting FROM pg_settings WHERE lower(name) = ANY(:names)"
    )
    settings = SESSION | LIMITS
    rows = connection.execute(statement, {"names": list(settings)})
    present = {row.name: row.setting for row in rows}
    is_set = {name: present[name] == settings[name] for name in SESSION}
    is_set |= {name: present[name] != "0" for name in LIMITS}
    return [(name, value) for name, value in settings.items() if not is_set[name]]


def _connect_args(config: Mapping[str, Any], url: URL) -> dict[str, Any]:
    """What the driver is given; what the URL says itself wins."""
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": APPLICATION,
    }
    if config["DATABASE_PGBOUNCER"]:
        # the next transaction runs on another connection of the server, which knows neither
        # the statements that this one has prepared nor its settings
        arguments["prepare_threshold"] = None
    else:
        settings = SESSION | (LIMITS if config["LIMIT_DATABASE_TIME"] else {})
        arguments["options"] = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return {name: value for name, value in arguments.items() if name not in url.query}
