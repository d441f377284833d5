"""Two servers on one instance: changes of one are visible on the other immediately, and each email is sent once."""

import os
import time
from contextlib import ExitStack, closing

import pytest

from tests.faults.kill import Server

pytestmark = pytest.mark.faults
NEW = {"username": "eve", "email": "eve@example.org", "password": "pallas athene 9"}


@pytest.fixture
def two(tmp_path):
    """Two servers, each with a connection."""
    environment = dict(os.environ, QUIRE_INSTANCE=str(tmp_path), BCRYPT_LOG_ROUNDS="4")
    environment.pop("DATABASE_URL", None)
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            server = Server(environment)
            stack.callback(server.kill)
            found.append((server, stack.enter_context(closing(server.connect()))))
        yield found


def test_both_write_show_and_send(two, tmp_path):
    def ask(number, *more):
        server, connection = two[number]
        return server.ask(connection, *more)

    assert ask(0, "POST", "/users", NEW)[0] == 201
    pairs = [
        ask(n, "POST", "/auth/token", {k: NEW[k] for k in ("email", "password")}) for n in (1, 0)
    ]
    assert [status for status, _ in pairs] == [200, 200]
    token = pairs[0][1]["access_token"]
    for number in range(20):
        one, other = number % 2, 1 - number % 2
        name = {"bio": f"Life {number}"}
        assert ask(one, "PATCH", "/users/me", name, token)[0] == 200
        assert ask(other, "GET", "/users/me", None, token)[1]["bio"] == f"Life {number}"
    key = {"name": "k", "scopes": ["posts:read"]}
    made = ask(0, "POST", "/api_keys", key, token)[1]
    assert [ask(n, "GET", "/posts", None, made["key"])[0] for n in (0, 1)] == [200, 200]
    changed = {"password": "pallas athene 10", "current_password": NEW["password"]}
    assert ask(1, "PATCH", "/users/me", changed | {"keep_keys": False}, token)[0] == 200
    assert [ask(n, "GET", "/posts", None, made["key"])[0] for n in (0, 1)] == [401, 401]
    old = pairs[1][1]["access_token"]
    assert [ask(n, "GET", "/users/me", None, old)[0] for n in (0, 1)] == [401, 401]
    until = time.monotonic() + 20
    while not (letters := list((tmp_path / "outbox").rglob("*.eml"))) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    letters = list((tmp_path / "outbox").rglob("*.eml"))
    subjects = [
        one.read_text(encoding="utf-8").partition("Subject: ")[2].partition("\n")[0]
        for one in letters
    ]
    assert subjects and len(subjects) == len(set(subjects))
