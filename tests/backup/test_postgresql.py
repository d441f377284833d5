"""Backups of PostgreSQL with pg_dump, and their restore."""

import json
import os
import subprocess

import psycopg
import pytest
from sqlalchemy import make_url

from quire.actor import SYSTEM
from quire.backup import postgresql
from quire.records import MEDIA, SESSIONS, TAGS
from quire.store.events.feed_position import current_position
from quire.store.instance_locks import backing_up, is_backup_running
from quire.store.write import create
from tests.backup.conftest import ClosingConsole, column, content_of, fill, opened
from tests.backup.test_refused_archives import members, written
from tests.cli.conftest import settle
from tests.databases import POSTGRESQL


@pytest.fixture
def address(monkeypatch, tmp_path):
    """The address of a PostgreSQL database with an installation in it."""
    server = make_url(os.environ[POSTGRESQL])
    name = f"{server.database}_backup"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {name}")
    settle(monkeypatch, tmp_path / "instance")
    url = server.set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    with opened():
        fill()
    yield url
    with psycopg.connect(os.environ[POSTGRESQL], autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def console(capsys, monkeypatch, tmp_path, address):
    """A console on that installation."""
    return ClosingConsole(capsys, monkeypatch, tmp_path / "instance")


def schemas(address):
    """Return the schemas of replaced content that restores have left."""
    with psycopg.connect(address) as session:
        names = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replaced%'"
        return [name for (name,) in session.execute(names)]


def test_restore_brings_back_the_content_and_keeps_the_replaced_schema(console, address, tmp_path):
    archive = tmp_path / "backup.zip"
    assert console("backup", archive)[0] == 0
    assert console("backup", "--verify", archive)[0] == 0
    with opened():
        before = current_position()
        create(TAGS, SYSTEM, {"name": "after"})
    status, output, errors = console("restore", archive, "--yes")
    assert (status, errors) == (0, "")
    (schema,) = schemas(address)
    assert f"What was there before is in schema {schema} of the database\n" in output
    with opened():
        assert column(TAGS.table, "name") == ["before"]
        assert column(SESSIONS.table, "id") == []
        assert current_position().epoch != before.epoch
        assert content_of(column(MEDIA.table, "url")[0]).startswith(b"%PDF")
        create(TAGS, SYSTEM, {"name": "after the restore"})
    with psycopg.connect(address) as session:
        found = session.execute(f"SELECT name FROM {schema}.tags ORDER BY id").fetchall()
    assert found == [("before",), ("after",)]
    assert console("db", "check")[0] == 0
    assert console("backup", archive)[0] == 0  # the schema of before is not in it
    assert console("backup", "--verify", archive)[0] == 0


def test_failed_restore_changes_nothing(console, address, tmp_path):
    archive = tmp_path / "backup.zip"
    assert console("backup", archive)[0] == 0
    good = members(archive)
    rows = json.loads(good["manifest.json"])["tables"] | {"tags": 7}
    dump = good["database.pgdump"]
    for content, facts in (
        (good, {"tables": rows}),
        (good | {"database.pgdump": dump[: len(dump) // 2]}, {}),
        (good, {"engine": "sqlite"}),
    ):
        written(archive, content, facts)
        for command in (["restore", archive, "--yes"], ["backup", "--verify", archive]):
            status, output, errors = console(*command)
            assert (status, output, errors.count("\n")) == (1, "", 1), errors
    assert schemas(address) == []
    with opened():
        assert column(TAGS.table, "name") == ["before"]
        assert len(column(SESSIONS.table, "id")) == 1


def test_restore_is_refused_while_another_machine_is_connected(console, address, tmp_path):
    archive = tmp_path / "backup.zip"
    assert console("backup", archive)[0] == 0
    with psycopg.connect(address, application_name="quire"):
        status, _, errors = console("restore", archive, "--yes")
    assert status == 1 and "Quire has 1 other connections to the database." in errors


def test_only_one_backup_runs_on_all_machines(console, address):
    with opened():
        assert not is_backup_running()
        with backing_up():
            assert is_backup_running()
            status, _, errors = console("backup")
        assert (status, errors) == (
            1,
            "Error: Another backup is running. Try again when it is done.\n",
        )
        assert not is_backup_running()


def test_missing_or_old_pg_dump_is_a_one_line_error(console, monkeypatch):
    monkeypatch.setattr(postgresql, "_major", lambda text: 13 if "pg_dump" in text else 15)
    assert console("backup")[2] == (
        "Error: pg_dump is version 13, and the server is version 15. Install the client programs of "
        "PostgreSQL 15 or later.\n"
    )
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert console("backup")[2] == (
        "Error: pg_dump is not installed or not in PATH. Install the client programs of PostgreSQL.\n"
    )


def test_password_is_not_passed_as_an_argument(console, address, monkeypatch):
    seen = []
    run = subprocess.run

    def noted(command, **options):
        seen.append((command, options["env"]))
        return run(command, **options)

    url = make_url(address).set(password="a password")
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    monkeypatch.setattr(subprocess, "run", noted)
    assert console("backup")[0] == 0
    assert seen and not [one for command, _ in seen for one in command if "a password" in one]
    assert all(environment["PGPASSWORD"] == "a password" for _, environment in seen)
