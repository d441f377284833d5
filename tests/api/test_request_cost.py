"""The cost of a request: too much time in the database is refused, and staff see how much it was."""

import re

import pytest
from sqlalchemy import event

from quire.records import TAGS
from quire.store import data_versions
from quire.store.connections import statement_timer
from quire.store.db import db
from tests.users import give_session, signed_in

ENDLESS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n % 7 + 1 FROM numbers) "
    "SELECT count(*) FROM numbers"
)
TIMING = re.compile(r'db;dur=(\d+\.\d);desc="(\d+) statements?", app;dur=(\d+\.\d)')


@pytest.fixture
def slow(make_app, monkeypatch):
    """`slow("tags")`: an application in which statements about that table never end."""
    monkeypatch.setattr(statement_timer, "TICK_SECONDS", 0.05)
    app = make_app(REQUEST_STATEMENT_SECONDS=0.3)
    words = []

    def run(connection, cursor, statement, *rest):
        if any(one in statement for one in words):
            cursor.execute(ENDLESS)
            cursor.fetchall()

    def run_together(cursor, statements):
        run(None, cursor, "; ".join(one.text for one in statements))
        send_together(cursor, statements)

    send_together = data_versions.run_together
    monkeypatch.setattr(data_versions, "run_together", run_together)

    def start(word):
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", run)
        words.append(word)
        return app

    yield start
    words.clear()


def is_too_costly(answer):
    return (answer.status_code, answer.json["code"]) == (503, "too_costly")


def test_slow_list_is_stopped(slow):
    client = slow("FROM tags").test_client()
    answer = client.get("tags")
    assert is_too_costly(answer) and answer.headers["Retry-After"] == "60"
    assert "longer than 0.3 seconds. Narrow the filter" in answer.json["message"]
    assert client.get("categories").status_code == 200


def test_slow_change_is_rolled_back(slow, people):
    app = slow("INSERT INTO revisions")
    mod = signed_in(app, people["mod"])
    answers = [
        mod.post("tags", json={"name": "new"}),
        mod.post("tags", json={"name": "new"}, headers={"Idempotency-Key": "once"}),
        mod.post("tags/bulk", json={"operations": [{"op": "create", "data": {"name": "new"}}]}),
    ]
    assert all(map(is_too_costly, answers))
    assert mod.get("tags").json["total"] == 0


def test_slow_page_suggests_what_to_do(slow, people):
    app = slow("FROM posts")
    client = app.test_client()
    give_session(app, client, people["root"])
    for path in ("/", "/admin/posts/"):
        answer = client.get(path)
        assert answer.status_code == 503 and answer.mimetype == "text/html", path
        assert "Narrow the filter or search" in answer.text


def test_started_response_is_not_stopped(make_app, people):
    app = make_app(REQUEST_STATEMENT_SECONDS=10)
    with app.test_request_context("/api/v1/posts"):
        app.preprocess_request()
        timer = statement_timer.current_timer()
        app.process_response(app.response_class())
        assert timer.limit == float("inf")


@pytest.mark.parametrize(("name", "told"), [("root", True), ("mod", True), ("ann", False), ("bob", False), (None, False)])  # fmt: skip
def test_only_staff_see_server_timing(app, make, people, name, told):
    make(TAGS, name="sea")
    answer = signed_in(app, people[name] if name else None).get("tags")
    assert ("Server-Timing" in answer.headers) is told
    if told:
        found = TIMING.fullmatch(answer.headers["Server-Timing"])
        assert found and float(found[1]) > 0 and int(found[2]) >= 2


def test_staff_see_server_timing_in_the_panel_but_not_on_the_site(app, people):
    client = app.test_client()
    give_session(app, client, people["mod"])
    assert TIMING.fullmatch(client.get("/admin/tags/").headers["Server-Timing"])
    assert "Server-Timing" not in client.get("/").headers


def test_number_of_statements_is_reported(app, people, statements):
    mod = signed_in(app, people["mod"])
    mod.get("tags")
    answer, seen = statements(mod.get, "tags")
    assert int(TIMING.fullmatch(answer.headers["Server-Timing"])[2]) == len(seen)
