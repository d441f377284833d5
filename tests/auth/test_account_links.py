"""Links sent by email: valid once, for a limited time, for one purpose, and leading to the right page."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy import update as sql_update

from quire.actor import ANONYMOUS, SYSTEM
from quire.auth import account_links, registration
from quire.auth.current_actor import anonymous_actor
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.errors import Conflict, NotFound, ValidationFailed
from quire.records import USERS
from quire.records.accounts.email_links import EmailLink, consume, create_link, find_active
from quire.store import read
from quire.store.db import read_connection, transaction
from quire.store.write import update
from tests.mail_servers import link_in, owed, sent, text_of
from tests.users import PASSWORD, give_session

TABLE = EmailLink.__table__
NEW = "another good one"


@pytest.fixture
def mailing(make_app, tmp_path):
    """An application whose mail is stored in a folder of the test."""
    return make_app(QUIRE_INSTANCE=tmp_path, PUBLIC_URL="https://example.org")


def user(app, id):
    with app.app_context():
        return read.get_record(USERS, SYSTEM, id)


def minted(app, purpose, account):
    with app.app_context():
        return create_link(purpose, f"{account.username}@example.org", account.id)


def is_good(app, secret, *purposes):
    with app.app_context():
        return find_active(secret, *purposes or ("reset", "verify", "email", "invite")) is not None


def test_only_a_hash_is_stored(mailing, people):
    secret = minted(mailing, "reset", people["ann"])
    with mailing.app_context(), read_connection() as connection:
        row = connection.execute(select(TABLE)).one()
    assert len(secret) == 43 and secret not in map(str, row) and len(row.hash) == 64


def test_outbox_contains_no_secrets(mailing, people):
    with mailing.test_request_context():
        account_links.request_password_reset("ann@example.org")
    assert [row.data for row in owed(mailing)] == [{"email": "ann@example.org"}]
    with mailing.app_context(), read_connection() as connection:
        assert connection.execute(select(TABLE)).all() == []


def test_link_has_one_purpose(mailing, people):
    secret = minted(mailing, "verify", people["ann"])
    assert is_good(mailing, secret, "verify", "email")
    assert not is_good(mailing, secret, "reset") and not is_good(mailing, secret, "invite")


def test_newer_link_revokes_older_ones(mailing, people):
    first, other = minted(mailing, "reset", people["ann"]), minted(mailing, "reset", people["bob"])
    verify = minted(mailing, "verify", people["ann"])
    second = minted(mailing, "reset", people["ann"])
    assert [is_good(mailing, one) for one in (first, second, other, verify)] == [
        False, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("purpose", "seconds"), [("reset", 3600), ("verify", 259_200), ("invite", 604_800)]
)
def test_links_expire(mailing, people, ticking, purpose, seconds):
    secret = minted(mailing, purpose, people["ann"])
    with mailing.app_context(), read_connection() as connection:
        row = connection.execute(select(TABLE)).one()
    assert row.expires_at - row.created_at == timedelta(seconds=seconds)
    with mailing.app_context(), transaction() as connection:
        connection.execute(sql_update(TABLE).values(expires_at=now()))
    assert not is_good(mailing, secret)


@pytest.mark.parametrize(
    "change", [{"email": "other@example.org"}, {"password": NEW}, {"is_active": False}]
)
def test_reset_link_ends_with_its_address(mailing, people, change):
    secret = minted(mailing, "reset", people["ann"])
    with mailing.app_context():
        update(USERS, SYSTEM, people["ann"].id, {"bio": "x"})
        assert find_active(secret, "reset")
        update(USERS, SYSTEM, people["ann"].id, change)
    assert not is_good(mailing, secret)


def test_new_password_cancels_a_change_of_address(mailing, people):
    secret = minted(mailing, "email", people["ann"])
    with mailing.app_context():
        update(USERS, SYSTEM, people["ann"].id, {"password": NEW})
    assert not is_good(mailing, secret)


@pytest.mark.parametrize("wrong", ["", "x", "é" * 200, "\x00", "' OR 1=1 --", "{}", "null", "[]"])
def test_invalid_links_are_refused(mailing, people, wrong):
    secret = minted(mailing, "reset", people["ann"])
    for text in (wrong, secret[:-1], secret + wrong + "x", secret.swapcase()):
        assert not is_good(mailing, text)
    assert is_good(mailing, secret)


def test_one_of_many_simultaneous_uses_succeeds(mailing, people):
    secret = minted(mailing, "verify", people["ann"])
    with mailing.app_context():
        found = find_active(secret, "verify")
    barrier = Barrier(8)

    def work(_):
        with mailing.app_context():
            barrier.wait()
            return consume(found)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1
    assert not is_good(mailing, secret)


def test_one_of_many_simultaneous_resets_succeeds(mailing, people):
    secret = minted(mailing, "reset", people["ann"])
    barrier = Barrier(4)

    def work(number):
        with mailing.app_context():
            barrier.wait()
            try:
                account_links.reset_password(secret, f"{NEW} {number}", ANONYMOUS)
            except NotFound:
                return None
            return number

    with ThreadPoolExecutor(4) as pool:
        won = [number for number in pool.map(work, range(4)) if number is not None]
    assert len(won) == 1
    client = mailing.test_client()
    for number in range(4):
        sent_in = {"email": "ann@example.org", "password": f"{NEW} {number}"}
        status = client.post("auth/token", json=sent_in).status_code
        assert status == (200 if number == won[0] else 401)


def test_refused_password_does_not_use_up_the_link(mailing, people):
    secret = minted(mailing, "reset", people["ann"])
    with mailing.app_context():
        with pytest.raises(ValidationFailed):
            account_links.reset_password(secret, "short", ANONYMOUS)
        account_links.reset_password(secret, NEW, ANONYMOUS)
        with pytest.raises(NotFound):
            account_links.reset_password(secret, NEW, ANONYMOUS)
    assert user(mailing, people["ann"].id)["email_verified_at"]


def test_new_address(mailing, people):
    ann = people["ann"].id
    with mailing.test_request_context():
        account_links.request_email_change(ann, " New@Example.org ")
        with pytest.raises(ValidationFailed):
            account_links.request_email_change(ann, "nowhere")
    new, old = sent(mailing)
    assert (new["To"], old["To"]) == ("new@example.org", "ann@example.org")
    assert user(mailing, ann)["email"] == "ann@example.org"
    token = link_in(new).rpartition("/")[2]
    with mailing.app_context():
        account_links.verify_address(token, ANONYMOUS)
        with pytest.raises(NotFound):
            account_links.verify_address(token, ANONYMOUS)
    found = user(mailing, ann)
    assert found["email"] == "new@example.org" and found["email_verified_at"]
    last = sent(mailing)[-1]
    assert last["To"] == "ann@example.org" and "no longer uses this email address" in text_of(last)
    assert len(sent(mailing)) == 3


def test_new_address_that_is_taken(mailing, people):
    with mailing.test_request_context():
        account_links.request_email_change(people["ann"].id, "bob@example.org")
    taken, warning = sent(mailing)
    assert taken["Subject"] == "[Quire] You already have an account"
    assert "account bob" in text_of(taken) and warning["To"] == "ann@example.org"


def test_new_address_taken_meanwhile(mailing, people):
    ann = people["ann"].id
    with mailing.test_request_context():
        account_links.request_email_change(ann, "new@example.org")
    token = link_in(sent(mailing)[0]).rpartition("/")[2]
    with mailing.app_context():
        update(USERS, SYSTEM, people["bob"].id, {"email": "new@example.org"})
        with pytest.raises(NotFound):
            account_links.verify_address(token, ANONYMOUS)
    assert user(mailing, ann)["email"] == "ann@example.org"


def test_address_is_changed_through_the_api(mailing, people, client):
    client = mailing.test_client()
    token = client.post("auth/token", json={"email": "bob@example.org", "password": PASSWORD})
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token.json['access_token']}"
    with mailing.app_context():
        update(USERS, SYSTEM, people["bob"].id, {"email_verified_at": "2026-01-01T00:00:00Z"})
    raw = {"email": "new@example.org", "current_password": PASSWORD}
    changed = client.patch("users/me", json=raw).json
    assert (changed["email"], changed["email_verified_at"]) == ("new@example.org", None)
    old, new = sent(mailing)
    assert (old["To"], new["To"]) == ("bob@example.org", "new@example.org")
    mailing.test_client().post(link_in(new))
    given = {"email": "new@example.org", "password": PASSWORD}
    token = mailing.test_client().post("auth/token", json=given).json["access_token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert client.get("users/me").json["email_verified_at"]


def test_owner_of_an_address_ends_sessions_of_someone_who_registered_it(mailing, people):
    client, victim = mailing.test_client(), mailing.test_client()
    raw = {"username": "mallory", "email": "victim@example.org", "password": PASSWORD}
    id = client.post("users", json=raw).json["id"]
    give_session(mailing, client, people["bob"].__class__(id, "mallory", "member"))
    assert client.get("users/me").status_code == 200
    token = client.post("auth/token", json={"email": raw["email"], "password": PASSWORD}).json
    assert victim.post(link_in(sent(mailing)[0])).status_code == 302
    assert client.get("users/me").status_code == 401
    refreshed = client.post("auth/refresh", json={"refresh_token": token["refresh_token"]})
    assert refreshed.status_code == 401


def test_verifying_ones_own_address_keeps_the_session(mailing, people):
    client = mailing.test_client()
    with mailing.app_context():
        account_links.mail_notice(people["bob"].id, "verify")
    give_session(mailing, client, people["bob"])
    assert client.post(link_in(sent(mailing)[0])).status_code == 302
    assert client.get("users/me").status_code == 200


def test_invitation(mailing, people):
    with mailing.test_request_context():
        with pytest.raises(Conflict):
            registration.invite("ANN@example.org", "author", SYSTEM)
        first = registration.invite("eve@example.org", "admin", SYSTEM)
        second = registration.invite("Eve@Example.org", "author", SYSTEM)
        raw = {"username": "eve", "password": NEW}
        with pytest.raises(NotFound):
            registration.accept_invitation(first, raw, anonymous_actor())
        with pytest.raises(ValidationFailed):
            registration.accept_invitation(second, {**raw, "password": "x"}, anonymous_actor())
        saved = registration.accept_invitation(second, raw, anonymous_actor())
        with pytest.raises(NotFound):
            registration.accept_invitation(second, raw, anonymous_actor())
    assert (saved.state["email"], saved.state["role"]) == ("eve@example.org", "author")
    [letter] = sent(mailing)
    assert saved.state["email_verified_at"] and letter["Subject"] == "[Quire] Welcome"


def test_events_are_audited(mailing, people):
    secret = minted(mailing, "reset", people["ann"])
    with mailing.app_context():
        account_links.reset_password(
            secret, NEW, ANONYMOUS.with_context(ip="192.0.2.7", door="site")
        )
    events = REGISTRY["audit_events"].table
    with mailing.app_context(), read_connection() as connection:
        wanted = select(events).where(events.c.action == "password_reset")
        row = connection.execute(wanted).one()
    assert (row.record_id, row.ip, row.door) == (people["ann"].id, "192.0.2.7", "site")
