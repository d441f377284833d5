"""Checks of the database: connection, schema, integrity, location, clock."""

import platform
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, select, text

from quire.checks.check import OK, Check, error, ok, warning
from quire.checks.network_drive import network_drive
from quire.declare.clock import now
from quire.monitoring.setup import shared_counters
from quire.store.audit import AuditEvent
from quire.store.connections.outages import translate_outages
from quire.store.connections.postgresql import missing_role_settings
from quire.store.connections.read_only import is_read_only
from quire.store.db import db, read_connection
from quire.store.migrations import database_revision, require_current
from quire.store.replica import LATE_SECONDS, sample_replica
from quire.store.replica_faults import LATE
from quire.translations.messages import Message

PYTHON, SQLITE, POSTGRESQL = (3, 11), (3, 40), (15,)
"""The oldest versions that Quire is tested with."""
SKEW = timedelta(seconds=5)
"""The allowed difference between the clocks of two machines."""
FUTURE = timedelta(minutes=2)
"""How far in the future the latest change may be."""
READ_ONLY = (
    Message("The database is read-only."),
    Message("Check who owns its file and its folder, and how its disk is mounted."),
)
MANY_PROCESSES = 4
"""The number of processes above which a single writer is a bottleneck."""


def check_database() -> Check:
    """Check whether it can be opened and has the tables that this code needs. Raises StartupError."""
    require_current(database_revision())
    return ok(" ".join(_server()))


def check_versions() -> Check:
    """Check whether Python and the database are new enough."""
    name, version = _server()
    oldest = SQLITE if name == "SQLite" else POSTGRESQL
    present = {"Python": platform.python_version(), name: version}
    for one, required in (("Python", PYTHON), (name, oldest)):
        if _numbers(present[one]) < required:
            minimum = ".".join(map(str, required))
            return error(
                Message("%(name)s %(version)s is too old.", name=one, version=present[one]),
                Message("Install %(name)s %(version)s or later.", name=one, version=minimum),
            )
    return ok(", ".join(f"{one} {version}" for one, version in present.items()))


def _server() -> tuple[str, str]:
    if db.engine.dialect.name == "sqlite":
        return "SQLite", sqlite3.sqlite_version
    with read_connection() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
    return "PostgreSQL", str(version).partition(" ")[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in version.split(".") if one.isdigit())


def check_integrity() -> Check:
    """Check whether a SQLite file is intact and no row refers to a missing one; PostgreSQL checks itself."""
    with read_connection() as connection:
        reason = None if connection.dialect.name != "sqlite" else _damage(connection)
    return (
        OK
        if reason is None
        else error(reason, Message("Restore a backup: manage.py restore FILE."))
    )


def _damage(connection: Connection) -> str | None:
    answer = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if answer != "ok":
        return Message("The file is damaged: %(fault)s.", fault=answer)
    lost = connection.execute(text("PRAGMA foreign_key_check")).first()
    if lost is None:
        return None
    return Message(
        "A row in %(table)s refers to a missing row in %(other)s.", table=lost[0], other=lost[2]
    )


def check_writes() -> Check:
    """Check whether the database accepts writes: a replica, a disk or permissions may prevent them."""
    with translate_outages(), db.engine.connect() as connection:
        return error(*READ_ONLY) if is_read_only(connection) else OK


def check_role() -> Check:
    """Check whether the role behind PgBouncer has the limits that sessions cannot set there."""
    if not current_app.config["DATABASE_PGBOUNCER"]:
        return OK
    with read_connection() as connection:
        missing = missing_role_settings(connection)
    if not missing:
        return OK
    words = "; ".join(f"ALTER ROLE CURRENT_USER SET {name} = '{one}'" for name, one in missing)
    reason = Message("Behind PgBouncer, the role of the database needs settings of its own.")
    return error(reason, Message("Run in psql: %(command)s.", command=words))


def check_replica() -> Check:
    """Check whether the replica can be used, and how far it lags; otherwise the primary server answers."""
    sample = sample_replica()
    if sample is None:
        return ok(Message("not used"))
    if sample.fault is not None:
        return warning(*sample.fault)
    delay = Message("%(seconds)s s behind", seconds=f"{sample.seconds_behind:.1f}")
    if sample.seconds_behind > LATE_SECONDS:
        return warning(
            Message("%(reason)s It is %(delay)s.", reason=LATE.reason, delay=delay), LATE.action
        )
    return ok(delay)


def check_place() -> Check:
    """Check whether SQLite is on a disk of this machine, and has no more writers than it can handle well."""
    if db.engine.dialect.name != "sqlite":
        return OK
    drive = network_drive(Path(str(db.engine.url.database)))
    if drive is not None:
        reason = Message(
            "The SQLite file is on a network drive (%(drive)s), where locks fail and files break.",
            drive=drive,
        )
        return error(
            reason, Message("Set QUIRE_INSTANCE to a local disk, or DATABASE_URL to PostgreSQL.")
        )
    processes = len(shared_counters().read(0).processes) - 1  # one of them is this command
    if processes <= MANY_PROCESSES:
        return OK
    reason = Message(
        "%(number)s processes share one SQLite file, to which only one can write at a time.",
        number=processes,
    )
    return warning(reason, Message("Run fewer, or move to PostgreSQL: see docs/scaling.md."))


def check_clock() -> Check:
    """Check whether this clock agrees with the database's clock and with past events."""
    skew = _skew()
    if abs(skew) > SKEW:
        reason = Message(
            "This clock differs from the database’s by %(seconds)s seconds.",
            seconds=f"{abs(skew).total_seconds():.0f}",
        )
        return error(reason, Message("Synchronize both clocks with NTP."))
    last = select(AuditEvent.created_at).order_by(AuditEvent.id.desc()).limit(1)
    with read_connection() as connection:
        newest: datetime | None = connection.execute(last).scalar()
    if newest is None or newest - now() < FUTURE:
        return OK
    reason = Message(
        "The newest change was made at %(newest)s UTC, but this clock says %(now)s.",
        newest=f"{newest:%Y-%m-%d %H:%M}",
        now=f"{now():%Y-%m-%d %H:%M}",
    )
    return error(reason, Message("Synchronize the clock of this machine with NTP."))


def _skew() -> timedelta:
    if db.engine.dialect.name == "sqlite":
        return timedelta(0)
    with read_connection() as connection:
        began, before = time.monotonic(), now()
        there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return there - before - timedelta(seconds=(time.monotonic() - began) / 2)
