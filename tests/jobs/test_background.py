"""An application that another server runs instead of serve.py: its database, jobs and proxy."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from wsgiref.simple_server import make_server
from quire.app import create_app
with make_server("127.0.0.1", 0, create_app()) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
"""


@pytest.fixture
def elsewhere(tmp_path):
    """`elsewhere(SETTING=value)`: the address of an application run by another server."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            environment = {
                **os.environ,
                "PYTHONPATH": str(ROOT / "src"),
                "QUIRE_INSTANCE": str(tmp_path / "instance"),
                "BCRYPT_LOG_ROUNDS": "4",
                **settings,
            }
            command = [sys.executable, "-c", PROGRAM]
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=tmp_path,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return f"http://127.0.0.1:{int(process.stdout.readline())}"

        yield start


def ask(address, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_application_creates_its_database_and_runs_jobs(elsewhere, tmp_path):
    address = elsewhere(REQUIRE_EMAIL_VERIFICATION="true")
    person = {"username": "ann", "email": "ann@example.org", "password": "a password of hers"}
    assert ask(f"{address}/api/v1/users", person)[0] == 202
    for _ in range(100):
        letters = list((tmp_path / "instance" / "outbox").glob("*.eml"))
        if letters:
            break
        time.sleep(0.1)
    assert "ann@example.org" in letters[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(("proxy", "limited"), [("127.0.0.1", False), ("192.0.2.1", True)])
def test_clients_of_a_trusted_proxy_are_counted_separately(elsewhere, proxy, limited):
    address = elsewhere(TRUSTED_PROXY=proxy, RATELIMIT_API="3/minute")
    statuses = [
        ask(f"{address}/api/v1/tags", **{"X-Forwarded-For": f"198.51.100.{n}"})[0] for n in range(6)
    ]
    assert (429 in statuses) is limited


def test_outdated_database_refuses_requests(elsewhere, tmp_path):
    (tmp_path / "instance").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "instance" / "quire.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('000000000000')")
        database.commit()
    log = tmp_path / "log"
    address = elsewhere(LOG_FILE=str(log))
    for _ in range(3):
        status, error = ask(f"{address}/api/v1/tags")
        assert (status, error["code"]) == (503, "unavailable")
        assert "log" in error["message"]
    assert log.read_text().count("Quire cannot start") == 1
