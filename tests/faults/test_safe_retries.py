"""A server that dies between commit and response: the request is sent again, and has one effect."""

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.faults.kill import PASSWORD, ROOT, Server, environment_of, losses

pytestmark = pytest.mark.faults
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
POST = {"title": "Tides", "body": "High and low."}
SIGN_IN = {"email": "ann@example.org", "password": PASSWORD}
DYING = f"""
import os
from quire.app import create_app
app = create_app("production")
app.after_request(lambda response: os.kill(os.getpid(), {int(KILL)}))
headers = {{"Authorization": "Bearer " + os.environ["TOKEN"], "Idempotency-Key": "one"}}
app.test_client().post(
    "/api/v1/posts", data={json.dumps(POST)!r}, content_type="application/json", headers=headers
)
"""
"""Does what the request asks for and commits it; the answer is ready, and nobody gets it."""


@pytest.fixture
def environment(tmp_path, database_url):
    return environment_of(tmp_path, **({"DATABASE_URL": database_url} if database_url else {}))


@pytest.fixture
def serve(environment):
    """`serve()`: a server, and a function that sends requests to it."""
    servers = []

    def start():
        server = Server(environment)
        servers.append(server)

        def ask(*request, key=None):
            with closing(server.connect()) as connection:
                return server.ask(connection, *request, key=key)

        return server, ask

    yield start
    for server in servers:
        server.kill()


def token(ask):
    return ask("POST", "/auth/token", SIGN_IN)[1]["access_token"]


def test_kill_between_commit_and_response(serve, environment, tmp_path, database_url):
    _, ask = serve()
    mine = token(ask)
    for expected in (1, 1):
        dying = subprocess.run(
            [sys.executable, "-c", DYING],
            env={**environment, "TOKEN": mine, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
        )
        assert dying.returncode not in (0, 1), dying.stderr
        assert ask("GET", "/posts?status=draft", None, mine)[1]["total"] == expected
    status, post = ask("POST", "/posts", POST, mine, key="one")
    assert (status, post["title"], post["id"]) == (201, "Tides", 1)
    status, refused = ask("POST", "/posts", POST | {"title": "Other"}, mine, key="one")
    assert (status, refused["code"]) == (422, "idempotency_key_reused")
    assert ask("GET", "/posts?status=draft", None, mine)[1]["total"] == 1
    assert losses(database_url or tmp_path / "quire.db", [1]) == []


def test_two_servers_get_the_same_request(serve):
    asks = [serve()[1] for _ in range(2)]
    mine = token(asks[0])
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda n: asks[n % 2]("POST", "/posts", POST, mine, key="one"), range(20))
        )
    made = [answer for status, answer in answers if status == 201]
    refused = {answer["code"] for status, answer in answers if status != 201}
    assert made and all(one == made[0] for one in made)
    assert refused <= {"request_in_progress"}
    assert asks[1]("GET", "/posts?status=draft", None, mine)[1]["total"] == 1


def test_kills_at_any_time(serve, tmp_path, database_url):
    sent = {}
    for _ in range(int(os.environ.get("QUIRE_KILL_CYCLES", "5"))):
        server, ask = serve()
        mine = token(ask)
        writers = [threading.Thread(target=_write, args=(ask, mine, sent)) for _ in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(0.2 + secrets.randbelow(500) / 1000)
        server.kill()
        for writer in writers:
            writer.join()
    _, ask = serve()
    mine = token(ask)
    made = {key: ask("POST", "/posts", _post(key), mine, key=key) for key in sent}
    assert {status for status, _ in made.values()} == {201}
    assert len({post["id"] for _, post in made.values()}) == len(sent)
    assert all(id is None or id == made[key][1]["id"] for key, id in sent.items())
    assert ask("GET", "/posts?status=draft", None, mine)[1]["total"] == len(sent)
    assert (
        losses(database_url or tmp_path / "quire.db", [post["id"] for _, post in made.values()])
        == []
    )


def _post(key):
    return {"title": key, "body": "words " * 40, "tags": ["a", "b"]}


def _write(ask, mine, sent):
    """Create posts until the server is gone; record each key, and the id if there was a response."""
    try:
        while True:
            key = secrets.token_hex(8)
            sent[key] = None
            sent[key] = ask("POST", "/posts", _post(key), mine, key=key)[1].get("id")
    except (OSError, http.client.HTTPException, ValueError):
        return
