"""Checks whether this server can do its work: database, schema, disk and jobs, and says how to fix problems.

None of this is secret, since anyone may ask. It takes a few seconds at most.
"""

from concurrent.futures import CancelledError

from flask import current_app
from sqlalchemy import text

from quire.checks.check import OK, Check, error, warning
from quire.checks.database import READ_ONLY, check_replica
from quire.checks.files import check_disk
from quire.checks.jobs import check_jobs
from quire.config.validation import StartupError
from quire.errors import Problem
from quire.monitoring.bounded_calls import bounded_result
from quire.store.connections.own_files import require_own_files
from quire.store.connections.read_only import is_read_only
from quire.store.db import read_connection
from quire.store.migrations import database_revision, require_current
from quire.web.threads import blocking

SECONDS = 3.0
"""The time limit for all queries of the database."""
LOOK_AT_DATABASE = "Check that the database runs, that nothing keeps it locked, and DATABASE_URL."
NOT_ASKED = error("Not known: the database cannot be asked.", LOOK_AT_DATABASE)


def check_readiness() -> dict[str, Check]:
    """Return all checks by name, within seconds even if the database hangs."""
    checks = {**_ask_database(), "disk": check_disk()}
    if current_app.config["DATABASE_REPLICA_URL"]:
        checks["replica"] = check_replica()
    return checks


def _ask_database() -> dict[str, Check]:
    try:
        with blocking():
            checks: dict[str, Check] = bounded_result("readiness", _check_database, SECONDS)
    except TimeoutError:
        return _without_database(f"The database did not answer within {SECONDS:g} seconds.")
    except CancelledError:
        return _without_database("The database could not be asked; the log says why.")
    return checks


def _check_database() -> dict[str, Check]:
    try:
        with read_connection() as connection:
            connection.execute(text("SELECT 1"))
            require_own_files(connection.engine)
            # readers are still served; a load balancer would remove every server
            database = OK if not is_read_only(connection) else warning(*READ_ONLY)
        schema = check_schema()
        # other tables may not include jobs
        jobs = check_jobs() if schema.status == "ok" else NOT_ASKED
    except Problem as problem:
        return _without_database(problem.message)
    return {"database": database, "schema": schema, "jobs": jobs}


def _without_database(reason: str) -> dict[str, Check]:
    return {"database": error(reason, LOOK_AT_DATABASE), "schema": NOT_ASKED, "jobs": NOT_ASKED}


def check_schema() -> Check:
    """Check whether the tables are those that this code needs."""
    try:
        revision = database_revision()
    except StartupError:  # its text names the server and the account
        return NOT_ASKED
    try:
        require_current(revision)
    except StartupError as mismatch:
        return error(str(mismatch), "Run manage.py check on the server.")
    return OK
