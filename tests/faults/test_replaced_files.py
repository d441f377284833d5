"""SQLite files that are renamed, replaced or deleted under a running server: it acknowledges nothing more."""

import shutil
import sqlite3
import sys
from contextlib import closing

import pytest

from tests.faults.kill import PASSWORD, Server, environment_of

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        sys.platform == "win32", reason="files that are open cannot be renamed there"
    ),
]
ANN = {"email": "ann@example.org", "password": PASSWORD}


def rename(folder):
    (folder / "quire.db").rename(folder / "other.db")


def replace(folder):
    shutil.copy(folder / "quire.db", folder / "copy.db")
    (folder / "copy.db").replace(folder / "quire.db")


def delete(folder):
    (folder / "quire.db").unlink()


def delete_log(folder):
    (folder / "quire.db-wal").unlink()


def replace_log(folder):
    (folder / "quire.db-wal").rename(folder / "other-wal")
    (folder / "quire.db-wal").touch()


@pytest.fixture
def server(tmp_path):
    server = Server(environment_of(tmp_path))
    yield server
    server.kill()


@pytest.fixture
def ask(server):
    """`ask(method, path, body)`: status and JSON for the author."""
    with closing(server.connect()) as connection:
        token = server.ask(connection, "POST", "/auth/token", ANN)[1]["access_token"]
        yield lambda *request: server.ask(connection, *request, token)


def write(ask):
    return ask("POST", "/posts", {"title": "A post", "body": "b"})[0]


def readiness(server):
    with closing(server.connect()) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status


@pytest.mark.parametrize("change", [rename, replace, delete, delete_log, replace_log])
def test_nothing_is_acknowledged_after_a_replacement(server, ask, tmp_path, change):
    assert write(ask) == 201
    change(tmp_path)
    assert [write(ask) for _ in range(3)] == [503] * 3
    assert ask("GET", "/posts?status=draft", None)[1]["total"] == 1
    assert readiness(server) == 503
    server.process.terminate()
    words = server.process.stdout.read()
    assert words.count("was renamed, replaced or deleted") == 1


def test_writing_continues_when_the_file_is_restored(server, ask, tmp_path):
    assert write(ask) == 201
    rename(tmp_path)
    assert write(ask) == 503
    assert not (tmp_path / "quire.db").exists()
    (tmp_path / "other.db").rename(tmp_path / "quire.db")
    assert write(ask) == 201
    assert readiness(server) == 200
    with closing(sqlite3.connect(tmp_path / "quire.db")) as database:
        assert database.execute("SELECT count(*) FROM posts").fetchone() == (2,)
