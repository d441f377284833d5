"""Maintenance mode: closed immediately to everyone but administrators, both people and programs."""

import threading
import time

import pytest

from quire.actor import SYSTEM
from quire.records import API_KEYS, POSTS, SETTINGS
from quire.store.maintenance_mode import (
    begin_maintenance,
    current_maintenance,
    end_maintenance,
)
from quire.store.write import create, update
from tests.users import PASSWORD, give_session

MESSAGE = "Back at <noon> & later."
CLOSED = (
    "/", "/posts/live", "/nowhere", "/feed.atom", "/sitemap.xml", "/search?q=x", "/dashboard", "/admin/",
    "/uploads/x.png", "/auth/register", "/auth/reset", "/api/v1/posts", "/api/v1/nowhere", "/api/v1/changes",
    "/api/v1/openapi.json", "/api/v1/posts/export", "/api/compat/json-server/posts", "/ghost/api/content/posts/",
)  # fmt: skip
OPEN = (
    "/healthz",
    "/theme.css",
    "/auth/login",
    "/static/site.css",
    "/admin/static/layout.css",
    "/admin/static/bundles/panel.css",
)


@pytest.fixture
def closed(app):
    """The application during maintenance."""
    with app.app_context():
        begin_maintenance(SYSTEM, MESSAGE)
    return app


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("name", [None, "bob", "mod"])
def test_everyone_but_administrators_is_refused(closed, client, people, path, name):
    if name:
        give_session(closed, client, people[name])
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", OPEN)
def test_exempt_urls_stay_open(closed, client, path):
    assert client.get(path).status_code == 200


def test_people_get_a_page(closed, client):
    with closed.app_context():
        update(SETTINGS, SYSTEM, 1, {"site_name": "The Tide"})
    page = client.get("/posts/live", headers={"Accept": "text/html"})
    assert "Back at &lt;noon&gt; &amp; later." in page.text and "The Tide" in page.text
    assert 'href="/auth/login"' in page.text and page.mimetype == "text/html"


def test_programs_get_an_error(closed, client, as_):
    for asked in (client, as_("mod")):
        answer = asked.post("/api/v1/posts", json={"title": "A"})
        assert answer.status_code == 503
        assert (answer.json["code"], answer.json["message"]) == ("maintenance", MESSAGE)
        assert answer.json["error"] == "Service unavailable"
    accepted = {"Accept": "application/problem+json"}
    assert client.get("/api/v1/posts", headers=accepted).json["status"] == 503


