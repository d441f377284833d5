"""The users of the tests: one of each role, two authors, and how they sign in."""

from quire.actor import SYSTEM
from quire.auth import jwt, session_store, sessions
from quire.auth.accounts import Account
from quire.records import USERS
from quire.security.tokens import new_secret
from quire.store.write import create, create_many

PASSWORD = "correct horse 7"
ROLES = {"root": "admin", "mod": "moderator", "ann": "author", "abe": "author", "bob": "member"}


def enrol(app, names=ROLES):
    """Create users; return their Accounts by name."""
    raws = [
        {"username": n, "email": f"{n}@example.org", "password": PASSWORD, "role": ROLES[n]}
        for n in names
    ]
    with app.app_context():
        made = create_many(USERS, SYSTEM, raws)
    return {
        raw["username"]: Account(saved.id, raw["username"], raw["role"])
        for raw, saved in zip(raws, made, strict=True)
    }


def maker(app):
    """Return the fixture `make`: `make(POSTS, title="x", ...)` creates a record as the program and returns its id."""

    def make(record, **raw):
        with app.app_context():
            return create(record, SYSTEM, raw).id

    return make


def token_of(app, account):
    """Return an access token of `account`."""
    with app.app_context():
        return jwt.issue(account)["access_token"]


def signed_in(app, account):
    """Return a client with the token of `account`."""
    client = app.test_client()
    if account is not None:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(app, account)}"
        client.account = account
    return client


def give_session(app, client, account):
    """Sign a client in as in a browser, without the sign-in page; return the id of its session."""
    with app.app_context():
        secret = new_secret()
        id = session_store.create_session(account, sessions.KIND, secret, 3600)
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = secret, True
    return id


def browser_of(app, account):
    """Return a browser in which `account` is signed in."""
    client = app.test_client()
    give_session(app, client, account)
    return client
