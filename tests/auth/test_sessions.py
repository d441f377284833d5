"""Sessions of browsers and of tokens: their owners, how they are replaced, when they end."""

import threading
import time
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from quire.auth import jwt, session_store, totp
from quire.declare.clock import now
from quire.records import AUDIT_EVENTS, SESSIONS
from quire.store.db import read_connection, transaction
from tests.api.test_access_order import code
from tests.users import PASSWORD, give_session

TABLE = SESSIONS.table


def rows(app, **values):
    """Return the sessions whose columns have these `values`."""
    wanted = select(TABLE).where(*(TABLE.c[name] == value for name, value in values.items()))
    with app.app_context(), read_connection() as connection:
        return connection.execute(wanted.order_by(TABLE.c.id)).all()


def change(app, id, **values):
    """Change a session directly in the database."""
    with app.app_context(), transaction() as connection:
        connection.execute(update(TABLE).where(TABLE.c.id == id).values(values))


def actions(app):
    """Return the recorded actions, newest last."""
    table = AUDIT_EVENTS.table
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(table.c.action).order_by(table.c.id)).scalars().all()


@pytest.fixture
def ann(app, people):
    """A browser in which Ann is signed in; `session` is the id of its session."""
    client = app.test_client()
    client.session = give_session(app, client, people["ann"])
    return client


def name(client):
    answer = client.get("users/me")
    return answer.json["username"] if answer.status_code == 200 else None


def test_only_a_hash_is_stored(app, ann):
    with ann.session_transaction() as cookie:
        secret = cookie["_user_id"]
    row = rows(app)[0]
    assert secret not in map(str, row) and len(row.hash) == 64


def test_cookie_is_invalid_after_signing_out(app, people, client):
    sent = {"email": "ann@example.org", "password": PASSWORD}
    client.post("/auth/login", data=sent)
    stolen = client.get_cookie("quire").value
    client.post("/auth/logout")
    client.set_cookie("quire", stolen)
    assert name(client) is None and rows(app) == []


def test_signing_in_replaces_earlier_session_data(app, ann, people):
    with ann.session_transaction() as cookie:
        before = cookie["_user_id"]
    ann.post("/auth/logout")
    ann.post("/auth/login", data={"email": "bob@example.org", "password": PASSWORD})
    with ann.session_transaction() as cookie:
        assert cookie["_user_id"] != before
    assert name(ann) == "bob"


def test_idle_browsers_are_signed_out(app, ann):
    change(app, ann.session, last_seen_at=now() - timedelta(seconds=43_000))
    assert name(ann) == "ann"
    change(app, ann.session, last_seen_at=now() - timedelta(seconds=43_400))
    assert name(ann) is None


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1)])
def test_clock_set_back_signs_no_browser_out(app, ann, ahead):
    change(app, ann.session, last_seen_at=now() + ahead, created_at=now() + ahead)
    assert [name(ann), name(ann)] == ["ann", "ann"]


