"""Commands run as an operator runs them: in production, each on its own instance folder."""

import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import alembic.config  # noqa: F401 - it binds standard output when it is imported: not that of one test
import pytest

from quire.cli import main
from quire.config import docs, settings
from quire.store.db import db


class Console:
    """Runs manage.py in this process: `console("users", "list")` -> (status, output, errors).

    `given` is its standard input: text, or bytes that need not be valid text.
    """

    def __init__(self, capsys, monkeypatch, instance):
        self.capsys, self.monkeypatch, self.instance = capsys, monkeypatch, Path(instance)

    def __call__(self, *arguments, given=""):
        data = given if isinstance(given, bytes) else given.encode()
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    def rows(self, sql):
        """Return the rows of a query on the instance's database."""
        with closing(sqlite3.connect(self.instance / "quire.db")) as connection:
            return connection.execute(sql).fetchall()


def settle(monkeypatch, instance):
    """Make the process look like one started with only an instance folder."""
    for name in [*docs.names(), "FLASK_DEBUG"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", None)
    monkeypatch.setenv("QUIRE_INSTANCE", str(instance))
    monkeypatch.setenv("BCRYPT_LOG_ROUNDS", "4")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """An instance folder with a migrated database and nothing in it."""
    instance = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settle(monkeypatch, instance)
        with main.application().app_context():
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            db.engine.dispose()
    return instance


@pytest.fixture
def instance(tmp_path, migrated, monkeypatch):
    """An instance folder for this test only, named by the settings."""
    folder = tmp_path / "instance"
    shutil.copytree(migrated, folder)
    settle(monkeypatch, folder)
    return folder


@pytest.fixture
def empty_instance(tmp_path, monkeypatch):
    """The path of an instance folder that does not exist yet."""
    settle(monkeypatch, tmp_path / "new")
    return tmp_path / "new"


@pytest.fixture
def console(capsys, monkeypatch, instance):
    """A console on a migrated instance."""
    return Console(capsys, monkeypatch, instance)


@pytest.fixture
def new_console(capsys, monkeypatch, empty_instance):
    """A console on an instance that does not exist yet."""
    return Console(capsys, monkeypatch, empty_instance)
