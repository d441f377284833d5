"""A commit to files that are not those of the database any more is refused, and no new one is made."""

import gc

import pytest
from sqlalchemy import create_engine, event, text

from quire.errors import Unavailable
from quire.store.engine import prepare_sqlite


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.db"


@pytest.fixture
def engine(path):
    engine = create_engine(f"sqlite:///{path.as_posix()}")
    prepare_sqlite(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    yield engine
    engine.dispose()


def add(engine):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO numbers VALUES (1)"))


def count(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM numbers")).scalar()


def test_refused_commit_is_rolled_back(engine, path):
    add(engine)
    path.rename(path.with_suffix(".old"))
    with pytest.raises(Unavailable):
        add(engine)
    assert count(engine) == 1
    path.with_suffix(".old").rename(path)
    add(engine)
    assert count(engine) == 2


def test_no_new_database_is_created_in_its_place(engine, path):
    with engine.connect():
        path.rename(path.with_suffix(".old"))
        with pytest.raises(Unavailable), engine.connect():
            pass
    assert not path.exists()


def test_after_the_last_connection_the_file_may_be_replaced(engine, path):
    add(engine)
    engine.dispose()
    path.rename(path.with_suffix(".old"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    add(engine)
    assert count(engine) == 1


def test_after_the_last_connection_the_log_may_be_replaced(engine, path):
    for _ in range(3):
        add(engine)
        engine.dispose()
    assert count(engine) == 3


def test_failed_connection_is_not_counted(engine, path):
    add(engine)
    engine.dispose()

    def fail(*_):
        raise ValueError("not prepared")

    event.listen(engine, "connect", fail)
    with pytest.raises(ValueError, match="not prepared") as error:
        add(engine)
    event.remove(engine, "connect", fail)
    del error
    gc.collect()
    for number in range(2):
        path.rename(path.with_suffix(f".{number}"))
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
        add(engine)
        engine.dispose()