def test_unknown_token_is_refused_like_the_others(closed, client):
    answer = client.get("/api/v1/posts", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503


def test_administrators_are_admitted_by_token_key_and_session(closed, as_, client, people, app):
    assert as_("root").post("/api/v1/tags", json={"name": "sea"}).status_code == 201
    with app.app_context():
        raw = {"owner": people["root"].id, "name": "k", "scopes": ["posts:read"]}
        key = create(API_KEYS, SYSTEM, raw).revealed["key"]
    assert client.get("/api/v1/posts", headers={"X-API-Key": key}).status_code == 200
    give_session(app, client, people["root"])
    assert client.get("/").status_code == 200
    panel = client.get("/admin/").text
    assert "Maintenance is on" in panel and "Back at &lt;noon&gt; &amp; later." in panel


def test_administrator_signs_in(closed, client):
    signed = client.post("/auth/login", data={"email": "root@example.org", "password": PASSWORD})
    assert signed.status_code == 302
    assert client.get("/dashboard").status_code == 200
    body = {"email": "root@example.org", "password": PASSWORD}
    assert closed.test_client().post("/api/v1/auth/token", json=body).status_code == 200


def test_administrator_can_impersonate(app, client, people):
    give_session(app, client, people["root"])
    assert client.post("/admin/access/view-as", data={"rowid": people["bob"].id}).location == "/"
    with app.app_context():
        begin_maintenance(SYSTEM, "")
    page = client.get("/")
    assert page.status_code == 200 and "You are viewing the site as" in page.text
    assert client.post("/auth/stop-viewing").status_code == 302


def test_administrator_without_a_second_factor_can_set_one_up(make_app, people):
    app = make_app(REQUIRE_ADMIN_TWO_FACTOR=True)
    with app.app_context():
        begin_maintenance(SYSTEM, "")
    client = app.test_client()
    give_session(app, client, people["root"])
    assert client.get("/profile/two-factor").status_code == 200


def test_maintenance_starts_and_ends_immediately_in_other_processes(app, make_app):
    other = make_app()
    client, further = app.test_client(), other.test_client()
    for _ in range(2):
        assert (client.get("/api/v1/posts").status_code, further.get("/").status_code) == (200, 200)
        with app.app_context():
            begin_maintenance(SYSTEM, "")
        assert (client.get("/api/v1/posts").status_code, further.get("/").status_code) == (503, 503)
        with other.app_context():
            assert end_maintenance(SYSTEM) and not end_maintenance(SYSTEM)


def test_new_message_keeps_the_start(app, stop_clock):
    with app.app_context():
        first = begin_maintenance(SYSTEM, "a")
        stop_clock(hours=1)
        second = begin_maintenance(SYSTEM, "b")
        assert current_maintenance() == second
    assert (second.since, second.message) == (first.since, "b")


def test_maintenance_is_audited(app, closed, as_):
    with app.app_context():
        end_maintenance(SYSTEM)
    rows = as_("root").get("/api/v1/audit_events?type=maintenance").json["audit_events"]
    assert {one["action"] for one in rows} == {"maintenance_on", "maintenance_off"}


def test_unchanged_state_costs_no_statement(app, client, statements):
    client.get("/api/v1/posts")
    _, sent = statements(client.get, "/api/v1/posts")
    assert not [one for one in sent if "maintenance_mode" in one]
    with app.app_context():
        begin_maintenance(SYSTEM, "")
    client.get("/api/v1/posts")
    assert statements(client.get, "/api/v1/posts")[1] == []


@pytest.mark.parametrize("name", ["bob", "root"])
def test_waiting_requests_are_refused_when_maintenance_starts(app, as_, name):
    asked = as_(name)
    since = asked.get("/api/v1/changes").json["next"]
    answers = []

    def wait():
        answers.append(asked.get(f"/api/v1/changes?since={since}&wait=25"))

    thread = threading.Thread(target=wait)
    thread.start()
    until = time.monotonic() + 20
    while not (app.extensions.get("quire.changes") and app.extensions["quire.changes"].waits):
        assert time.monotonic() < until
        time.sleep(0.01)
    with app.app_context():
        begin_maintenance(SYSTEM, MESSAGE)
        if name == "root":  # administrators go on waiting, and get the next change
            create(
                POSTS,
                SYSTEM,
                {"title": "A", "body": "x", "published": True, "author": asked.account.id},
            )
    thread.join(20)
    if name == "root":
        assert answers[0].json["changes"][0]["type"] == "posts"
    else:
        assert (answers[0].status_code, answers[0].json["code"]) == (503, "maintenance")


def test_requests_wait_again_after_maintenance(app, as_):
    asked, root = as_("bob"), as_("root")
    since = asked.get("/api/v1/changes").json["next"]
    with app.app_context():
        begin_maintenance(SYSTEM, MESSAGE)
    seen = root.get("/api/v1/changes").json["next"]
    answer = root.get(
        f"/api/v1/changes?since={seen}&wait=1"
    )  # checks for maintenance, and finds it
    assert answer.json["changes"] == []
    until = time.monotonic() + 20
    while app.extensions["quire.changes"].looking:
        assert time.monotonic() < until
        time.sleep(0.01)
    with app.app_context():
        end_maintenance(SYSTEM)
    begun = time.monotonic()
    assert asked.get(f"/api/v1/changes?since={since}&wait=1").json["changes"] == []
    assert time.monotonic() - begun > 0.9
