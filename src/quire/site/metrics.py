"""The metrics of this installation in Prometheus' text format, for clients that may see them.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import hmac
import re
from collections.abc import Iterator
from concurrent.futures import CancelledError
from importlib import import_module
from ipaddress import ip_address
from typing import Any

from flask import Response, current_app, request

from quire.auth.rate_limits import count_attempt
from quire.backup.folder import seconds_since_backup
from quire.config.validation import LOOPBACK
from quire.config.version import VERSION
from quire.declare.clock import now
from quire.errors import PermissionDenied, Problem, Unauthenticated
from quire.jobs.worker import job_threads
from quire.monitoring import counters
from quire.monitoring.bounded_calls import bounded_result
from quire.monitoring.counters import BUCKETS, Numbers
from quire.monitoring.setup import shared_counters
from quire.monitoring.shared_counters import ProcessState
from quire.store.engine import database_bytes
from quire.store.events.queue_admin import jobs_by_state, oldest_due
from quire.store.replica import sample_replica
from quire.web.hosts import HOST_SENT
from quire.web.threads import blocking

SECONDS = 3.0
"""Seconds that the database may take; its metrics are left out if it takes longer."""
PREFIX = "quire_"
COUNTERS = {
    counters.REQUESTS: ("Requests by route, method and status.", ("route", "method", "status")),
    counters.STATEMENTS: ("SQL statements sent to the database.", ()),
    counters.STATEMENT_SECONDS: ("Seconds that requests have spent in the database.", ()),
    counters.CACHE_LOOKUPS: ("Lookups in the cache of what was read, by result.", ("result",)),
    counters.RESPONSE_LOOKUPS: (
        "Lookups in the cache of finished responses, by result.",
        ("result",),
    ),
    counters.READS: (
        "Times that a request that reads chose a database server, by which it was.",
        ("server",),
    ),
    counters.JOBS_RUN: ("Attempts at jobs by event and result.", ("event", "result")),
    counters.DELIVERIES: ("Attempts at deliveries of webhooks by result.", ("result",)),
    counters.SIGN_IN_FAILURES: ("Failed sign-ins by what was wrong.", ("proof",)),
}
LATENCY_HELP = "Seconds from a request to the beginning of its response."
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
"""Headers that show that the address of the connection is a proxy's, not the client's."""
Gauge = tuple[str, str, dict[tuple[str, ...], float], tuple[str, ...]]
"""The name, the help text, values by labels, and names of labels."""


def metrics() -> Response:
    """All metrics, summed over all processes; 401 or 403 for clients that may not see them."""
    _require_access()
    exposition = import_module(
        "prometheus_client.exposition"
    )  # takes 70 ms and 3 MB, so it is imported on demand
    body = exposition.generate_latest(Collector())
    content_type = exposition.CONTENT_TYPE_PLAIN_0_0_4
    return Response(body, headers={"Cache-Control": "no-store", "Content-Type": content_type})


def _require_access() -> None:
    """Raise Unauthenticated or PermissionDenied unless the client has the token or, if none is set, is local."""
    token: str = current_app.config["METRICS_TOKEN"]
    if not token:
        if not _is_local():
            raise PermissionDenied(
                "Metrics are shown to this machine only. Set METRICS_TOKEN to read them from others."
            )
        return
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _challenge_error("Send METRICS_TOKEN as Authorization: Bearer.", "Bearer")
    with count_attempt("token") as attempt:
        attempt.right = hmac.compare_digest(sent.strip().encode(), token.encode())
    if not attempt.right:
        raise _challenge_error("The token is wrong.", 'Bearer error="invalid_token"')


def _challenge_error(message: str, challenge: str) -> Unauthenticated:
    return Unauthenticated(message, headers={"WWW-Authenticate": challenge})


def _is_local() -> bool:
    """Whether a program on this machine asks, rather than a proxy or a page under a name that resolves to it."""
    environ = request.environ
    if any(name in environ for name in FORWARDED):
        return False
    host = environ.get(HOST_SENT)
    name = "localhost" if host is None else re.sub(r":\d+$", "", host).strip("[]").lower()
    try:
        is_loopback = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return is_loopback and name in LOOPBACK


class Collector:
    """A collector for Prometheus' library."""

    def collect(self) -> Iterator[Any]:
        """Yield all families of metrics."""
        shared = shared_counters().read(job_threads(current_app))
        yield from _counter_families(shared.numbers)
        yield _latency_family(shared.numbers)
        own = (_replica_gauges(), [_backup_gauge()])
        for gauges in (_process_gauges(shared.processes), _database_gauges(), *own):
            yield from map(_gauge_family, gauges)


