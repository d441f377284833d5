"""Lets requests read from a PostgreSQL replica if it is as recent as the primary server.

Each request asks the primary server once for the position of its log. A replica that has replayed up to
there shows every change acknowledged before the request began; otherwise the request reads from the primary
server. So every client sees all earlier writes, its own and those of others.
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
"""The SQLSTATE of a statement that exceeded its time limit, which would happen on any server."""
CONFLICT = "40001"
"""The SQLSTATE of a statement cancelled because it conflicted with replication."""
SAMPLE_SECONDS = 1.0
"""The interval at which a process checks its replica while requests use it."""
UNUSED_SECONDS = 3.0
"""How long the checks continue after the last such request."""
HANGING_SECONDS = 2.0
"""How long a replica may hang before its connections are aborted and its requests use the primary server."""
LATE_SECONDS = 10.0
"""The lag that is reported as a problem."""
ANSWER_SECONDS = 3.0
"""How long a caller waits for a sample."""


_SHOWN = "replayed"
"""The key under which a connection keeps the position its server is known to have replayed."""
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
    """The replica failed while a request read from it; the primary server may still answer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The lag of a replica at one moment; `fault` is why it cannot be used."""

    fault: Fault | None = None
    reason: str = ""
    bytes_behind: int = 0
    seconds_behind: float = 0.0


class ReadReplica:
    """One process's access to the replica of the database behind `primary`."""

    def __init__(self, engine: Engine, primary: Engine):
        self.engine, self.is_sampling, self._primary = engine, False, primary
        self._is_usable, self._asked_at = False, 0.0
        self._lock = threading.Lock()
        self._in_use: set[ConnectionPoolEntry] = set()
        event.listen(engine, "checkout", lambda _, record, __: self._in_use.add(record))
        event.listen(engine, "checkin", lambda _, record: self._in_use.discard(record))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for reading: to the replica if the request may use it, otherwise to the primary server.

        Raises ReplicaLost if the replica fails later, Unavailable if the primary server does.
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
        """Whether this request only reads and has not yet read from the primary server.

        Once it has, it keeps doing so, because it must not see an older state later.
        """
        if not has_request_context() or request.method not in READS:
            return False
        self._keep_sampling()
        return not reads_from_primary(request.environ)

    def _connect(self) -> Connection | None:
        """A connection to the replica if it has replayed everything that the request must see, else None."""
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
        """Sample the current state of the replica."""
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
        """Start a thread that checks the replica periodically while requests use it."""
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
        """Whether requests are waiting for the replica or have used it recently."""
        with self._lock:
            is_wanted = time.monotonic() - self._asked_at < UNUSED_SECONDS
            self.is_sampling = is_wanted or bool(self._in_use)
            return self.is_sampling

    def _abort_connections(self) -> None:
        """Make all requests that wait for the replica fail, because its server hangs."""
        self._is_usable = False
        for record in tuple(self._in_use):
            raw: Any = record.dbapi_connection
            with suppress(OSError, self.engine.dialect.loaded_dbapi.Error):
                if raw is not None:
                    _shut_down(raw.fileno())


def init_app(app: Flask) -> None:
    """Let requests of `app` read from its replica, if it has one."""
    if not app.config["DATABASE_REPLICA_URL"]:
        return
    url = make_url(database_uri(app.config["DATABASE_REPLICA_URL"], app.config["QUIRE_INSTANCE"]))
    options = engine_options(app.config, url)
    engine = create_engine(url, execution_options={REPLICA_OPTION: True}, **options)
    prepare(engine, app.config)
    with app.app_context():
        app.extensions[REPLICA] = ReadReplica(engine, db.engine)


def sample_replica() -> Sample | None:
    """The current state of this application's replica, within ANSWER_SECONDS; None if it has none."""
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
    """Return `call()`, a part of a request; repeat it on the primary server if the replica is lost."""
    try:
        return call()
    except ReplicaLost:
        read_from_primary()
        return call()


def _has_replayed(connection: Connection, needed: int) -> bool:
    """Whether the server has replayed the log up to `needed`; asks it only if that is not known yet."""
    known: int = connection.info.get(_SHOWN, 0)
    if known < needed:
        known = connection.info[_SHOWN] = connection.execute(select(LOG_POSITION)).scalar_one()
    return known >= needed


def _state_of(connection: Connection) -> Any:
    return connection.execute(_state).one()


def _compare(primary: Any, replica: Any) -> Sample:
    """Compare the states of both servers; that of the primary server was read first."""
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
