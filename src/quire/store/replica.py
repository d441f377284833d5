"""Reads of requests on a replica of PostgreSQL, wherever it shows all that the primary server shows.

Each request asks the primary server once how far its log has come. A replica that has replayed as much shows
every change that was acknowledged before the request began, whoever made it; from another one nothing is
read. So whoever has written sees it at once, and so does everybody else.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, has_request_context, request
from sqlalchemy import (
    Connection,
    Double,
    Engine,
    cast,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from quire.config.flask import database_uri
from quire.errors import Unavailable
from quire.monitoring import counters
from quire.monitoring.bounded_calls import bounded_result
from quire.monitoring.outage_log import log_outage
from quire.store.connections.postgresql import LOG_POSITION, REPLICA_OPTION
from quire.store.database_state import request_state
from quire.store.db import REPLICA, db, read_from_primary, reads_from_primary
from quire.store.engine import engine_options, prepare
from quire.store.replica_faults import AWAY, FOREIGN, LATE, PRIMARY_AWAY, Fault
from quire.web.safe_requests import READS
from quire.web.threads import blocking

TOO_LONG = "57014"
"""The SQLSTATE of a statement that was stopped because it took too long, as it would anywhere."""
CONFLICT = "40001"
"""The SQLSTATE of a statement that stood in the way of replication."""
SAMPLE_SECONDS = 1.0
"""How often a process looks at its replica while requests ask for it."""
UNUSED_SECONDS = 3.0
"""For how long after the last such request it goes on."""
HANGING_SECONDS = 2.0
"""After how long a replica that says nothing is cut off: its requests go on with the primary server."""
LATE_SECONDS = 10.0
"""How far behind a replica is worth a word."""
ANSWER_SECONDS = 3.0
"""How long whoever asks for a sample waits for it."""


_SHOWN = "replayed"
"""Where a connection keeps what its server is known to have replayed."""
_age = func.clock_timestamp() - func.pg_last_xact_replay_timestamp()
_server = func.pg_control_system().table_valued("system_identifier").c.system_identifier
_state = select(
    func.pg_is_in_recovery().label("is_replica"),
    select(_server).scalar_subquery().label("server"),
    func.current_database().label("database"),
    cast(func.extract("epoch", _age), Double()).label("age"),
    LOG_POSITION.label("position"),
)

logger = logging.getLogger("quire.database")

Value = TypeVar("Value")


class ReplicaLost(Unavailable):
    """The replica failed while a request read from it; the primary server may answer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How far a replica was behind the primary server at one moment; `fault` is why it cannot be used."""

    fault: Fault | None = None
    reason: str = ""
    bytes_behind: int = 0
    seconds_behind: float = 0.0


class ReadReplica:
    """The replica of the database behind `primary`, as one process uses it."""

    def __init__(self, engine: Engine, primary: Engine):
        self.engine, self.is_sampling, self._primary = engine, False, primary
        self._is_usable, self._asked_at = False, 0.0
        self._lock = threading.Lock()
        self._in_use: set[ConnectionPoolEntry] = set()
        event.listen(engine, "checkout", lambda _, record, __: self._in_use.add(record))
        event.listen(engine, "checkin", lambda _, record: self._in_use.discard(record))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to read on: to the replica where the request may, to the primary server else.

        Raises ReplicaLost where the replica fails later, Unavailable where the primary server does.
        """
        connection = self._connect() if self._may_read() else None
        if connection is None:
            with self._primary.connect() as connection:
                yield connection
            return
        with connection:
            try:
                yield connection
            except OperationalError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state == TOO_LONG:
                    raise
                if state != CONFLICT:
                    self._note_fault(error)
                raise ReplicaLost("The database is not responding. Try again.") from error

    def _may_read(self) -> bool:
        """Whether this is a request that reads, and has not read from the primary server so far.

        Once it has, it does so until its end: it must not see an older state later.
        """
        if not has_request_context() or request.method not in READS:
            return False
        self._keep_sampling()
        return not reads_from_primary(request.environ)

    def _connect(self) -> Connection | None:
        """A connection to the replica, if that has replayed what the request must see."""
        needed = request_state(self._primary, request.environ).position
        connection = self._open(needed) if self._is_usable else None
        counters.count(counters.READS, "primary" if connection is None else "replica")
        if connection is None:
            read_from_primary()
        return connection

    def _open(self, needed: int) -> Connection | None:
        connection = None
        try:
            connection = self.engine.connect()
            if _has_replayed(connection, needed):
                return connection
        except SQLAlchemyError as error:
            self._note_fault(error)
        if connection is not None:
            connection.close()
        return None

    def _note_fault(self, error: SQLAlchemyError) -> None:
        self._is_usable = False
        log_outage(logger, " ".join(AWAY), _first_line(error))

    def sample(self) -> Sample:
        """How it is now."""
        expected = None
        cutting = threading.Timer(HANGING_SECONDS, self._abort_connections)
        cutting.daemon = True
        cutting.start()
        try:
            with self._primary.connect() as primary:
                expected = _state_of(primary)
            with self.engine.connect() as replica:
                return _compare(expected, _state_of(replica))
        except SQLAlchemyError as error:
            return Sample(PRIMARY_AWAY if expected is None else AWAY, _first_line(error))
        finally:
            cutting.cancel()

    def _keep_sampling(self) -> None:
        """Let a thread look at the replica again and again, while requests ask for it."""
        self._asked_at = time.monotonic()
        with self._lock:
            if not self.is_sampling:
                self.is_sampling = True
                threading.Thread(target=self._sample_on, name="replica", daemon=True).start()

    def _sample_on(self) -> None:
        while self._is_needed():
            sample = self.sample()
            self._is_usable = sample.fault is None
            if sample.fault is not None:
                log_outage(logger, " ".join(sample.fault), sample.reason)
            elif sample.seconds_behind > LATE_SECONDS:
                log_outage(logger, " ".join(LATE), f"{sample.seconds_behind:.0f} s")
            time.sleep(SAMPLE_SECONDS)

    def _is_needed(self) -> bool:
        """Whether requests wait for the replica, or have asked for it lately."""
        with self._lock:
            is_wanted = time.monotonic() - self._asked_at < UNUSED_SECONDS
            self.is_sampling = is_wanted or bool(self._in_use)
            return self.is_sampling

    def _abort_connections(self) -> None:
        """Let all who wait for the replica fail: its server is there and says nothing."""
        self._is_usable = False
        for record in tuple(self._in_use):
            raw: Any = record.dbapi_connection
            with suppress(OSError, self.engine.dialect.loaded_dbapi.Error):
                if raw is not None:
                    _shut_down(raw.fileno())


