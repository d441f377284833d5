"""A sign-in is one transaction: it stores everything or nothing."""

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from quire.actor import SYSTEM
from quire.auth import passkeys, totp, webauthn
from quire.declare.clock import now
from quire.records import SESSIONS, USERS
from quire.records.accounts.known_devices import KnownDevice
from quire.records.accounts.second_factors import RecoveryCode
from quire.store.audit import AuditEvent
from quire.store.db import db, transaction
from quire.store.read import get_record
from tests.users import PASSWORD

GIVEN = {"email": "root@example.org", "password": PASSWORD}


@pytest.fixture
def commits(app):
    """`commits(call, *given)`: the result of the call, and the number of transactions that have written."""

    def counted(call, *given, **named):
        seen = []

        def note(connection):
            if connection.get_execution_options().get("writes"):
                seen.append(connection)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "commit", note)
        try:
            answer = call(*given, **named)
        finally:
            event.remove(engine, "commit", note)
        return answer, len(seen)

    return counted


@pytest.fixture
def no_session_can_be_kept(app):
    """The database refuses the last write of a sign-in."""

    def refuse(connection, cursor, statement, *rest):
        if statement.startswith("INSERT INTO sessions"):
            raise OperationalError(statement, None, Exception("disk I/O error"))

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", refuse)
        yield
        event.remove(db.engine, "before_cursor_execute", refuse)


def left_behind(app, account):
    """Return what sign-ins have stored."""
    tables = (AuditEvent.__table__, KnownDevice.__table__, SESSIONS.table)
    with app.app_context(), db.engine.connect() as connection:
        counts = [len(connection.execute(select(table.c.id)).all()) for table in tables]
        used = connection.execute(select(RecoveryCode.__table__.c.used_at)).scalars().all()
        return [*counts, used, get_record(USERS, SYSTEM, account.id)["last_login_at"]]


def codes_of(app, account):
    """Enable two-factor authentication; return the recovery codes."""
    with app.app_context():
        seed = totp.generate_secret()
        code = totp.TOTP(seed).at(now())
        return totp.enable(account.actor("session"), seed, code, now())


def by_token(client, otp=None):
    return client.post("/api/v1/auth/token", json={**GIVEN, **({"otp": otp} if otp else {})})


def by_page(client, otp=None):
    answer = client.post("/auth/login", data=GIVEN)
    return client.post("/auth/two-factor", data={"otp": otp}) if otp else answer


@pytest.mark.parametrize("sign_in", [by_token, by_page])
@pytest.mark.parametrize("with_code", [False, True])
def test_sign_in_commits_once(app, client, people, commits, sign_in, with_code):
    code = codes_of(app, people["root"])[0] if with_code else None
    answer, count = commits(sign_in, client, code)
    assert answer.status_code in (200, 302)
    assert count == 1
    assert left_behind(app, people["root"])[-1] is not None


@pytest.mark.parametrize(("sign_in", "door"), [(by_token, "api"), (by_page, "site")])
def test_all_events_of_a_sign_in_name_its_interface(app, client, people, sign_in, door):
    sign_in(client)
    table = AuditEvent.__table__.c
    with app.app_context(), db.engine.connect() as connection:
        events = connection.execute(select(table.type, table.door, table.ip)).all()
    assert [("users", door, "127.0.0.1"), ("sessions", door, "127.0.0.1")] == [
        tuple(one) for one in events if one.type in ("users", "sessions") and one.door != "cli"
    ]


@pytest.mark.parametrize("sign_in", [by_token, by_page])
@pytest.mark.parametrize("with_code", [False, True])
def test_failed_sign_in_leaves_nothing_behind(
    app, client, people, no_session_can_be_kept, sign_in, with_code
):
    code = codes_of(app, people["root"])[0] if with_code else None
    before = left_behind(app, people["root"])
    client.checked = False
    answer = sign_in(client, code)
    assert answer.status_code >= 500
    assert left_behind(app, people["root"]) == before
    assert client.get("/profile").status_code == 302


def test_sign_in_takes_few_statements(client, people, statements):
    by_token(client)
    answer, sent = statements(by_token, client)
    assert answer.status_code == 200
    # SQLite needs no lock; the last statement reads the account for the response
    assert sum("advisory" not in one for one in sent) <= 12, sent


def test_wrong_code_is_recorded_nevertheless(app, client, people):
    codes_of(app, people["root"])
    before = left_behind(app, people["root"])[0]
    assert by_token(client, "000000").status_code == 401
    assert left_behind(app, people["root"])[0] == before + 1


def test_signing_out_commits_once(client, people, commits):
    by_page(client)
    answer, count = commits(client.post, "/auth/logout")
    assert answer.status_code == 302
    assert count == 1


def test_passkey_use_is_recorded_only_with_its_sign_in(app, people):
    root = people["root"]
    with app.app_context():
        passkeys.store_passkey(root.actor("session"), "Telephone", "abc", b"x", 0)
        key = passkeys.list_passkeys(root.actor("session"))[0]
        signed = webauthn.Assertion(root, key["id"], 1, now())
        with pytest.raises(ZeroDivisionError), transaction():
            assert signed.use()
            raise ZeroDivisionError
        assert passkeys.get_passkey(root.actor("session"), key["id"])["last_used_at"] is None
        assert signed.use()
