"""The migration to search terms and its downgrade, on both databases."""

import runpy

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.records import COMMENTS, POSTS
from quire.store import read
from quire.store.db import db
from quire.store.migrations import SCRIPTS

TEXT = "TCP/IP, 天気予報 and Café"
BEFORE = {
    "sqlite": "SELECT count(*) FROM search_index WHERE search_index MATCH :word",
    "postgresql": "SELECT count(*) FROM search_documents WHERE words @@ to_tsquery('simple', :word)",
}


@pytest.fixture
def script():
    (path,) = (SCRIPTS / "versions").glob("*_search_terms.py")
    return runpy.run_path(str(path))


def test_documents_are_found_after_downgrade_and_upgrade(app, make, people, script):
    post = make(POSTS, title="one", body=TEXT, author=people["ann"].id)
    for _ in range(2):
        make(COMMENTS, post=post, body=TEXT)
    with app.app_context():
        with (
            db.engine.begin() as connection,
            Operations.context(MigrationContext.configure(connection)),
        ):
            script["downgrade"].__globals__["BATCH"] = 2
            script["downgrade"]()
            rows = connection.execute(text("SELECT title, body FROM search_documents")).all()
            assert any(row == ("one", "tcp ip 天気 気予 予報 報 and cafe") for row in rows)
            found = connection.execute(text(BEFORE[db.engine.dialect.name]), {"word": "cafe"})
            assert found.scalar() == 3
            connection.execute(
                text("UPDATE search_documents SET body = :text WHERE type = 'posts'"),
                {"text": TEXT},
            )
            script["upgrade"]()
        for word in ("tcp/ip", "天気", "予報", "cafe"):
            assert read.list_records(POSTS, SYSTEM, Query(search=word)).total == 1
        assert read.list_records(COMMENTS, SYSTEM, Query(search="cafe")).total == 2
