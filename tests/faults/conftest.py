"""A PostgreSQL database for tests that kill the processes which write to it."""

import secrets

import pytest

from tests.postgresql_servers import PROGRAMS, primary_server


@pytest.fixture(scope="session")
def own_postgresql():
    """A PostgreSQL server that only this run uses."""
    if PROGRAMS is None:
        pytest.skip("PostgreSQL is not installed")
    with primary_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """The URL of an empty database on a server of this run; "" for SQLite in the instance folder."""
    if request.param == "sqlite":
        yield ""
        return
    server, name = request.getfixturevalue("own_postgresql"), f"quire_{secrets.token_hex(4)}"
    server.query(f"CREATE DATABASE {name}")
    try:
        yield f"{server.url.rpartition('/')[0]}/{name}"
    finally:
        server.query(f"DROP DATABASE {name} WITH (FORCE)")
