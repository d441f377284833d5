"""Viewing as another user: everything can be seen, nothing can be changed, and it is recorded."""

import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.records import AUDIT_EVENTS, USERS
from quire.store.db import read_connection
from quire.store.write import update
from tests.site.conftest import known_as, soup
from tests.users import give_session, signed_in


@pytest.fixture
def root(app, people):
    """A browser in which an administrator is signed in."""
    client = app.test_client()
    client.session = give_session(app, client, people["root"])
    return client


def view_as(client, account):
    return client.post("/admin/access/view-as", data={"rowid": account.id})


def noted(app):
    table = AUDIT_EVENTS.table.c
    wanted = select(table.action, table.record_id, table.actor_id).where(
        table.action.in_(("view_as", "stop_viewing"))
    )
    with app.app_context(), read_connection() as connection:
        return connection.execute(wanted.order_by(table.id)).all()


def test_site_panel_and_api_are_seen_as_the_user(app, root, people, content):
    answer = view_as(root, people["ann"])
    assert (answer.status_code, answer.location) == (302, "/admin/")
    assert known_as(root) == "ann"
    assert root.get("/admin/posts/").status_code == 200
    assert root.get("/admin/users/").status_code == 403
    assert root.get("users/me").json["username"] == "ann"
    assert root.get(f"posts/{content.draft}").status_code == 200
    assert view_as(root, people["bob"]).status_code == 403  # stop viewing first
    for path in ("/", "/admin/", "/admin/users/", "/nowhere"):
        banner = soup(root.get(path)).select_one(".notice-bar")
        assert banner.strong.text == "ann" and banner.form["action"] == "/auth/stop-viewing"


def test_member_has_no_panel(root, people):
    assert view_as(root, people["bob"]).location == "/"
    refused = root.get("/admin/")
    assert refused.status_code == 403 and soup(refused).select_one(".notice-bar")


def test_nothing_can_be_changed_except_stopping(app, root, people, content):
    view_as(root, people["ann"])
    before = root.get(f"posts/{content.draft}").json
    for answer in (
        root.patch(f"posts/{content.draft}", json={"title": "x"}),
        root.delete(f"posts/{content.draft}"),
        root.post("posts", json={"title": "x", "body": "y"}),
        root.post("auth/revoke", json={"refresh_token": "x"}),
        root.post(f"/admin/posts/edit/?id={content.draft}", data={"title": "x"}),
        root.post("/posts/live", data={"body": "x"}),
        root.post("/auth/logout"),
        root.post("/auth/login", data={"email": "ann@example.org", "password": "x"}),
        root.delete("sessions"),
    ):
        assert answer.status_code == 403 and "viewing as ann" in answer.text
    assert root.get(f"posts/{content.draft}").json == before
    assert (
        root.post("/auth/stop-viewing").location == f"/admin/users/details/?id={people['ann'].id}"
    )
    assert root.get("users/me").json["username"] == "root"
    assert root.patch(f"posts/{content.draft}", json={"title": "x"}).status_code == 200
    root_id, ann = people["root"].id, people["ann"].id
    assert noted(app) == [("view_as", ann, root_id), ("stop_viewing", ann, root_id)]


def test_only_administrators_impersonate_and_only_others(app, root, people, make):
    for name in ("mod", "ann", "bob"):
        client = app.test_client()
        give_session(app, client, people[name])
        assert view_as(client, people["bob"]).status_code == 403
        assert client.get("users/me").json["username"] == name
    assert view_as(app.test_client(), people["bob"]).status_code in (302, 401)
    other = make(
        USERS, username="other", email="o@example.org", password="another pass", role="admin"
    )
    assert root.post("/admin/access/view-as", data={"rowid": other}).status_code == 403
    assert view_as(root, people["root"]).status_code == 403
    for id in (4711, "x", ""):
        assert root.post("/admin/access/view-as", data={"rowid": id}).status_code == 404
    assert known_as(root) == "root" and noted(app) == []
    assert view_as(signed_in(app, people["root"]), people["bob"]).status_code == 401


def test_impersonation_is_bound_to_its_session(app, root, people):
    view_as(root, people["ann"])
    with root.session_transaction() as cookie:
        viewing = cookie["viewing"]
    elsewhere = app.test_client()
    give_session(app, elsewhere, people["root"])
    with elsewhere.session_transaction() as cookie:
        cookie["viewing"] = viewing
    assert known_as(elsewhere) == "root"
    bob = app.test_client()
    session = give_session(app, bob, people["bob"])
    with bob.session_transaction() as cookie:
        cookie["viewing"] = [people["ann"].id, session]
    assert known_as(bob) == "bob"


def test_tokens_and_keys_never_impersonate(app, root, people, as_):
    view_as(root, people["ann"])
    bearer = as_("root").environ_base["HTTP_AUTHORIZATION"]
    headers = {"Authorization": bearer}
    assert root.get("users/me", headers=headers).json["username"] == "root"
    assert root.post("tags", json={"name": "x"}, headers=headers).status_code == 201


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "admin"}])
def test_impersonation_ends_with_its_conditions(app, root, people, change):
    view_as(root, people["ann"])
    with app.app_context():
        update(USERS, SYSTEM, people["ann"].id, change)
    assert known_as(root) == "root"


def test_demoted_administrator_sees_as_themselves(app, root, people, make):
    make(USERS, username="other", email="o@example.org", password="another pass", role="admin")
    view_as(root, people["ann"])
    with app.app_context():
        update(USERS, SYSTEM, people["root"].id, {"role": "member"})
    assert known_as(root) == "root" and root.get("/admin/").status_code == 403


def test_inactive_users_see_nothing(app, root, people):
    with app.app_context():
        update(USERS, SYSTEM, people["bob"].id, {"is_active": False})
    assert view_as(root, people["bob"]).status_code == 409


def test_button_is_on_the_users_page(root, people):
    def button(name):
        page = soup(root.get(f"/admin/users/details/?id={people[name].id}"))
        return page.find("form", {"action": "/admin/access/view-as"})

    form = button("ann")
    sent = {one["name"]: one["value"] for one in form.find_all("input")}
    assert root.post(form["action"], data=sent).status_code == 302
    assert known_as(root) == "ann"
    root.post("/auth/stop-viewing")
    assert button("root") is None


def test_stopping_without_impersonation(root, client):
    assert root.post("/auth/stop-viewing").location == "/admin/users/"
    assert client.post("/auth/stop-viewing").status_code in (302, 401, 403)


def test_start_and_stop_need_a_csrf_token(guarded, people):
    client = guarded.test_client()
    give_session(guarded, client, people["root"])
    assert view_as(client, people["ann"]).status_code == 403
    token = {"csrf_token": client.get("csrf-token").json["csrf_token"]}
    client.post("/admin/access/view-as", data={"rowid": people["ann"].id, **token})
    assert known_as(client) == "ann"
    assert client.post("/auth/stop-viewing").status_code == 403
    assert client.post("/auth/stop-viewing", data=token).status_code == 302


def test_query_in_a_body_is_reading(app, root, people, content):
    view_as(root, people["ann"])
    found = root.post("posts/query", json={"where": {"status": "draft"}})
    assert (found.status_code, found.json["total"]) == (200, 1)