@pytest.mark.parametrize("seconds", [3600, 86_400])
def test_tokens_from_before_the_clock_was_set_back_are_replaced(
    client, people, monkeypatch, seconds
):
    sent = {"email": "ann@example.org", "password": PASSWORD}
    with monkeypatch.context() as ahead:
        later = time.time() + seconds
        ahead.setattr(jwt.time, "time", lambda: later)
        pair = client.post("auth/token", json=sent).json
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert code(client.get("users/me", headers=headers)) == (401, "invalid_token")
    new = client.post("auth/refresh", json={"refresh_token": pair["refresh_token"]}).json
    for token in (new["access_token"], client.post("auth/token", json=sent).json["access_token"]):
        assert (
            client.get("users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        )


def test_remembered_browsers_may_be_idle_but_not_for_ever(app, client, people):
    sent = {"email": "ann@example.org", "password": PASSWORD, "remember": "y"}
    client.post("/auth/login", data=sent)
    id = rows(app)[0].id
    change(app, id, last_seen_at=now() - timedelta(days=20))
    client.delete_cookie("quire")  # the browser was closed
    assert name(client) == "ann"
    change(app, id, expires_at=now())
    assert name(client) is None


def test_last_use_is_recorded_once_a_minute(app, ann):
    long_ago = now() - timedelta(seconds=70)
    change(app, ann.session, last_seen_at=long_ago, ip="192.0.2.9")
    assert name(ann) == "ann"
    row = rows(app)[0]
    assert row.last_seen_at > long_ago and row.ip == "127.0.0.1"


def secret_of(client):
    with client.session_transaction() as cookie:
        return cookie.get("_user_id")


def copy_of(app, client):
    """Return another browser that has stolen the session cookie of `client`."""
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["_user_id"] = secret_of(client)
    return thief


def test_lower_role_applies_immediately(ann, as_, people):
    before = secret_of(ann)
    as_("root").patch(f"users/{people['ann'].id}", json={"role": "member"})
    assert ann.get("users/me").json["role"] == "member"
    assert secret_of(ann) == before


def test_higher_role_requires_browsers_to_sign_in_again(app, ann, as_, people):
    thief, token = copy_of(app, ann), as_("ann")
    as_("root").patch(f"users/{people['ann'].id}", json={"role": "moderator"})
    assert (name(thief), name(ann)) == (None, None)
    assert token.get("users/me").json["role"] == "moderator"


def enrollment(client):
    """Return the form that enables two-factor authentication, with the code that an app would show."""
    page = BeautifulSoup(client.get("/profile/two-factor").text, "html.parser")
    code = totp.TOTP(page.find("code").text.replace(" ", "")).at(now())
    return {"seed": page.find(id="seed")["value"], "otp": code, "current_password": PASSWORD}


PROVED = {
    "password": lambda ann: ann.patch(
        "users/me", json={"password": "another pass", "current_password": PASSWORD}
    ),
    "address": lambda ann: ann.patch(
        "users/me", json={"email": "ann@example.com", "current_password": PASSWORD}
    ),
    "address by mail": lambda ann: ann.post(
        "/profile/email", data={"email": "a@example.com", "current_password": PASSWORD}
    ),
    "passkey": lambda ann: ann.post(
        "/profile/passkeys/options", data={"current_password": PASSWORD}
    ),
    "codes": lambda ann: ann.post("/profile/two-factor/codes", data={"current_password": PASSWORD}),
    "codes on": lambda ann: ann.post("/profile/two-factor", data=enrollment(ann)),
    "passkey removed": lambda ann: ann.post(
        "/profile/passkeys/1/remove", data={"current_password": PASSWORD}
    ),
    "no codes": lambda ann: ann.post(
        "/profile/two-factor/off", data={"current_password": PASSWORD}
    ),
}


@pytest.mark.parametrize("prove", PROVED.values(), ids=PROVED)
def test_stolen_cookie_is_invalid_once_the_owner_enters_the_password(app, ann, prove):
    thief = copy_of(app, ann)
    assert prove(ann).status_code < 500
    assert name(thief) is None
    assert name(ann) == "ann"


def test_thief_who_is_first_gets_nothing(app, ann):
    thief = copy_of(app, ann)
    PROVED["password"](ann)
    assert [name(one) for one in (thief, ann, thief, ann)] == [None, "ann", None, "ann"]


def test_wrong_password_renews_nothing(app, ann):
    before = secret_of(ann)
    ann.patch("users/me", json={"password": "another pass", "current_password": "wrong"})
    assert secret_of(ann) == before


@pytest.mark.parametrize("by", ["ann", "root"])
def test_new_password_ends_the_other_sessions(app, people, ann, as_, by):
    elsewhere = app.test_client()
    give_session(app, elsewhere, people["ann"])
    given = {"password": "another pass"}
    if by == "ann":
        assert (
            ann.patch("users/me", json={**given, "current_password": PASSWORD}).status_code == 200
        )
    else:
        as_("root").patch(f"users/{people['ann'].id}", json=given)
    assert name(elsewhere) is None
    assert name(ann) == ("ann" if by == "ann" else None)


@pytest.mark.parametrize(
    ("by", "choice", "stays"),
    [
        ("ann", {}, True),
        ("ann", {"keep_keys": False}, False),
        ("root", {}, False),
        ("root", {"keep_keys": True}, True),
    ],
)
def test_new_password_and_api_keys(people, as_, by, choice, stays):
    key = as_("ann").post("api_keys", json={"name": "x", "scopes": ["posts:read"]}).json["key"]
    given = {"password": "another pass", "current_password": PASSWORD, **choice}
    assert as_(by).patch(f"users/{people['ann'].id}", json=given).status_code == 200
    status = as_(None).get("posts", headers={"X-API-Key": key}).status_code
    assert status == (200 if stays else 401)


def test_deactivated_account_has_no_sessions_and_no_keys(app, people, ann, as_):
    key = as_("ann").post("api_keys", json={"name": "x", "scopes": ["posts:read"]}).json["key"]
    as_("root").patch(f"users/{people['ann'].id}", json={"is_active": False})
    assert name(ann) is None
    assert code(as_(None).get("posts", headers={"X-API-Key": key})) == (401, "invalid_token")
    as_("root").patch(f"users/{people['ann'].id}", json={"is_active": True})
    assert name(ann) is None
    assert code(as_(None).get("posts", headers={"X-API-Key": key})) == (401, "invalid_token")


def test_users_list_and_end_their_own_sessions(app, people, ann, as_):
    bob = as_("bob")
    other = give_session(app, app.test_client(), people["ann"])
    listed = ann.get("sessions").json["sessions"]
    assert [(one["id"], one["current"]) for one in listed] == [(ann.session, True), (other, False)]
    assert set(listed[0]) == set(
        "id kind current created_at last_seen_at expires_at ip agent".split()
    )
    foreign = bob.get("sessions").json["sessions"][0]["id"]
    assert code(ann.delete(f"sessions/{foreign}")) == (404, "not_found")
    assert ann.delete(f"sessions/{other}").status_code == 204
    assert ann.get("sessions").json["total"] == 1
    assert code(as_(None).get("sessions")) == (401, "unauthorized")


def test_all_other_sessions_end_immediately(app, people, ann, as_):
    bearer = as_("ann")
    assert ann.delete("sessions").status_code == 204
    assert name(ann) == "ann" and name(bearer) is None
    assert name(as_("bob")) == "bob"


def test_oldest_sessions_end_beyond_the_limit(app, people, monkeypatch):
    monkeypatch.setattr(session_store, "MAX_SESSIONS", 3)
    clients = [app.test_client() for _ in range(4)]
    for client in clients:
        give_session(app, client, people["ann"])
    assert [name(client) for client in clients] == [None, "ann", "ann", "ann"]


class TestRefreshing:
    """The refresh token of a pair."""

    @pytest.fixture
    def pair(self, client, people):
        sent = {"email": "ann@example.org", "password": PASSWORD}
        return client.post("auth/token", json=sent).json

    def refresh(self, client, token):
        return client.post("auth/refresh", json={"refresh_token": token})

    def test_each_refresh_token_is_replaced(self, app, client, pair):
        first = pair["refresh_token"]
        second = self.refresh(client, first).json["refresh_token"]
        third = self.refresh(client, second).json["refresh_token"]
        assert len({first, second, third}) == 3 and first.startswith("qr_")
        assert not any(part in str(rows(app)) for part in (second, third.split(".")[1]))

    def test_within_the_grace_period_the_successor_is_the_same(self, app, client, pair):
        again = {self.refresh(client, pair["refresh_token"]).json["refresh_token"] for _ in "abc"}
        assert len(again) == 1

    def test_using_a_replaced_token_ends_the_session(self, app, client, pair):
        second = self.refresh(client, pair["refresh_token"]).json
        change(app, rows(app)[0].id, rotated_at=now() - timedelta(seconds=11))
        assert code(self.refresh(client, pair["refresh_token"])) == (401, "invalid_token")
        assert code(self.refresh(client, second["refresh_token"])) == (401, "invalid_token")
        headers = {"Authorization": f"Bearer {second['access_token']}"}
        assert code(client.get("users/me", headers=headers)) == (401, "invalid_token")
        assert "token_reused" in actions(app)

    def test_using_a_token_replaced_twice_ends_the_session(self, app, client, pair):
        second = self.refresh(client, pair["refresh_token"]).json["refresh_token"]
        third = self.refresh(client, second).json["refresh_token"]
        assert code(self.refresh(client, pair["refresh_token"])) == (401, "invalid_token")
        assert code(self.refresh(client, third)) == (401, "invalid_token")

    def test_invented_tokens_end_nothing(self, app, client, pair):
        id = rows(app)[0].id
        start, secret, mark = pair["refresh_token"].split(".")
        for token in (f"qr_{id}.x.{mark}", f"qr_{id}.{secret}.{mark[:-1]}0x", f"qr_{id}..", "qr_", "",
                      f"qr_99.{secret}.{mark}", f"{start}.{secret}", "qr_²." + secret):  # fmt: skip
            assert code(self.refresh(client, token)) == (401, "invalid_token")
        assert self.refresh(client, pair["refresh_token"]).status_code == 200

    def test_twenty_simultaneous_refreshes_get_one_successor(self, app, pair, database):
        found, barrier = [], threading.Barrier(20)

        def ask():
            with app.app_context(), app.test_request_context():
                barrier.wait()
                found.append(jwt.refresh(pair["refresh_token"], None)["refresh_token"])

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 20 and len(set(found)) == 1

    def test_revoking_ends_both_tokens(self, app, client, pair):
        sent = {"refresh_token": pair["refresh_token"]}
        assert client.post("auth/revoke", json=sent).status_code == 204
        assert code(self.refresh(client, pair["refresh_token"])) == (401, "invalid_token")
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        assert code(client.get("users/me", headers=headers)) == (401, "invalid_token")
        for token in (pair["refresh_token"], "x"):
            assert client.post("auth/revoke", json={"refresh_token": token}).status_code == 204

    def test_session_expires(self, app, client, pair):
        change(app, rows(app)[0].id, expires_at=now())
        assert code(self.refresh(client, pair["refresh_token"])) == (401, "invalid_token")


def test_session_of_a_token_can_be_cached_for_seconds(make_app, people):
    app = make_app(JWT_CACHE_SECONDS=5)
    client = app.test_client()
    sent = {"email": "ann@example.org", "password": PASSWORD}
    token = client.post("auth/token", json=sent).json["access_token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert name(client) == "ann"
    with app.app_context(), transaction() as connection:
        connection.execute(TABLE.delete())
    assert client.get("posts").status_code == 200
    jwt._cache.clear()
    assert client.get("posts").status_code == 401
