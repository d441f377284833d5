"""Fixtures for tests of jobs: counted commits, and images processed in this process."""

import pytest
from sqlalchemy import event

from quire.jobs.images import render
from quire.store.db import db


@pytest.fixture
def count_sql():
    """`count_sql(call)`: how many commits and statements the call takes, in an application context."""

    def counted(call):
        commits, statements, engine = [], [], db.engine

        def note_commit(connection):
            commits.append(connection)

        def note_statement(connection, cursor, statement, *rest):
            statements.append(statement)

        event.listen(engine, "commit", note_commit)
        event.listen(engine, "before_cursor_execute", note_statement)
        try:
            call()
        finally:
            event.remove(engine, "commit", note_commit)
            event.remove(engine, "before_cursor_execute", note_statement)
        return len(commits), len(statements)

    return counted


@pytest.fixture
def draw(tmp_path):
    """`draw(content)`: what the program says and the files it makes, by name."""

    def drawn(content):
        (tmp_path / "in").write_bytes(content)
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        made = render.render(tmp_path / "in", folder, "x")
        return made, {path.name: path.read_bytes() for path in folder.iterdir()}

    return drawn
