"""The application in third-party tests and scripts, which keep one context open over many requests."""

import subprocess
import sys

import pytest
from flask import g

from quire.app import create_app
from quire.auth.current_actor import current_actor
from quire.store.db import db
from tests.users import PASSWORD, enrol, token_of


@pytest.fixture(scope="module")
def held_app():
    """As in docs/adding-a-record-type.md: a database in memory, and a context that stays open."""
    app = create_app("testing")
    with app.app_context():
        db.create_all()
        yield app


@pytest.fixture(scope="module")
def held_people(held_app):
    return enrol(held_app, ["root", "ann", "bob"])


def token(app, account):
    return {"Authorization": f"Bearer {token_of(app, account)}"}


def test_each_request_is_authenticated_again(held_app, held_people):
    client = held_app.test_client()
    names = [client.get("/api/v1/users/me", headers=token(held_app, held_people[name])).json["username"]
             for name in ("root", "bob", "ann")]  # fmt: skip
    assert names == ["root", "bob", "ann"]
    assert client.get("/api/v1/users/me").status_code == 401
    assert client.get("/api/v1/users/me", headers={"X-API-Key": "qk_none"}).status_code == 401


def test_browsers_do_not_share_a_session(held_app, held_people):
    browsers = {name: held_app.test_client() for name in ("root", "bob")}
    for name, browser in browsers.items():
        form = {"email": f"{name}@example.org", "password": PASSWORD}
        assert browser.post("/auth/login", data=form).status_code == 302
    stranger = held_app.test_client()
    assert stranger.get("/dashboard").status_code == 302
    assert [browsers[name].get("/admin/").status_code for name in ("root", "bob")] == [200, 403]
    assert browsers["bob"].post("/auth/logout").status_code == 302
    assert [b.get("/dashboard").status_code for b in browsers.values()] == [200, 302]


def test_request_ids_and_nonces_differ_between_requests(held_app):
    client = held_app.test_client()
    answers = [client.get("/auth/login") for _ in range(3)]
    for name in ("X-Request-Id", "Content-Security-Policy"):
        assert len({answer.headers[name] for answer in answers}) == 3, name
    assert "request_id" not in g and "_login_user" not in g


def test_manual_request_contexts_are_independent(held_app, held_people):
    found = []
    for name in ("root", "bob"):
        headers = token(held_app, held_people[name])
        with held_app.test_request_context("/api/v1/posts", headers=headers):
            found.append(current_actor().username)
    assert found == ["root", "bob"]


def test_client_as_context_manager_keeps_the_request_globals(held_app):
    with held_app.test_client() as client:
        answer = client.get("/api/v1/posts")
        assert g.request_id == answer.headers["X-Request-Id"]
    assert "request_id" not in g


NOT_AT_THE_START = {
    "alembic",
    "celery",
    "cryptography",
    "httpcore",
    "jwt",
    "kombu",
    "obstore",
    "openpyxl",
    "psycopg",
    "quire.api.openapi.document",
    "quire.exchange.archive.export",
    "quire.exchange.load_posts",
    "quire.exchange.sample_data",
    "segno",
    "sqlalchemy.dialects.postgresql",
    "webauthn",
}
START_AND_READ = """
import sys
from quire.app import create_app
from quire.serving import main
from quire.store.db import Model, db
app = create_app("testing")
with app.app_context():
    db.create_all()
for path in ("/api/v1/posts", "/api/v1/comments", "/"):
    assert app.test_client().get(path).status_code == 200
sent = {"Authorization": "Bearer a.b.c"}
assert app.test_client().get("/api/v1/users/me", headers=sent).status_code == 401
print(*sys.modules)
print(*(mapper.class_.__name__ for mapper in Model.registry.mappers if mapper.configured))
"""


@pytest.fixture(scope="module")
def start_and_read():
    """The names of the modules that a start and some lists load, and of the models that they map."""
    done = subprocess.run([sys.executable, "-c", START_AND_READ], capture_output=True, check=True)
    return [set(line.split()) for line in done.stdout.decode().split("\n")[:2]]


def test_start_loads_no_rarely_needed_libraries(start_and_read):
    loaded = start_and_read[0]
    assert "quire.admin.record_view" in loaded
    assert loaded & NOT_AT_THE_START == set()


def test_lists_read_tables_without_mapping_them_to_objects(start_and_read):
    # 2 MB, and a tenth of the first answer's time: one attribute of a model in a statement brings them
    assert start_and_read[1] == set()
