"""The people of the tests: one of each role, two authors, and how they sign in."""

from quire.access import tokens
from quire.access.accounts import Account
from quire.actor import SYSTEM
from quire.records import USERS
from quire.store.write import create_many

PASSWORD = "correct horse 7"
ROLES = {"root": "admin", "mod": "moderator", "ann": "author", "abe": "author", "bob": "member"}


def enrol(app, names=ROLES):
    """Make users; returns their Accounts by name."""
    raws = [
        {"username": n, "email": f"{n}@example.org", "password": PASSWORD, "role": ROLES[n]}
        for n in names
    ]
    with app.app_context():
        made = create_many(USERS, SYSTEM, raws)
    return {
        raw["username"]: Account(saved.id, raw["username"], raw["role"], True, 0)
        for raw, saved in zip(raws, made, strict=True)
    }


def token_of(app, account):
    """An access token of `account`."""
    with app.app_context():
        return tokens.issue(account)["access_token"]


def signed_in(app, account):
    """A client that carries the token of `account`."""
    client = app.test_client()
    if account is not None:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(app, account)}"
        client.account = account
    return client
