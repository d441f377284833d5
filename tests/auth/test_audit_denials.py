"""Denied requests are recorded with their actor, but only a limited number of them."""

import pytest
from sqlalchemy import select, update

from quire.auth.audit_denials import EACH
from quire.declare.clock import now
from quire.records import API_KEYS, AUDIT_EVENTS
from quire.store.db import read_connection, transaction
from tests.site.conftest import soup
from tests.users import give_session, signed_in


@pytest.fixture
def denied(app):
    """`denied()`: the recorded denials, oldest first."""
    table = AUDIT_EVENTS.table

    def read():
        wanted = select(table).where(table.c.action == "denied").order_by(table.c.id)
        with app.app_context(), read_connection() as connection:
            return connection.execute(wanted).all()

    return read


@pytest.fixture
def fresh(make_app):
    """An application without denials so far."""
    return make_app()


def test_denials_by_token_and_key_are_recorded(fresh, people, as_, content, denied):
    key = as_("ann").post("api_keys", json={"name": "k", "scopes": ["tags:read"]}).json["key"]
    abe, client = signed_in(fresh, people["abe"]), fresh.test_client()
    assert abe.patch(f"posts/{content.live}", json={"title": "x"}).status_code == 403
    assert client.get("posts", headers={"X-API-Key": key}).status_code == 403
    first, second = denied()
    assert (first.type, first.record_id, first.actor_id) == (
        "posts",
        content.live,
        people["abe"].id,
    )
    assert first.fields == [f"PATCH /api/v1/posts/{content.live}"]
    assert (first.door, first.proof, first.ip) == ("api", "token", "127.0.0.1")
    assert first.request_id
    assert (second.type, second.record_id, second.proof) == ("posts", None, "key")
    assert second.actor_id == people["ann"].id


def test_denials_in_the_panel_and_on_the_site_are_recorded(make_app, people, denied):
    app = make_app(WTF_CSRF_ENABLED=True)
    client = app.test_client()
    give_session(app, client, people["ann"])
    client.get("/admin/users/")
    client.post("/admin/tags/new/", data={"name": "x"})
    client.post("/posts/x", headers={"Origin": "https://evil.example"})
    found = [(one.type, one.door, one.proof, one.fields[0]) for one in denied()]
    assert found == [
        ("users", "admin", "session", "GET /admin/users/"),
        ("tags", "admin", "session", "POST /admin/tags/new/"),
        ("posts", "site", "session", "POST /posts/x"),
    ]


def test_invalid_credentials_are_recorded(fresh, denied, as_, app):
    key = as_("ann").post("api_keys", json={"name": "k", "scopes": ["tags:read"]}).json["key"]
    with app.app_context(), transaction() as connection:
        connection.execute(update(API_KEYS.table).values(expires_at=now()))
    client = fresh.test_client()
    expired = {"X-API-Key": key}  # expired credentials are not recorded
    for headers in ({"Authorization": "Bearer x"}, {"X-API-Key": "qk_x"}, expired):
        assert client.get("posts/7", headers=headers).status_code == 401
    assert [(one.actor_id, one.record_id, one.proof) for one in denied()] == [(None, 7, "none")] * 2


def test_anonymous_requests_are_not_recorded(fresh, denied, people):
    client = fresh.test_client()
    client.get("users/me")
    client.post("posts", json={})
    client.get("/admin/")
    client.post("auth/token", json={"email": "ann@example.org", "password": "wrong"})
    client.get("posts/4711")
    assert denied() == []


def test_impersonating_administrator_is_recorded_as_themselves(fresh, people, denied):
    client = fresh.test_client()
    give_session(fresh, client, people["root"])
    client.post("/admin/access/view-as", data={"rowid": people["bob"].id})
    assert client.post("posts", json={}).status_code == 403
    assert [one.actor_id for one in denied()] == [people["root"].id]


def test_audit_cannot_be_flooded(fresh, people, denied):
    abe, ann = signed_in(fresh, people["abe"]), signed_in(fresh, people["ann"])
    for _ in range(EACH.amount + 5):
        assert abe.get("audit_events").status_code == 403
    assert len(denied()) == EACH.amount
    assert ann.get("audit_events").status_code == 403
    assert len(denied()) == EACH.amount + 1
    for number in range(EACH.amount + 5):
        environ = {"REMOTE_ADDR": f"2001:db8::{number + 1:x}"}
        fresh.test_client().get("posts", headers={"X-API-Key": "x"}, environ_base=environ)
    assert len(denied()) == 2 * EACH.amount + 1


def test_unusual_paths_are_recorded_in_ascii(fresh, people, denied):
    abe = signed_in(fresh, people["abe"])
    give_session(fresh, abe, people["abe"])
    del abe.environ_base["HTTP_AUTHORIZATION"]
    abe.post("/%00%F0%9F%92%A9/" + "x" * 900, headers={"Origin": "null"})
    abe.get("/admin/users/")
    assert all(len(one.fields[0]) <= 200 and one.fields[0].isascii() for one in denied())


def test_denials_can_be_filtered(fresh, people, as_, admin_page, content):
    abe, root = signed_in(fresh, people["abe"]), as_("root")
    abe.delete(f"posts/{content.live}")
    wanted = {"action": "denied", "type": "posts", "actor.username": "abe", "ip": "127.0.0.1",
              "door": "api", "created_at__gte": "2020-01-01"}  # fmt: skip
    assert root.get("audit_events", query_string=wanted).json["total"] == 1
    for name, value in (("action", "create"), ("type", "tags"), ("actor.username", "ann"),
                        ("ip", "192.0.2.1"), ("created_at__lte", "2020-01-01")):  # fmt: skip
        other = {**wanted, name: value}
        assert root.get("audit_events", query_string=other).json["total"] == 0
    for name in (
        "action",
        "type",
        "actor.username",
        "ip__icontains",
        "created_at__gte",
    ):
        assert admin_page.find(attrs={"name": name}), name


@pytest.fixture
def admin_page(app, people):
    """The page of the audit in the panel."""
    client = app.test_client()
    give_session(app, client, people["root"])
    return soup(client.get("/admin/audit_events/"))
