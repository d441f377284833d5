"""Options for PostgreSQL: its pool, time limits, and the conditions of partial indexes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    MetaData,
    case,
    cast,
    func,
    literal_column,
    text,
)

from quire.store.connections.outages import STATEMENT_SECONDS
from quire.store.connections.writer_lock import BUSY_SECONDS

APPLICATION = "quire"
"""The name of our connections to PostgreSQL."""
CONNECT_SECONDS = 3
"""How long to wait for a server that does not respond at all."""
IDLE_SECONDS = 60
"""How long a transaction may be idle: it keeps its locks, and prevents the server from cleaning up."""
SESSION = {
    "timezone": "UTC",
    "jit": "off",
    # random reads come from memory or an SSD; by default, PostgreSQL prefers reading a whole
    # table to looking up a tenth of its rows in an index
    "random_page_cost": "1.1",
}
"""PostgreSQL settings of each connection."""
LIMITS = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{BUSY_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
}
"""Further ones for servers: commands have no time limit."""

REPLICA_OPTION = "reads_from_replica"
"""The option of engines whose server is a replica."""
_position = func.pg_wal_lsn_diff(
    case(
        (func.pg_is_in_recovery(), func.pg_last_wal_replay_lsn()),
        else_=func.pg_current_wal_insert_lsn(),
    ),
    literal_column("'0/0'"),
)
LOG_POSITION = cast(_position, BigInteger())
"""The position in the log up to which the server shows commits."""


def engine_options(config: Mapping[str, Any], url: URL) -> dict[str, Any]:
    """Return SQLAlchemy's options for an engine."""
    return {
        "pool_size": config["DATABASE_POOL_SIZE"] or config["THREADS"] + config["JOB_THREADS"] + 1,
        "max_overflow": config["DATABASE_POOL_OVERFLOW"],
        "pool_timeout": config["DATABASE_POOL_TIMEOUT"],
        "pool_recycle": config["DATABASE_POOL_RECYCLE"],
        # reads see what is committed, statement by statement, with or without a
        # transaction: BEGIN and ROLLBACK would be two more round trips
        "isolation_level": "AUTOCOMMIT",
        "connect_args": _connect_args(config, url),
    }


def is_replica(connection: Connection) -> bool:
    """Whether its server is a replica, which shows the primary's state of a moment ago."""
    return REPLICA_OPTION in connection.get_execution_options()


def declare_partial_indexes(metadata: MetaData) -> None:
    """Add the conditions of the indexes from `declare.mixins.partial_index`."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_kwargs["postgresql_where"] = text(index.info["where"])


def missing_role_settings(connection: Connection) -> list[tuple[str, str]]:
    """Return the settings that the role needs, for sessions in which they cannot be set."""
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
    """Return the options for the driver; those in the URL take precedence."""
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": APPLICATION,
    }
    if config["DATABASE_PGBOUNCER"]:
        # the next transaction runs on another connection of the server, which has neither
        # the prepared statements of this one nor its settings
        arguments["prepare_threshold"] = None
    else:
        settings = SESSION | (LIMITS if config["LIMIT_DATABASE_TIME"] else {})
        arguments["options"] = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return {name: value for name, value in arguments.items() if name not in url.query}
