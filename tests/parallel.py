"""Gives each process of pytest-xdist a database and counters of its own, if servers are used."""

import os
from urllib.parse import urlsplit

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

REDIS_DATABASES = 16
"""As many as a Redis server has by itself."""


def separate_services():
    """Point this process at services that no other process of the run uses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    if url := os.environ.get("TEST_DATABASE_URL"):
        os.environ["TEST_DATABASE_URL"] = _own_database(url, worker)
    if url := os.environ.get("TEST_REDIS_URL"):
        os.environ["TEST_REDIS_URL"] = _own_counters(url, int(worker.removeprefix("gw")))


def _own_database(url, worker):
    own = make_url(url).set(database=f"{make_url(url).database}_{worker}")
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        try:
            connection.execute(text(f'CREATE DATABASE "{own.database}"'))
        except ProgrammingError as error:
            if "already exists" not in str(error):
                raise
    engine.dispose()
    return own.render_as_string(hide_password=False)


def _own_counters(url, number):
    # every other number: a parallel run on PostgreSQL uses the ones between
    index = int(urlsplit(url).path.strip("/") or 0)
    return urlsplit(url)._replace(path=f"/{(index - 2 * number) % REDIS_DATABASES}").geturl()


separate_services()
