"""Neither the log nor the audit contains a password, token, key, seed or link of an account."""

import logging

from sqlalchemy import select

from quire.records import AUDIT_EVENTS, REVISIONS
from quire.store.db import read_connection
from tests.site.account.test_reset import reset_link
from tests.site.account.test_two_factor import enrolment
from tests.site.conftest import sign_in, soup
from tests.users import PASSWORD, signed_in

NEW = "another battery 9"


def stored(app):
    """Return everything in the audit and in revisions."""
    with app.app_context(), read_connection() as connection:
        tables = (AUDIT_EVENTS.table, REVISIONS.table)
        return repr([connection.execute(select(table)).all() for table in tables])


def test_no_secrets_of_an_accounts_life_are_logged(make_app, people, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    app = make_app(QUIRE_INSTANCE=tmp_path, RATELIMIT_ENABLED=True)
    client = app.test_client()
    secrets = [PASSWORD, NEW, "a wrong password"]
    for password in ("a wrong password", PASSWORD):
        pair = client.post("auth/token", json={"email": "ann@example.org", "password": password})
    secrets += [pair.json["access_token"], pair.json["refresh_token"]]
    renewed = client.post("auth/refresh", json={"refresh_token": pair.json["refresh_token"]})
    secrets += [renewed.json["access_token"], renewed.json["refresh_token"]]
    client.get("posts", headers={"Authorization": "Bearer a-token-that-is-none"})
    ann = signed_in(app, people["ann"])
    made = ann.post("api_keys", json={"name": "k", "scopes": ["posts:read"]})
    secrets += [made.json["key"], "a-token-that-is-none"]
    ann.patch("users/me", json={"password": NEW, "current_password": PASSWORD})
    browser = sign_in(app, "abe")
    totp, seed = enrolment(browser)
    given = {"seed": seed, "otp": totp.now(), "current_password": PASSWORD}
    codes = soup(browser.post("/profile/two-factor", data=given)).select(".codes code")
    secrets += [totp.secret, *(one.text for one in codes)]
    link = reset_link(app, "bob")
    secrets.append(link.rpartition("/")[2])
    assert len(secrets) > 18
    client.get(link)
    content = caplog.text + stored(app)
    assert len(caplog.records) > 0 and "ann" in content
    assert [one for one in secrets if one in content] == []