def _counter_families(numbers: Numbers) -> Iterator[Any]:
    for name, (documentation, labels) in COUNTERS.items():
        family = _core().CounterMetricFamily(PREFIX + name, documentation, labels=labels)
        for key, (value,) in ((k, v) for k, v in numbers.items() if k[0] == name):
            family.add_metric(key[1:], value)
        yield family


def _latency_family(numbers: Numbers) -> Any:
    name = PREFIX + counters.LATENCY
    family = _core().HistogramMetricFamily(name, LATENCY_HELP, labels=("route", "method"))
    for key, (*classes, seconds) in numbers.items():
        if key[0] == counters.LATENCY:
            total, buckets = 0.0, []
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), classes, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric(key[1:], buckets, seconds)
    return family


def _gauge_family(gauge: Gauge) -> Any:
    name, documentation, values, labels = gauge
    family = _core().GaugeMetricFamily(PREFIX + name, documentation, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _process_gauges(processes: list[ProcessState]) -> Iterator[Gauge]:
    sums = {
        "process_memory_bytes": ("Resident memory of all processes.", "memory_bytes"),
        "process_cpu_seconds": ("Processor time of all processes that run.", "cpu_seconds"),
        "job_threads": ("Threads that do jobs, in all processes.", "job_threads"),
    }
    for name, (documentation, field) in sums.items():
        yield name, documentation, {(): sum(getattr(one, field) for one in processes)}, ()
    yield "processes", "Processes that run, workers included.", {(): len(processes)}, ()
    started = max(one.started for one in processes)
    yield "last_start_time_seconds", "When the newest process has started.", {(): started}, ()
    dialect = current_app.config["SQLALCHEMY_DATABASE_URI"].partition(":")[0].partition("+")[0]
    yield (
        "info",
        "The version and kind of database.",
        {(VERSION, dialect): 1},
        (
            "version",
            "database",
        ),
    )


def _database_gauges() -> list[Gauge]:
    try:
        with blocking():
            gauges: list[Gauge] = bounded_result("metrics", _read_database, SECONDS)
    except (TimeoutError, CancelledError):
        return [_database_up(0)]
    return [_database_up(1), *gauges] if gauges else [_database_up(0)]


def _database_up(value: int) -> Gauge:
    return "database_up", "Whether the database answers.", {(): value}, ()


def _read_database() -> list[Gauge]:
    try:
        jobs, since, size = jobs_by_state(), oldest_due(), database_bytes()
    except Problem:
        return []
    age = 0.0 if since is None else (now() - since).total_seconds()
    by_state: dict[tuple[str, ...], float] = {(state,): count for state, count in jobs.items()}
    return [
        ("jobs", "Jobs by state.", by_state, ("state",)),
        ("oldest_job_seconds", "How long the oldest job waits that is due.", {(): age}, ()),
        ("database_bytes", "Size of the database.", {(): size}, ()),
    ]


def _replica_gauges() -> Iterator[Gauge]:
    sample = sample_replica()
    if sample is None:
        return
    is_up = sample.fault is None
    yield "replica_up", "Whether the replica of the database can be used.", {(): is_up}, ()
    if is_up:
        seconds, size = sample.seconds_behind, sample.bytes_behind
        yield "replica_lag_seconds", "How old what the replica shows is.", {(): seconds}, ()
        yield "replica_lag_bytes", "What the replica has not replayed yet.", {(): size}, ()


def _backup_gauge() -> Gauge:
    age = seconds_since_backup()
    values: dict[tuple[str, ...], float] = {} if age is None else {(): age}
    return (
        "backup_age_seconds",
        "Age of the newest backup; missing where there is none.",
        values,
        (),
    )


def _core() -> Any:
    return import_module("prometheus_client.core")
