"""What PostgreSQL is told beyond SQLite: its pool, limits of time, and of which rows its indexes are."""

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
"""The bytes of the log up to what the server shows now: what is committed is below that."""


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


def is_replica(connection: Connection) -> bool:
    """Whether its server is a replica, which shows what the primary server has shown a moment ago."""
    return REPLICA_OPTION in connection.get_execution_options()


def declare_partial_indexes(metadata: MetaData) -> None:
    """Say of which rows the indexes of `declare.mixins.partial_index` are."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_kwargs["postgresql_where"] = text(index.info["where"])


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
