"""Whether this server can do its work: database, schema, disk and jobs, each with what to do about it.

Nothing said here is secret: anybody may ask. All of it takes a few seconds at most.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from flask import current_app
from sqlalchemy import text

from quire.config.validation import StartupError
from quire.declare.clock import now
from quire.errors import Problem
from quire.jobs.worker import job_threads
from quire.monitoring.setup import bounded_calls, shared_counters
from quire.store.db import db, read_connection
from quire.store.migrations import database_revision, require_current
from quire.store.queue_admin import is_claimed, oldest_due
from quire.web.threads import blocking

SECONDS = 3.0
"""How long the database may take to answer all questions."""
JOBS_WAIT = timedelta(minutes=5)
"""How long a job may wait if a worker is running."""
FULL_BYTES, LOW_BYTES = 64 * 2**20, 2**30
"""Free bytes of a disk below which writes are about to fail, and below which to warn."""
LOOK_AT_DATABASE = "Check that the database runs, that nothing keeps it locked, and DATABASE_URL."
START_WORKER = "Start serve.py or manage.py worker."
MORE_WORKERS = "If this lasts, run manage.py worker --concurrency 4 beside the server."
FREE_SPACE = "Delete what is not needed, or enlarge the disk."


@dataclass(frozen=True)
class Check:
    """How something is; where it is not ok, why, and what to do."""

    status: Literal["ok", "warning", "error"] = "ok"
    reason: str | None = None
    action: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Without what there is nothing to say about."""
        return {name: value for name, value in asdict(self).items() if value is not None}


OK = Check()
NOT_ASKED = Check("error", "Not known: the database cannot be asked.", LOOK_AT_DATABASE)


def check_readiness() -> dict[str, Check]:
    """All checks by their names, within some seconds even when the database hangs."""
    return {**_ask_database(), "disk": check_disk()}


def _ask_database() -> dict[str, Check]:
    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001

    def ask() -> dict[str, Check]:
        with app.app_context():
            return _check_database()

    try:
        with blocking():
            checks: dict[str, Check] = bounded_calls().result("readiness", ask, SECONDS)
    except TimeoutError:
        return _without_database(f"The database did not answer within {SECONDS:g} seconds.")
    except CancelledError:
        return _without_database("The database could not be asked; the log says why.")
    return checks


def _check_database() -> dict[str, Check]:
    try:
        with read_connection() as connection:
            connection.execute(text("SELECT 1"))
        schema = check_schema()
        # other tables may have no jobs
        jobs = check_jobs() if schema.status == "ok" else NOT_ASKED
    except Problem as problem:
        return _without_database(problem.message)
    return {"database": OK, "schema": schema, "jobs": jobs}


def _without_database(reason: str) -> dict[str, Check]:
    broken = Check("error", reason, LOOK_AT_DATABASE)
    return {"database": broken, "schema": NOT_ASKED, "jobs": NOT_ASKED}


def check_schema() -> Check:
    """Whether the tables are those that this code needs."""
    try:
        revision = database_revision()
    except StartupError:  # its text names the server and the account
        return NOT_ASKED
    try:
        require_current(revision)
    except StartupError as mismatch:
        return Check("error", str(mismatch), "Run manage.py check on the server.")
    return OK


def check_jobs() -> Check:
    """Whether jobs are done: one may wait for long where a worker is busy with others."""
    since = oldest_due()
    if since is None or now() - since < JOBS_WAIT:
        return OK
    minutes = int((now() - since).total_seconds() // 60)
    reason = f"The oldest job has been waiting for {minutes} minutes"
    if is_worker_alive():
        return Check("warning", f"{reason}, though workers are running.", MORE_WORKERS)
    return Check("error", f"{reason}, and no worker is running.", START_WORKER)


def is_worker_alive() -> bool:
    """Whether any process of this installation does jobs, as far as can be seen from here."""
    own = job_threads(current_app)
    running = shared_counters().read(own).processes
    return any(one.job_threads for one in running) or is_claimed()


def check_disk() -> Check:
    """Whether there is room where the instance folder and the database are."""
    free = min(shutil.disk_usage(folder).free for folder in _folders())
    if free >= LOW_BYTES:
        return OK
    reason = f"Only {free // 2**20} MB are free on the disk of the instance folder or the database."
    return Check("error" if free < FULL_BYTES else "warning", reason, FREE_SPACE)


def _folders() -> Iterator[Path]:
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    yield instance if instance.is_dir() else Path.cwd()
    database = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and database not in (None, "", ":memory:"):
        yield Path(str(database)).parent