def init_app(app: Flask) -> None:
    """Let requests of `app` read from its replica, where it has one."""
    if not app.config["DATABASE_REPLICA_URL"]:
        return
    url = make_url(database_uri(app.config["DATABASE_REPLICA_URL"], app.config["QUIRE_INSTANCE"]))
    options = engine_options(app.config, url)
    engine = create_engine(url, execution_options={REPLICA_OPTION: True}, **options)
    prepare(engine, app.config)
    with app.app_context():
        app.extensions[REPLICA] = ReadReplica(engine, db.engine)


def sample_replica() -> Sample | None:
    """How the replica of this application is now, within ANSWER_SECONDS; None where it has none."""
    replica: ReadReplica | None = current_app.extensions.get(REPLICA)
    if replica is None:
        return None
    try:
        with blocking():
            sample: Sample = bounded_result("replica", replica.sample, ANSWER_SECONDS)
    except (TimeoutError, CancelledError):
        return Sample(AWAY, f"no answer within {ANSWER_SECONDS:g} s")
    return sample


def read_again(call: Callable[[], Value]) -> Value:
    """What `call()`, a part of a request, returns; once more from the primary server if it loses the replica."""
    try:
        return call()
    except ReplicaLost:
        read_from_primary()
        return call()


def _has_replayed(connection: Connection, needed: int) -> bool:
    """Whether its server shows the log up to `needed`; it is asked unless it is known to."""
    known: int = connection.info.get(_SHOWN, 0)
    if known < needed:
        known = connection.info[_SHOWN] = connection.execute(select(LOG_POSITION)).scalar_one()
    return known >= needed


def _state_of(connection: Connection) -> Any:
    return connection.execute(_state).one()


def _compare(primary: Any, replica: Any) -> Sample:
    """What the states of both say, where that of the primary server was read first."""
    if not replica.is_replica:
        return Sample(FOREIGN, "it takes changes itself")
    if (replica.server, replica.database) != (primary.server, primary.database):
        return Sample(FOREIGN, "it has another database")
    behind = max(primary.position - replica.position, 0)
    return Sample(None, "", behind, max(replica.age or 0.0, 0.0) if behind else 0.0)


def _shut_down(number: int) -> None:
    connection = socket.socket(fileno=number)
    try:
        connection.shutdown(socket.SHUT_RDWR)
    finally:
        connection.detach()


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
